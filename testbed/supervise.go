// The process that holds the parts together, from their start to their end.

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// administrator is the user of group system:masters whom D/kubeconfig names.
const administrator = "testbed-admin"

// The supervisor is the one process that outlives `up`: the parts are its
// children and die with it, however it ends.
//
//	SIGTERM          stops the parts in order, then itself
//	SIGHUP           starts the parts that are not running (after kill-part)
//	the owner ends   kills the parts at once
//
// It tells `up` on file descriptor 3 how the start went: one line of JSON.
type supervision struct {
	layout layout
	nodes  int
	audit  bool
	owner  int
	mark   string
	remove bool
}

// A startReport is what `up` waits for.
type startReport struct {
	Error string `json:"error,omitempty"`
}

func supervise(args []string) int {
	// The kernel kills the parts when the thread ends that started them.
	runtime.LockOSThread()
	s, err := parseSupervision(args)
	if err != nil {
		return 1
	}
	report := os.NewFile(3, "report")
	events := make(chan os.Signal, 4)
	signal.Notify(events, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)

	own, err := identify(os.Getpid())
	if err != nil {
		return s.fail(report, nil, err)
	}
	c, err := newCluster(s.layout, s.audit)
	if err != nil {
		return s.fail(report, c, err)
	}
	if err := s.bringUp(c, own); err != nil {
		return s.fail(report, c, err)
	}
	if err := answer(report, startReport{}); err != nil {
		// Whoever asked for the cluster is gone; nobody else knows of it.
		return s.fail(nil, c, err)
	}
	s.watch(c, own, events)
	s.finish()
	return 0
}

func parseSupervision(args []string) (supervision, error) {
	flags := flag.NewFlagSet("supervise", flag.ContinueOnError)
	dir := flags.String("dir", "", "")
	s := supervision{}
	flags.IntVar(&s.nodes, "nodes", 3, "")
	flags.BoolVar(&s.audit, "audit", false, "")
	flags.IntVar(&s.owner, "owner-pid", 0, "")
	flags.StringVar(&s.mark, "mark", "", "")
	flags.BoolVar(&s.remove, "remove", false, "")
	err := flags.Parse(args)
	s.layout = layout{dir: *dir}
	return s, err
}

// watch returns when the parts have been stopped.
func (s supervision) watch(c *cluster, own process, events <-chan os.Signal) {
	var ownerEnded <-chan struct{} // nil without an owner: never ready
	if s.owner != 0 {
		ownerEnded = ended(s.owner)
	}
	for {
		select {
		case <-ownerEnded:
			fmt.Fprintln(os.Stderr, "the owner has ended")
			c.killAll()
			return
		case event := <-events:
			if event == syscall.SIGTERM {
				c.stopInOrder()
				return
			}
			if err := s.revive(c, own); err != nil {
				fmt.Fprintln(os.Stderr, "starting stopped parts:", err)
			}
		}
	}
}

// revive starts what was killed. Leases of the earlier kwok would make the new
// one wait for their end before it cares for their nodes.
func (s supervision) revive(c *cluster, own process) error {
	if !c.running(nodesName) {
		if api, err := newAPIClient(s.layout, c.endpoints.serverURL()); err == nil {
			_ = api.deleteAll("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
		}
	}
	var errs error
	for _, name := range startOrder {
		if !c.running(name) {
			errs = errors.Join(errs, c.start(name))
		}
	}
	return errors.Join(errs, s.layout.writeState(c.state(true, own)))
}

func (s supervision) fail(report *os.File, c *cluster, cause error) int {
	fmt.Fprintln(os.Stderr, cause)
	if c != nil {
		c.killAll()
	}
	s.finish()
	if report != nil {
		_ = answer(report, startReport{Error: cause.Error()})
	}
	return 1
}

// finish leaves no process and, where asked, no file. The state file goes
// last: while it is there, the cluster counts as running.
func (s supervision) finish() {
	if s.mark != "" && !sweep(s.mark) {
		fmt.Fprintln(os.Stderr, "some processes of the run did not end")
	}
	if s.remove {
		_ = os.RemoveAll(s.layout.dir)
	}
	_ = os.Remove(s.layout.stateFile())
}

func answer(report *os.File, r startReport) error {
	defer report.Close()
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = report.Write(append(text, '\n'))
	return err
}

// bringUp returns when a pod that is created now would run.
func (s supervision) bringUp(c *cluster, own process) error {
	l := s.layout
	if err := s.prepare(c); err != nil {
		return err
	}
	for _, name := range []string{etcdName, serverName} {
		if err := c.start(name); err != nil {
			return err
		}
	}
	if err := l.writeState(c.state(false, own)); err != nil {
		return err
	}
	api, err := newAPIClient(l, c.endpoints.serverURL())
	if err != nil {
		return err
	}
	if s.owner != 0 {
		api.abandoned = ended(s.owner)
	}
	if !api.await(60*time.Second, func() bool { return api.ready() || !c.running(serverName) || !c.running(etcdName) }) || !api.ready() {
		return fmt.Errorf("the API server did not become ready, see %s and %s", l.log(serverName), l.log(etcdName))
	}
	for _, name := range []string{controllerName, schedulerName} {
		if err := c.start(name); err != nil {
			return err
		}
	}
	if err := errors.Join(installNodes(api, s.nodes), installDefinitions(api)); err != nil {
		return err
	}
	// kwok ends when a kind that one of its stages names is not served in OpenAPI yet.
	if err := awaitRouteSchema(api, 30*time.Second); err != nil {
		return err
	}
	if err := c.start(nodesName); err != nil {
		return err
	}
	// The server takes two seconds to serve a new definition; nodes become ready meanwhile.
	classes := make(chan error, 1)
	go func() { classes <- installClasses(api) }()
	if err := errors.Join(awaitUsable(api, s.nodes, 60*time.Second), <-classes); err != nil {
		return fmt.Errorf("the cluster did not become usable, see %s: %w", l.path("logs"), err)
	}
	return l.writeState(c.state(true, own))
}

// prepare writes every file that the parts read.
func (s supervision) prepare(c *cluster) error {
	l, server := s.layout, c.endpoints.serverURL()
	a, err := newAuthority(l)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return errors.Join(
		a.issueServer(serverName),
		a.issueClient(administrator, administrator, "system:masters"),
		a.issueClient(controllerName, "system:kube-controller-manager"),
		a.issueClient(schedulerName, "system:kube-scheduler"),
		a.issueClient(nodesName, "system:node:testbed", "system:masters", "system:nodes"),
		newServiceAccountKey(l),
		writeKubeconfig(l, l.kubeconfig(), server, administrator),
		writeKubeconfig(l, l.partKubeconfig(controllerName), server, controllerName),
		writeKubeconfig(l, l.partKubeconfig(schedulerName), server, schedulerName),
		writeKubeconfig(l, l.partKubeconfig(nodesName), server, nodesName),
		os.WriteFile(l.auditPolicy(), []byte(auditPolicy), 0o600),
		writeStages(l.stages()),
		os.Symlink(self, l.path("bin", "kubectl")),
	)
}

// Every request once, when it is answered; watches also when they begin.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`
