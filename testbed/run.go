// `run`: a cluster for one command.

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long a command may take to end after it was asked to.
const patience = 5 * time.Second

// run gives one command a cluster of its own. The cluster and everything that
// the command started end with it, also when this process is killed: its
// supervisor then ends them.
func run(args []string) int {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	o := order{owner: os.Getpid(), remove: true}
	flags.IntVar(&o.nodes, "nodes", 3, "simulated nodes")
	flags.BoolVar(&o.audit, "audit", false, "write every request to $TESTBED_DIR_FOR_TESTS/audit.log")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	if flags.NArg() == 0 {
		return complain("run", errors.New("say what: run [--nodes N] [--audit] -- COMMAND [ARGUMENT]…"))
	}
	if given := os.Getenv("KUBECONFIG_FOR_TESTS"); given != "" {
		return foreground(flags.Args(), append(os.Environ(), "KUBECONFIG="+given))
	}
	dir, err := os.MkdirTemp("", "testbed-")
	if err != nil {
		return complain("run", err)
	}
	o.dir, o.mark = dir, filepath.Base(dir)
	// Signals that arrive while the cluster starts make begin fail.
	l, err := o.begin()
	if err != nil {
		_ = complain("run", err)
		fmt.Fprintln(os.Stderr, "its logs are kept in", dir)
		return 1
	}
	code := foreground(flags.Args(), o.environment(l))
	if err := l.end(); err != nil {
		return complain("run", err)
	}
	return code
}

func (o order) environment(l layout) []string {
	self, _ := os.Executable()
	return append(withMark(o.mark),
		"KUBECONFIG="+l.kubeconfig(), "KUBECONFIG_FOR_TESTS="+l.kubeconfig(),
		"TESTBED_DIR_FOR_TESTS="+l.dir, "TESTBED_BIN_FOR_TESTS="+self,
		"PATH="+l.bin()+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// foreground runs the command on this terminal and says its exit code.
// Ctrl-C reaches the command by itself; SIGTERM is passed on.
func foreground(args, environment []string) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	child := exec.Command(args[0], args[1:]...)
	child.Env = environment
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		_ = complain("run", err)
		return 127
	}
	done := make(chan error, 1)
	go func() { done <- child.Wait() }()
	for {
		select {
		case <-done:
			return exitCode(child.ProcessState)
		case asked := <-signals:
			if asked != syscall.SIGINT {
				_ = child.Process.Signal(asked)
			}
			time.AfterFunc(patience, func() { _ = child.Process.Kill() })
		}
	}
}

// exitCode is what a shell says: 128 plus the signal that ended the process.
func exitCode(ended *os.ProcessState) int {
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return ended.ExitCode()
}
