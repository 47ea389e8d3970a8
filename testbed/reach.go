// `reach`: who may connect to whom, decided from the NetworkPolicies in the cluster.

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// Nothing enforces policies here, so cyclonus decides from the objects that
// the API server holds, as a network plugin would: every running pod with
// every other one, and with the addresses outside that are asked about.

// A connection is one line of the answer: on which ports each end lets it through.
type connection struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	Egress  []string `json:"egress"`  // by the policies of From; an address has none
	Ingress []string `json:"ingress"` // by the policies of To
}

// An asked port is written PROTOCOL/NUMBER.
type askedPort struct {
	protocol corev1.Protocol
	number   int
}

func (p askedPort) String() string { return fmt.Sprintf("%s/%d", p.protocol, p.number) }

// An end is a pod or an address outside.
type end struct {
	name string
	peer *matcher.TrafficPeer
	// How policies call the ports of this pod that have a name.
	portNames map[askedPort]string
}

func reach(args []string) int {
	flags := flag.NewFlagSet("reach", flag.ContinueOnError)
	dir := flags.String("dir", os.Getenv("TESTBED_DIR_FOR_TESTS"), "folder of the cluster")
	ports := flags.String("ports", "", "what is tried, such as TCP/8080,UDP/53")
	addresses := flags.String("addresses", "", "addresses outside the cluster, separated by commas")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	if err := (layout{dir: *dir}).reach(*ports, *addresses); err != nil {
		return complain("reach", err)
	}
	return 0
}

func (l layout) reach(ports, addresses string) error {
	asked, err := parsePorts(ports)
	if err != nil {
		return err
	}
	outside, err := outsideEnds(addresses)
	if err != nil {
		return err
	}
	state, err := l.live()
	if err != nil {
		return err
	}
	api, err := newAPIClient(l, state.Server)
	if err != nil {
		return err
	}
	pods, err := podEnds(api)
	if err != nil {
		return err
	}
	policies, err := readPolicies(api)
	if err != nil {
		return err
	}
	return printConnections(decide(policies, pods, outside, asked))
}

func parsePorts(list string) ([]askedPort, error) {
	var ports []askedPort
	for _, word := range words(list) {
		protocol, text, _ := strings.Cut(word, "/")
		number, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%q is no port; write TCP/8080 or UDP/53", word)
		}
		ports = append(ports, askedPort{corev1.Protocol(protocol), int(number)})
	}
	if len(ports) == 0 {
		return nil, errors.New("say which ports: --ports TCP/8080,UDP/53")
	}
	return ports, nil
}

func outsideEnds(list string) ([]end, error) {
	var ends []end
	for _, word := range words(list) {
		if net.ParseIP(word) == nil {
			return nil, fmt.Errorf("%q is no address", word)
		}
		ends = append(ends, end{name: word, peer: &matcher.TrafficPeer{IP: word}})
	}
	return ends, nil
}

func words(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(word string) bool { return word == "" })
}

// podEnds are the pods that run; others have no address.
func podEnds(api *apiClient) ([]end, error) {
	var namespaces corev1.NamespaceList
	var pods corev1.PodList
	if err := errors.Join(api.get("/api/v1/namespaces", &namespaces), api.get("/api/v1/pods", &pods)); err != nil {
		return nil, err
	}
	labels := map[string]map[string]string{}
	for _, namespace := range namespaces.Items {
		labels[namespace.Name] = namespace.Labels
	}
	var ends []end
	for _, pod := range pods.Items {
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" || pod.DeletionTimestamp != nil {
			continue
		}
		internal := &matcher.InternalPeer{
			Namespace: pod.Namespace, NamespaceLabels: labels[pod.Namespace], PodLabels: pod.Labels,
		}
		ends = append(ends, end{
			name:      pod.Namespace + "/" + pod.Name,
			peer:      &matcher.TrafficPeer{Internal: internal, IP: pod.Status.PodIP},
			portNames: portNames(pod),
		})
	}
	return ends, nil
}

func portNames(pod corev1.Pod) map[askedPort]string {
	names := map[askedPort]string{}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			names[askedPort{port.Protocol, int(port.ContainerPort)}] = port.Name
		}
	}
	return names
}

func readPolicies(api *apiClient) (*matcher.Policy, error) {
	var list networkingv1.NetworkPolicyList
	if err := api.get("/apis/networking.k8s.io/v1/networkpolicies", &list); err != nil {
		return nil, err
	}
	var policies []*networkingv1.NetworkPolicy
	for i := range list.Items {
		policies = append(policies, &list.Items[i])
	}
	return matcher.BuildNetworkPolicies(false, policies), nil
}

// decide leaves out what no policy could decide: a pod with itself, two addresses outside.
func decide(policies *matcher.Policy, pods, outside []end, ports []askedPort) []connection {
	var connections []connection
	for _, from := range slices.Concat(pods, outside) {
		for _, to := range slices.Concat(pods, outside) {
			if from.name == to.name || from.peer.Internal == nil && to.peer.Internal == nil {
				continue
			}
			c := connection{From: from.name, To: to.name, Egress: []string{}, Ingress: []string{}}
			for _, port := range ports {
				allowed := policies.IsTrafficAllowed(&matcher.Traffic{
					Source: from.peer, Destination: to.peer,
					ResolvedPort: port.number, ResolvedPortName: to.portNames[port], Protocol: port.protocol,
				})
				if allowed.Egress.IsAllowed() {
					c.Egress = append(c.Egress, port.String())
				}
				if allowed.Ingress.IsAllowed() {
					c.Ingress = append(c.Ingress, port.String())
				}
			}
			connections = append(connections, c)
		}
	}
	return connections
}

func printConnections(connections []connection) error {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for _, c := range connections {
		if err := encoder.Encode(c); err != nil {
			return err
		}
	}
	return out.Flush()
}
