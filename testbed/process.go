// Processes by pid and start time, marks in the environment, waiting. Linux only: /proc and pidfd.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process is a pid with the moment it was started (clock ticks since boot),
// so that a pid that the system gave to somebody else is never taken for ours.
type process struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started"`
}

// identify looks a running process up; an error means there is none.
func identify(pid int) (process, error) {
	fields, err := statFields(pid)
	if err != nil {
		return process{}, err
	}
	if fields[0] == "Z" {
		return process{}, fmt.Errorf("process %d has ended", pid)
	}
	// Field 22 of /proc/PID/stat; the slice begins at field 3 (proc(5)).
	started, err := strconv.ParseUint(fields[19], 10, 64)
	return process{PID: pid, Started: started}, err
}

func (p process) alive() bool {
	now, err := identify(p.PID)
	return err == nil && now.Started == p.Started
}

// signal does nothing where the process has ended.
func (p process) signal(s syscall.Signal) {
	if p.alive() {
		_ = syscall.Kill(p.PID, s)
	}
}

// awaitEnd says whether the process was gone before the limit.
func (p process) awaitEnd(limit time.Duration) bool {
	return await(limit, func() bool { return !p.alive() })
}

// memory is what the process holds in KiB, pages that it shares with others
// divided among them (Pss): all parts map one binary of 170 MB.
func (p process) memory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.PID))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if amount, ok := strings.CutPrefix(line, "Pss:"); ok {
			return strconv.ParseInt(strings.Fields(amount)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("smaps_rollup of %d has no Pss", p.PID)
}

// ended is closed when the process is gone; a pid that does not exist is gone.
func ended(pid int) <-chan struct{} {
	gone := make(chan struct{})
	descriptor, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		close(gone)
		return gone
	}
	go func() {
		defer close(gone)
		defer unix.Close(descriptor)
		watch := []unix.PollFd{{Fd: int32(descriptor), Events: unix.POLLIN}}
		for {
			if n, err := unix.Poll(watch, -1); n > 0 || (err != nil && err != unix.EINTR) {
				return
			}
		}
	}()
	return gone
}

// markVariable lists, separated by colons, the runs that a process belongs to.
// Children inherit it, also those that left their parent's process group.
const markVariable = "STARFORM_TESTBED_RUN"

// withMark is the environment of this process plus one more run.
func withMark(mark string) []string {
	marks := mark
	if outer := os.Getenv(markVariable); outer != "" {
		marks = outer + ":" + mark
	}
	return append(withoutMarks(), markVariable+"="+marks)
}

// withoutMarks is for processes that outlive the run that they were started in.
func withoutMarks() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, markVariable+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// sweep kills every process that carries the mark, until none is left.
func sweep(mark string) bool {
	return await(5*time.Second, func() bool {
		left := marked(mark)
		for _, p := range left {
			p.signal(syscall.SIGKILL)
		}
		return len(left) == 0
	})
}

func marked(mark string) []process {
	var found []process
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		pid, err := strconv.Atoi(strings.Split(file, "/")[2])
		if err != nil || pid == os.Getpid() || !carries(file, mark) {
			continue
		}
		if p, err := identify(pid); err == nil {
			found = append(found, p)
		}
	}
	return found
}

func carries(environ, mark string) bool {
	text, err := os.ReadFile(environ)
	if err != nil {
		return false // ended meanwhile, or another person's
	}
	for _, entry := range strings.Split(string(text), "\x00") {
		marks, ok := strings.CutPrefix(entry, markVariable+"=")
		for _, m := range strings.Split(marks, ":") {
			if ok && m == mark {
				return true
			}
		}
	}
	return false
}

// await asks every 20 ms until the condition holds or the limit is over.
func await(limit time.Duration, condition func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if condition() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// statFields are the fields of /proc/PID/stat from the third one on: the
// second, the command in parentheses, may itself contain blanks.
func statFields(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	afterCommand := strings.LastIndex(string(text), ") ")
	if afterCommand < 0 {
		return nil, fmt.Errorf("stat of %d has no command", pid)
	}
	fields := strings.Fields(string(text)[afterCommand+2:])
	if len(fields) < 20 {
		return nil, fmt.Errorf("stat of %d is short", pid)
	}
	return fields, nil
}
