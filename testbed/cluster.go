// The flags of each part, and starting and stopping them as children.

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// The names of the parts, in the order in which they start.
const (
	etcdName       = "etcd"
	serverName     = "kube-apiserver"
	controllerName = "kube-controller-manager"
	schedulerName  = "kube-scheduler"
	nodesName      = "kwok"
)

var startOrder = []string{etcdName, serverName, controllerName, schedulerName, nodesName}

// An endpoint set holds the loopback ports that one cluster listens on.
type endpoints struct{ server, etcd, etcdPeer int }

func (e endpoints) serverURL() string   { return loopback("https", e.server) }
func (e endpoints) etcdURL() string     { return loopback("http", e.etcd) }
func (e endpoints) etcdPeerURL() string { return loopback("http", e.etcdPeer) }

func loopback(scheme string, port int) string { return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port) }

// A part is one running child process of the supervisor.
type part struct {
	process process
	done    chan struct{}
}

// A cluster is the supervisor's own view of its children. Its methods belong
// to the thread that started the first part: the kernel kills a child when
// the thread that started it ends, not the process.
type cluster struct {
	layout    layout
	endpoints endpoints
	audit     bool
	parts     map[string]*part
}

func newCluster(l layout, audit bool) (*cluster, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	e := endpoints{server: ports[0], etcd: ports[1], etcdPeer: ports[2]}
	return &cluster{layout: l, endpoints: e, audit: audit, parts: map[string]*part{}}, nil
}

// arguments are the flags of each part. Loopback only, no fsync, no leader
// election: one machine, one short life.
func (c *cluster) arguments(name string) []string {
	switch name {
	case etcdName:
		return c.etcdArguments()
	case serverName:
		return c.serverArguments()
	case controllerName:
		return []string{
			"--kubeconfig=" + c.layout.partKubeconfig(name), "--leader-elect=false", "--secure-port=0",
			"--service-account-private-key-file=" + c.layout.key("service-account"),
			"--root-ca-file=" + c.layout.certificate("ca"),
			"--use-service-account-credentials=true", "--kube-api-qps=500", "--kube-api-burst=1000",
			"--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20",
		}
	case schedulerName:
		return []string{
			"--kubeconfig=" + c.layout.partKubeconfig(name), "--leader-elect=false", "--secure-port=0",
			"--kube-api-qps=500", "--kube-api-burst=1000",
		}
	case nodesName:
		return []string{
			"--kubeconfig=" + c.layout.partKubeconfig(name), "--manage-all-nodes",
			"--node-lease-duration-seconds=40", "--config=" + c.layout.stages(),
		}
	}
	panic("no part is named " + name)
}

func (c *cluster) etcdArguments() []string {
	peer := c.endpoints.etcdPeerURL()
	return []string{
		"--name=testbed", "--data-dir=" + c.layout.etcdData(), "--unsafe-no-fsync",
		"--listen-client-urls=" + c.endpoints.etcdURL(), "--advertise-client-urls=" + c.endpoints.etcdURL(),
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=testbed=" + peer, "--log-level=warn",
	}
}

func (c *cluster) serverArguments() []string {
	l := c.layout
	arguments := []string{
		"--etcd-servers=" + c.endpoints.etcdURL(), "--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.endpoints.server), "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/12", "--authorization-mode=RBAC", "--allow-privileged=true",
		"--client-ca-file=" + l.certificate("ca"),
		"--tls-cert-file=" + l.certificate(serverName), "--tls-private-key-file=" + l.key(serverName),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + l.certificate("service-account"),
		"--service-account-signing-key-file=" + l.key("service-account"),
	}
	if c.audit {
		arguments = append(arguments,
			"--audit-policy-file="+l.auditPolicy(), "--audit-log-path="+l.auditLog(),
			"--audit-log-format=json", "--audit-log-mode=blocking", "--audit-log-maxsize=0")
	}
	return arguments
}

// start runs one part; its output goes to logs/NAME.log. It dies with this thread.
func (c *cluster) start(name string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(c.layout.log(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	child := exec.Command(self, append([]string{name}, c.arguments(name)...)...)
	child.Dir = c.layout.dir
	child.Env = append(withoutMarks(), "HOME="+c.layout.home())
	child.Stdout, child.Stderr = log, log
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		return err
	}
	started, err := identify(child.Process.Pid)
	if err != nil {
		return fmt.Errorf("%s ended at once, see %s", name, c.layout.log(name))
	}
	running := &part{process: started, done: make(chan struct{})}
	go func() {
		_ = child.Wait()
		close(running.done)
	}()
	c.parts[name] = running
	return nil
}

// running asks the kernel: `done` is closed a moment later.
func (c *cluster) running(name string) bool {
	p, ok := c.parts[name]
	return ok && p.process.alive()
}

// stopInOrder ends the clients of the API server before it, and etcd last: an
// API server that has lost its store no longer reacts to SIGTERM. What does
// not end in time is killed; nothing here is worth waiting for.
func (c *cluster) stopInOrder() {
	limits := map[string]time.Duration{serverName: 5 * time.Second}
	for i := len(startOrder) - 1; i > 0; i-- {
		c.stop(startOrder[i], syscall.SIGTERM, limits[startOrder[i]])
	}
	c.stop(etcdName, syscall.SIGTERM, 0)
}

func (c *cluster) killAll() {
	for _, name := range startOrder {
		if p, ok := c.parts[name]; ok {
			p.process.signal(syscall.SIGKILL)
		}
	}
	for _, p := range c.parts {
		<-p.done
	}
}

func (c *cluster) stop(name string, signal syscall.Signal, limit time.Duration) {
	p, ok := c.parts[name]
	if !ok {
		return
	}
	if limit == 0 {
		limit = 2 * time.Second
	}
	p.process.signal(signal)
	select {
	case <-p.done:
	case <-time.After(limit):
		p.process.signal(syscall.SIGKILL)
		<-p.done
	}
}

func (c *cluster) state(ready bool, supervisor process) clusterState {
	parts := map[string]process{}
	for name, p := range c.parts {
		parts[name] = p.process
	}
	return clusterState{
		Supervisor: supervisor, Parts: parts, Ready: ready,
		Server: c.endpoints.serverURL(), Etcd: c.endpoints.etcdURL(),
	}
}

// freePorts picks below the range from which the system gives ports to
// clients, so that no outgoing connection takes one between here and its use.
func freePorts(count int) ([]int, error) {
	var found []int
	for tries := 0; len(found) < count; tries++ {
		if tries > 1000 {
			return nil, fmt.Errorf("no %d free loopback ports between 20000 and 32000", count)
		}
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer listener.Close() // held until all are found: no port twice
		found = append(found, port)
	}
	return found, nil
}
