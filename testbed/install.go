// What stands in a fresh cluster, and when it counts as usable.

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// What stands in a fresh cluster: the Gateway API definitions, a default
// StorageClass, a GatewayClass, and the simulated nodes.

const (
	groupsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	yamlType   = "application/yaml"
	jsonType   = "application/json"
)

// installDefinitions creates what the build copied beside this binary from
// the Gateway API's module (standard channel) and waits until it is served.
func installDefinitions(api *apiClient) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(self), "gateway-api", "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no Gateway API definitions beside %s: build it with `cargo xtask testbed build`", self)
	}
	errs := inParallel(files, func(file string) error { return installFile(api, file) })
	if errs != nil {
		return errs
	}
	return awaitDefinitions(api, len(files)-1)
}

// Where each kind of the standard channel is created.
var pathsByKind = map[string]string{
	"CustomResourceDefinition":         groupsPath,
	"ValidatingAdmissionPolicy":        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
	"ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}

func installFile(api *apiClient, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		kind := kindOf(document)
		if kind == "" {
			continue // only comments
		}
		path, ok := pathsByKind[kind]
		if !ok {
			return fmt.Errorf("%s: no known path for kind %s", file, kind)
		}
		if err := api.create(path, yamlType, document); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// kindOf reads the one top-level line; the files are generated and write it so.
func kindOf(document []byte) string {
	for _, line := range bytes.Split(document, []byte("\n")) {
		if kind, ok := bytes.CutPrefix(line, []byte("kind: ")); ok {
			return string(bytes.TrimSpace(kind))
		}
	}
	return ""
}

func awaitDefinitions(api *apiClient, atLeast int) error {
	var last error
	if api.await(20*time.Second, func() bool {
		var list struct {
			Items []struct {
				Status struct{ Conditions []condition }
			}
		}
		if last = api.get(groupsPath, &list); last != nil {
			return false
		}
		for _, item := range list.Items {
			if !holds(item.Status.Conditions, "Established") {
				return false
			}
		}
		return len(list.Items) >= atLeast
	}) {
		return nil
	}
	return errors.Join(errors.New("the Gateway API definitions were not established in 20 s"), last)
}

// installClasses creates what stages.go plays the controllers of.
func installClasses(api *apiClient) error {
	storage := object("storage.k8s.io/v1", "StorageClass", "testbed", map[string]any{
		"provisioner": provisioner, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "allowVolumeExpansion": true,
	})
	storage["metadata"].(map[string]any)["annotations"] = map[string]any{"storageclass.kubernetes.io/is-default-class": "true"}
	gateway := object("gateway.networking.k8s.io/v1", "GatewayClass", "testbed", map[string]any{
		"spec": map[string]any{"controllerName": gatewayController},
	})
	return errors.Join(
		installGatewayRights(api),
		createObject(api, "/apis/storage.k8s.io/v1/storageclasses", storage),
		createObject(api, "/apis/gateway.networking.k8s.io/v1/gatewayclasses", gateway),
	)
}

// installGatewayRights lets the user as whom the gateway stages write do so.
func installGatewayRights(api *apiClient) error {
	const group, name = "rbac.authorization.k8s.io", "testbed-gateway"
	role := object(group+"/v1", "ClusterRole", name, map[string]any{"rules": []any{map[string]any{
		"apiGroups": []any{"gateway.networking.k8s.io"},
		"resources": []any{"gatewayclasses/status", "gateways/status", "httproutes/status"},
		"verbs":     []any{"patch"},
	}}})
	binding := object(group+"/v1", "ClusterRoleBinding", name, map[string]any{
		"roleRef":  map[string]any{"apiGroup": group, "kind": "ClusterRole", "name": name},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "namespace": "envoy-gateway-system", "name": "envoy-gateway"}},
	})
	return errors.Join(
		createObject(api, "/apis/"+group+"/v1/clusterroles", role),
		createObject(api, "/apis/"+group+"/v1/clusterrolebindings", binding),
	)
}

// installNodes creates nodes that are large enough for any test and lie in
// three zones. They carry more pods than a kubelet would: it is the API
// server's load that tests are about.
func installNodes(api *apiClient, count int) error {
	numbers := make([]int, count)
	for i := range numbers {
		numbers[i] = i
	}
	room := map[string]any{"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "2000"}
	return inParallel(numbers, func(i int) error {
		name := fmt.Sprintf("node-%d", i+1)
		addresses := []any{
			map[string]any{"type": "Hostname", "address": name},
			// From the range for benchmarks (RFC 2544): nobody's network.
			map[string]any{"type": "InternalIP", "address": fmt.Sprintf("198.18.%d.%d", i/250, i%250+1)},
		}
		node := object("v1", "Node", name, map[string]any{
			"status": map[string]any{"allocatable": room, "capacity": room, "addresses": addresses},
		})
		node["metadata"].(map[string]any)["labels"] = map[string]any{
			"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
			"topology.kubernetes.io/region": "testbed", "topology.kubernetes.io/zone": fmt.Sprintf("zone-%c", 'a'+i%3),
		}
		return createObject(api, "/api/v1/nodes", node)
	})
}

// awaitUsable returns when a pod created now would run: every node is Ready
// without a taint, and the default namespace has its ServiceAccount.
func awaitUsable(api *apiClient, nodes int, limit time.Duration) error {
	var last error
	if api.await(limit, func() bool {
		var usable int
		usable, last = usableNodes(api)
		if last == nil && usable < nodes {
			last = fmt.Errorf("%d of %d nodes are Ready", usable, nodes)
		}
		if last == nil {
			last = api.get("/api/v1/namespaces/default/serviceaccounts/default", &struct{}{})
		}
		return last == nil
	}) {
		return nil
	}
	return last
}

// awaitRouteSchema returns when the API server publishes the schema of the routes
// whose status a stage writes; that is some time after it serves them.
func awaitRouteSchema(api *apiClient, limit time.Duration) error {
	const group = "apis/gateway.networking.k8s.io/v1"
	if api.await(limit, func() bool {
		var schemas struct {
			Paths map[string]struct{} `json:"paths"`
		}
		if api.get("/openapi/v3", &schemas) != nil {
			return false
		}
		_, published := schemas.Paths[group]
		return published
	}) {
		return nil
	}
	return fmt.Errorf("the API server does not publish the schema of %s", group)
}

func usableNodes(api *apiClient) (int, error) {
	var list struct {
		Items []struct {
			Spec   struct{ Taints []struct{ Key string } }
			Status struct{ Conditions []condition }
		}
	}
	err := api.get("/api/v1/nodes", &list)
	usable := 0
	for _, node := range list.Items {
		if holds(node.Status.Conditions, "Ready") && len(node.Spec.Taints) == 0 {
			usable++
		}
	}
	return usable, err
}

type condition struct{ Type, Status string }

func holds(conditions []condition, kind string) bool {
	for _, c := range conditions {
		if c.Type == kind && c.Status == "True" {
			return true
		}
	}
	return false
}

func object(version, kind, name string, fields map[string]any) map[string]any {
	fields["apiVersion"], fields["kind"] = version, kind
	fields["metadata"] = map[string]any{"name": name}
	return fields
}

func createObject(api *apiClient, path string, fields map[string]any) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return api.create(path, jsonType, text)
}

// inParallel runs eight at a time; more do not help the server.
func inParallel[T any](items []T, work func(T) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, 8)
	var group sync.WaitGroup
	for i, item := range items {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer group.Done()
			errs[i] = work(item)
			<-slots
		}()
	}
	group.Wait()
	return errors.Join(errs...)
}
