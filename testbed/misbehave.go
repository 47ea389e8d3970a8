package main

import (
	"fmt"
	"strings"
)

// Pods that misbehave are chosen by a word in an image, wherever it stands:
// `registry.example/app:behave-crash`. Probes are never run here; these
// stages decide.
//
//	behave-crash        runs, ends with exit code 1 at once and every 10 s: CrashLoopBackOff
//	behave-pullfail     stays Pending: ImagePullBackOff
//	behave-neverready   runs, never becomes ready
//	behave-slowN        runs, becomes ready after N seconds
//	behave-jobokN       runs, ends with exit code 0 after N seconds
//	behave-jobfailN     runs, ends with exit code 1 after N seconds
//	behave-jobonceN     in a Job whose name ends in -1 as jobfailN, in any other Job as jobokN;
//	                    runs on and is ready in what is no Job

const (
	behaviourWord = `.spec.containers.[].image | capture("behave-(?<word>[a-z]+)") | .word`
	// The number behind the word as a Go duration.
	behaviourDelay = `[.spec.containers[].image | capture("behave-[a-z]+(?<seconds>[0-9]+)") | .seconds + "s"] | .[0]`
	noContainerYet = `.status.containerStatuses`
	waitingReason  = `.status.containerStatuses.[].state.waiting.reason`
	podReady       = `.status.conditions.[] | select(.type == "Ready") | .status`
	podPhase       = `.status.phase`
	// The number at the end of the name of the pod's Job; nothing for other pods.
	jobNumber = `(.metadata.labels["job-name"] // "") | capture("-(?<number>[0-9]+)$") | .number`
)

// A misbehaviour is one step in the life of a pod with such an image.
type misbehaviour struct {
	name  string
	words []any            // images that it is for
	when  []map[string]any // beside: not being deleted
	delay map[string]any
	phase string
	ready bool
	// Adds one to each container's restarts.
	restarts bool
	// What each container's status says; may use $now.
	container string
}

const (
	running   = `state: {running: {startedAt: {{ $now | Quote }}}}`
	ended0    = `{exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}`
	ended1    = `{exitCode: 1, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}`
	succeeded = `state: {terminated: ` + ended0 + `}`
	failed    = `state: {terminated: ` + ended1 + `}`
	crashed   = `state: {waiting: {reason: CrashLoopBackOff, message: back-off restarting failed container}}
  lastState: {terminated: ` + ended1 + `}`
	notPulled = `state: {waiting: {reason: ImagePullBackOff, message: {{ printf "Back-off pulling image %q: not found" .image | Quote }}}}`
)

func misbehaviours() []misbehaviour {
	fresh := []map[string]any{jq(noContainerYet, "DoesNotExist")}
	inPhaseRunning := jq(podPhase, "In", "Running")
	afterNumber := map[string]any{"durationFrom": map[string]any{"jq": map[string]any{"expression": behaviourDelay}}}
	return []misbehaviour{
		{name: "crash-first", words: []any{"crash"}, when: fresh, phase: "Running", restarts: true, container: crashed},
		{
			name: "crash-again", words: []any{"crash"}, when: []map[string]any{jq(waitingReason, "In", "CrashLoopBackOff")},
			delay: map[string]any{"durationMilliseconds": 10000}, phase: "Running", restarts: true, container: crashed,
		},
		{name: "pullfail", words: []any{"pullfail"}, when: fresh, phase: "Pending", container: notPulled},
		{name: "neverready", words: []any{"neverready"}, when: fresh, phase: "Running", container: running},
		{name: "slow-start", words: []any{"slow"}, when: fresh, phase: "Running", container: running},
		{
			name: "slow-ready", words: []any{"slow"}, when: []map[string]any{inPhaseRunning, jq(podReady, "NotIn", "True")},
			delay: afterNumber, phase: "Running", ready: true, container: running,
		},
		{name: "job-start", words: []any{"jobok", "jobfail", "jobonce"}, when: fresh, phase: "Running", ready: true, container: running},
		{
			name: "job-ok", words: []any{"jobok"}, when: []map[string]any{inPhaseRunning},
			delay: afterNumber, phase: "Succeeded", container: succeeded,
		},
		{
			name: "job-fail", words: []any{"jobfail"}, when: []map[string]any{inPhaseRunning},
			delay: afterNumber, phase: "Failed", container: failed,
		},
		{
			name: "job-first", words: []any{"jobonce"}, when: []map[string]any{inPhaseRunning, jq(jobNumber, "In", "1")},
			delay: afterNumber, phase: "Failed", container: failed,
		},
		{
			name: "job-again", words: []any{"jobonce"},
			when:  []map[string]any{inPhaseRunning, jq(jobNumber, "Exists"), jq(jobNumber, "NotIn", "1")},
			delay: afterNumber, phase: "Succeeded", container: succeeded,
		},
	}
}

func (m misbehaviour) stage() map[string]any {
	expressions := []any{
		jq(".metadata.deletionTimestamp", "DoesNotExist"),
		jq(behaviourWord, "In", m.words...),
	}
	for _, w := range m.when {
		expressions = append(expressions, w)
	}
	spec := map[string]any{
		"resourceRef": map[string]any{"apiGroup": "v1", "kind": "Pod"},
		"selector":    map[string]any{"matchExpressions": expressions},
		"steps": []any{map[string]any{
			"patch": map[string]any{"subresource": "status", "root": "status", "template": m.template()},
		}},
	}
	if m.delay != nil {
		spec["delay"] = m.delay
	}
	return map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage",
		"metadata": map[string]any{"name": "behave-" + m.name}, "spec": spec,
	}
}

// template is the pod's whole status but for what the scheduler wrote.
func (m misbehaviour) template() string {
	ready, reason := "False", "ContainersNotReady"
	if m.ready {
		ready, reason = "True", ""
	}
	count := `{{ $restarts }}`
	if m.restarts {
		count = `{{ add $restarts 1 }}`
	}
	return fmt.Sprintf(strings.TrimLeft(podStatus, "\n"), m.phase, ready, reason, ready, reason, m.ready, m.container == running, count, m.container)
}

const podStatus = `
{{ $now := Now }}
{{ $pod := . }}
phase: %s
startTime: {{ or .status.startTime $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: %q, reason: %q, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: %q, reason: %q, lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range $index, $container := .spec.containers }}
{{ $restarts := 0 }}
{{ with $pod.status.containerStatuses }}{{ $restarts = (index . $index).restartCount }}{{ end }}
{{ with $container }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: %t
  started: %t
  restartCount: %s
  %s
{{ end }}
{{ end }}
{{ $hostIP := NodeIPWith .spec.nodeName }}
hostIP: {{ $hostIP | Quote }}
hostIPs: [{ip: {{ $hostIP | Quote }}}]
{{ $podIP := or .status.podIP (PodIPWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") (or .metadata.name "") (or .metadata.namespace "")) }}
podIP: {{ $podIP | Quote }}
podIPs: [{ip: {{ $podIP | Quote }}}]
`

// jq is one requirement of a stage's selector.
func jq(key, operator string, values ...any) map[string]any {
	requirement := map[string]any{"key": key, "operator": operator}
	if len(values) > 0 {
		requirement["values"] = values
	}
	return map[string]any{"jq": requirement}
}
