// What the simulated cluster does by itself.

package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	nodestage "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	leasestage "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podstage "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/yaml"
)

// Stages are what the simulated cluster does: kwok watches objects, and a
// stage whose selector matches one changes its status after a delay. Here are
// the ordinary life of nodes and pods (kwok's own stages), the pods that
// misbehave (misbehave.go), a volume provisioner and a gateway controller.

const (
	provisioner       = "starform.example/testbed"
	gatewayController = "starform.example/testbed"
)

//go:embed stages/volume.yaml
var volumeStages string

//go:embed stages/gateway.yaml
var gatewayStages string

// writeStages writes the one file that kwok reads at its start.
func writeStages(file string) error {
	documents := []string{
		nodestage.DefaultNodeInit, leasestage.DefaultNodeHeartbeatWithLease, podstage.DefaultPodDelete,
		volumeStages, gatewayStages,
	}
	for _, stock := range []string{podstage.DefaultPodReady, podstage.DefaultPodComplete} {
		behaved, err := onlyBehaved(stock)
		if err != nil {
			return err
		}
		documents = append(documents, behaved)
	}
	for _, m := range misbehaviours() {
		text, err := yaml.Marshal(m.stage())
		if err != nil {
			return err
		}
		documents = append(documents, string(text))
	}
	return os.WriteFile(file, []byte(strings.Join(documents, "\n---\n")), 0o600)
}

// onlyBehaved keeps a stock stage away from pods that have stages of their own.
func onlyBehaved(stock string) (string, error) {
	var stage map[string]any
	if err := yaml.Unmarshal([]byte(stock), &stage); err != nil {
		return "", err
	}
	spec, _ := stage["spec"].(map[string]any)
	selector, _ := spec["selector"].(map[string]any)
	expressions, ok := selector["matchExpressions"].([]any)
	if !ok {
		return "", fmt.Errorf("the stock stage has no selector: %s", stock)
	}
	selector["matchExpressions"] = append(expressions, jq(behaviourWord, "DoesNotExist"))
	text, err := yaml.Marshal(stage)
	return string(text), err
}
