// `up` and `down`: the commands of a cluster that stays.

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// An order is what a person asks for with `up` or `run`.
type order struct {
	dir    string
	nodes  int
	audit  bool
	owner  int
	mark   string
	remove bool
}

// stopLimit is longer than all limits of an orderly stop together.
const stopLimit = 20 * time.Second

func up(args []string) int {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	o := order{}
	flags.StringVar(&o.dir, "dir", "", "folder of the cluster (required): kubeconfig, logs, data")
	flags.IntVar(&o.nodes, "nodes", 3, "simulated nodes")
	flags.BoolVar(&o.audit, "audit", false, "write every request to DIR/audit.log")
	flags.IntVar(&o.owner, "owner-pid", 0, "stop the cluster when this process ends")
	flags.BoolVar(&o.remove, "remove", false, "remove the folder when the cluster stops")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	if o.dir == "" || flags.NArg() > 0 {
		return complain("up", errors.New("say where: up --dir DIR [--nodes N] [--audit] [--owner-pid PID] [--remove]"))
	}
	started := time.Now()
	l, err := o.begin()
	if err != nil {
		return complain("up", err)
	}
	fmt.Printf("ready in %.1f s: %d nodes\nexport KUBECONFIG=%s\n", time.Since(started).Seconds(), o.nodes, l.kubeconfig())
	return 0
}

// begin starts a supervisor of its own session and waits for its report.
func (o order) begin() (layout, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return layout{}, err
	}
	l := layout{dir: dir}
	if old, found, err := l.readState(); err != nil {
		return l, err
	} else if found && old.Supervisor.alive() {
		return l, fmt.Errorf("a cluster already runs in %s; `testbed down --dir %s` stops it", dir, dir)
	}
	if err := l.create(); err != nil {
		return l, err
	}
	supervisor, report, err := o.spawn(l)
	if err != nil {
		return l, err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(interrupted)
	select {
	case err = <-report:
	case <-interrupted:
		err = errors.New("interrupted")
	case <-time.After(3 * time.Minute):
		err = fmt.Errorf("no cluster after 3 minutes, see %s", l.path("logs"))
	}
	if err != nil {
		supervisor.signal(syscall.SIGKILL) // takes the parts with it
		supervisor.awaitEnd(stopLimit)
		_ = os.Remove(l.stateFile())
	}
	return l, err
}

func (o order) spawn(l layout) (process, <-chan error, error) {
	self, err := os.Executable()
	if err != nil {
		return process{}, nil, err
	}
	log, err := os.OpenFile(l.log("supervisor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return process{}, nil, err
	}
	defer log.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return process{}, nil, err
	}
	defer writer.Close()
	child := exec.Command(self, "supervise", "--dir="+l.dir, "--nodes="+strconv.Itoa(o.nodes),
		"--audit="+strconv.FormatBool(o.audit), "--owner-pid="+strconv.Itoa(o.owner),
		"--mark="+o.mark, "--remove="+strconv.FormatBool(o.remove))
	child.Dir = l.dir
	child.Env = withoutMarks()
	child.Stdout, child.Stderr = log, log
	child.ExtraFiles = []*os.File{writer}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return process{}, nil, err
	}
	go func() { _ = child.Wait() }()
	supervisor, err := identify(child.Process.Pid)
	if err != nil {
		return process{}, nil, fmt.Errorf("the supervisor ended at once, see %s", l.log("supervisor"))
	}
	report := make(chan error, 1)
	go func() { report <- readReport(l, reader) }()
	return supervisor, report, nil
}

func readReport(l layout, reader *os.File) error {
	defer reader.Close()
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the supervisor ended before the cluster was up, see %s", l.path("logs"))
	}
	var r startReport
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	return nil
}

func down(args []string) int {
	flags := flag.NewFlagSet("down", flag.ContinueOnError)
	dir := flags.String("dir", "", "folder of the cluster (required)")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	if *dir == "" {
		return complain("down", errors.New("say which: down --dir DIR"))
	}
	if err := (layout{dir: *dir}).end(); err != nil {
		return complain("down", err)
	}
	return 0
}

// end stops the cluster, if there is one, and returns when no process is left.
func (l layout) end() error {
	state, found, err := l.readState()
	if err != nil || !found {
		return err
	}
	state.Supervisor.signal(syscall.SIGTERM)
	if !state.Supervisor.awaitEnd(stopLimit) {
		state.Supervisor.signal(syscall.SIGKILL)
		state.Supervisor.awaitEnd(stopLimit)
	}
	for name, p := range state.Parts {
		p.signal(syscall.SIGKILL) // does nothing: the part died with its supervisor
		if !p.awaitEnd(stopLimit) {
			return fmt.Errorf("%s (process %d) does not end", name, p.PID)
		}
	}
	if err := os.Remove(l.stateFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func complain(command string, err error) int {
	fmt.Fprintf(os.Stderr, "testbed %s: %v\n", command, err)
	return 1
}
