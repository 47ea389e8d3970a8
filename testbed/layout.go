// Where the files of one cluster are, and the state file that other processes read.

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// A layout names every file below the folder of one cluster.
type layout struct{ dir string }

func (l layout) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l layout) kubeconfig() string             { return l.path("kubeconfig") }
func (l layout) auditLog() string               { return l.path("audit.log") }
func (l layout) auditPolicy() string            { return l.path("audit-policy.yaml") }
func (l layout) etcdData() string               { return l.path("etcd") }
func (l layout) certificate(n string) string    { return l.path("pki", n+".crt") }
func (l layout) key(n string) string            { return l.path("pki", n+".key") }
func (l layout) partKubeconfig(n string) string { return l.path("pki", n+".kubeconfig") }
func (l layout) log(n string) string            { return l.path("logs", n+".log") }
func (l layout) stages() string                 { return l.path("stages.yaml") }
func (l layout) home() string                   { return l.path("home") }
func (l layout) bin() string                    { return l.path("bin") }
func (l layout) stateFile() string              { return l.path("state.json") }

// A clusterState is what another process needs to know about a running cluster.
type clusterState struct {
	Supervisor process            `json:"supervisor"`
	Parts      map[string]process `json:"parts"`
	Server     string             `json:"server"`
	Etcd       string             `json:"etcd"`
	Ready      bool               `json:"ready"`
}

// readState says false where no cluster was started or it was stopped in order.
func (l layout) readState() (clusterState, bool, error) {
	var s clusterState
	text, err := os.ReadFile(l.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	return s, true, json.Unmarshal(text, &s)
}

// writeState replaces the file whole, so that a reader never sees half of it.
func (l layout) writeState(s clusterState) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := l.stateFile() + ".next"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, l.stateFile())
}

// create makes the folders of a new, empty cluster and removes what an earlier
// one left in the same place: each `up` starts from nothing.
func (l layout) create() error {
	for _, old := range []string{l.etcdData(), l.path("pki"), l.path("logs"), l.home(), l.bin()} {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	for _, old := range []string{l.auditLog(), l.stateFile(), l.kubeconfig()} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for _, folder := range []string{l.dir, l.etcdData(), l.path("pki"), l.path("logs"), l.home(), l.bin()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	return nil
}
