// `status`, `kill-part`, `restart-part`: looking at a running cluster, and breaking it.

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

// status shows what runs and how much memory it takes.
func status(args []string) int {
	l, _, err := named("status", args, 0)
	if err != nil {
		return complain("status", err)
	}
	state, err := l.live()
	if err != nil {
		return complain("status", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	total := int64(0) // KiB
	for _, name := range startOrder {
		p := state.Parts[name]
		if !p.alive() {
			fmt.Fprintf(table, "%s\t%d\tended\t\n", name, p.PID)
			continue
		}
		memory, err := p.memory()
		if err != nil {
			return complain("status", err)
		}
		total += memory
		fmt.Fprintf(table, "%s\t%d\t%d MiB\t\n", name, p.PID, memory>>10)
	}
	fmt.Fprintf(table, "together\t\t%d MiB\t\n", total>>10)
	if err := table.Flush(); err != nil {
		return complain("status", err)
	}
	fmt.Printf("server %s, etcd %s\n", state.Server, state.Etcd)
	return 0
}

// killPart ends one part as a crash would (SIGKILL) and leaves it so.
func killPart(args []string) int {
	l, words, err := named("kill-part", args, 1)
	if err != nil {
		return complain("kill-part", err)
	}
	if err := l.kill(words[0]); err != nil {
		return complain("kill-part", err)
	}
	return 0
}

// restartPart kills one part and returns when its successor runs; for the API
// server and etcd, when the API server is ready again.
func restartPart(args []string) int {
	l, words, err := named("restart-part", args, 1)
	if err != nil {
		return complain("restart-part", err)
	}
	if err := l.kill(words[0]); err != nil {
		return complain("restart-part", err)
	}
	if err := l.revive(words[0]); err != nil {
		return complain("restart-part", err)
	}
	return 0
}

func (l layout) kill(name string) error {
	state, err := l.live()
	if err != nil {
		return err
	}
	if !slices.Contains(startOrder, name) {
		return fmt.Errorf("no part is named %q; the parts: %v", name, startOrder)
	}
	state.Parts[name].signal(syscall.SIGKILL)
	if !state.Parts[name].awaitEnd(stopLimit) {
		return fmt.Errorf("%s does not end", name)
	}
	return nil
}

func (l layout) revive(name string) error {
	before, err := l.live()
	if err != nil {
		return err
	}
	before.Supervisor.signal(syscall.SIGHUP)
	if !await(stopLimit, func() bool {
		now, _, err := l.readState()
		return err == nil && now.Parts[name] != before.Parts[name] && now.Parts[name].alive()
	}) {
		return fmt.Errorf("%s did not start again, see %s", name, l.log("supervisor"))
	}
	api, err := newAPIClient(l, before.Server)
	if err != nil {
		return err
	}
	if !await(60*time.Second, api.ready) {
		return fmt.Errorf("the API server did not become ready again, see %s", l.log(serverName))
	}
	return nil
}

func (l layout) live() (clusterState, error) {
	state, found, err := l.readState()
	if err == nil && (!found || !state.Supervisor.alive()) {
		err = fmt.Errorf("no cluster runs in %s; `testbed up --dir %s` starts one", l.dir, l.dir)
	}
	return state, err
}

// named reads --dir, which may stand before or behind the words.
func named(command string, args []string, count int) (layout, []string, error) {
	var words []string
	if len(args) > 0 && count > 0 && args[0][:1] != "-" {
		words, args = args[:1], args[1:]
	}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	dir := flags.String("dir", os.Getenv("TESTBED_DIR_FOR_TESTS"), "folder of the cluster")
	if err := flags.Parse(args); err != nil {
		return layout{}, nil, err
	}
	words = append(words, flags.Args()...)
	if *dir == "" || len(words) != count {
		return layout{}, nil, errors.New("say which cluster with --dir DIR, and the part where one is needed")
	}
	return layout{dir: *dir}, words, nil
}
