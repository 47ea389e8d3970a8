// Testbed is a real Kubernetes control plane with simulated nodes in one
// binary: etcd, API server, controller manager, scheduler, kwok and kubectl as
// subcommands, and the commands that run them together as one throwaway cluster.
//
// Every part is a child process of this same binary: signal handlers, logging,
// feature gates and flags are process-wide in all of them, and a single part
// must be killable. Read on in parts.go, cluster.go and up.go.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// A command takes the arguments behind its name and says the exit code.
type command struct {
	run  func(args []string) int
	help string
}

func commands() map[string]command {
	return map[string]command{
		"up":                      {up, "start a cluster: --dir DIR [--nodes N] [--audit] [--owner-pid PID] [--remove]"},
		"down":                    {down, "stop it: --dir DIR"},
		"run":                     {run, "a cluster for one command: [--nodes N] [--audit] -- COMMAND"},
		"status":                  {status, "what runs, and its memory: --dir DIR"},
		"audit":                   {audit, "sum requests: --dir DIR [--user-agent X] [--since T] [--until T] [--json]"},
		"reach":                   {reach, "who may connect to whom, by the NetworkPolicies: --dir DIR --ports TCP/80,… [--addresses A,…]"},
		"kill-part":               {killPart, "SIGKILL one part: NAME --dir DIR"},
		"restart-part":            {restartPart, "SIGKILL one part and start it again: NAME --dir DIR"},
		"compact":                 {compact, "forget what etcd held before now: --dir DIR"},
		"guard":                   {guard, "run a command until standard input closes: [--user U] [--remove DIR] -- COMMAND"},
		"supervise":               {supervise, "what `up` starts; not for people"},
		"etcd":                    {etcdPart, "the part alone, with its own flags"},
		"kube-apiserver":          {apiServerPart, "the part alone, with its own flags"},
		"kube-controller-manager": {controllerManagerPart, "the part alone, with its own flags"},
		"kube-scheduler":          {schedulerPart, "the part alone, with its own flags"},
		"kwok":                    {kwokPart, "the part alone, with its own flags"},
		"kubectl":                 {kubectlPart, "the part alone, with its own flags"},
	}
}

func main() {
	known := commands()
	// kubectl reads its own name from the arguments; a link named after a part works too.
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if _, ok := known[name]; !ok {
		if len(args) == 0 {
			usage()
			os.Exit(1)
		}
		name, args = args[0], args[1:]
	}
	chosen, ok := known[name]
	if !ok {
		usage()
		os.Exit(1)
	}
	os.Exit(chosen.run(args))
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: testbed COMMAND [FLAG]…")
	known := commands()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(os.Stderr, "  %-24s %s\n", name, known[name].help)
	}
}
