// Package engine judges what the container engines of a machine run, and how they are set:
// what no check of pods can see, because Kubernetes has no such thing.
package engine

import (
	"embed"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

//go:embed cases
var cases embed.FS

const (
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// The pages that several rules refer to.
const (
	docsRun      = "https://docs.docker.com/reference/cli/docker/container/run/"
	docsDaemon   = "https://docs.docker.com/reference/cli/dockerd/"
	docsSecurity = "https://docs.docker.com/engine/security/"
	docsLimits   = "https://docs.docker.com/engine/containers/resource_constraints/"
	docsNetwork  = "https://docs.docker.com/engine/network/drivers/bridge/"
	docsPorts    = "https://docs.docker.com/engine/network/port-publishing/"
	docsUsers    = "https://docs.docker.com/engine/security/userns-remap/"
	docsSocket   = "https://docs.docker.com/engine/security/protect-access/"
	docsLogs     = "https://docs.docker.com/engine/logging/configure/"
)

// New returns the check.
func New() *posture.Family {
	return &posture.Family{
		Name: "check/engine", Summary: "Container engines: how they are set, and what they let containers do that Kubernetes does not know.", Version: 1,
		List: slices.Concat(containerRules, daemonRules, fileRules), Cases: posture.Cases{FS: cases}, Engines: true,
	}
}

// found is what a rule says of an object: a line of evidence for each place.
type found func(o *kube.Object, settings *kube.Node) []string

// container is a rule about every container: it is asked with the field "engine".
func container(r misconfig.Rule, look found) *posture.Rule {
	return &posture.Rule{Rule: r, Kinds: []string{"Pod"}, Object: func(h *posture.Hits, o *kube.Object) {
		tell(h, o, look(o, o.Root.Get("engine")))
	}}
}

// daemon is a rule about every engine that told of its settings. Docker alone has most of them.
func daemon(r misconfig.Rule, look found) *posture.Rule {
	return &posture.Rule{Rule: r, Kinds: []string{"Engine.engine"}, Object: func(h *posture.Hits, o *kube.Object) {
		if o.Name == "docker" && o.Root.Get("known").True() {
			tell(h, o, look(o, o.Root.Get("config")))
		}
	}}
}

func tell(h *posture.Hits, o *kube.Object, lines []string) {
	for _, line := range lines {
		h.Add(posture.Hit{Object: o, Evidence: line})
	}
}

// yes is one line of evidence, when it holds.
func yes(holds bool, evidence string) []string {
	if !holds {
		return nil
	}
	return []string{evidence}
}

// one is the only container of an object.
func one(o *kube.Object) *kube.Node { return o.Root.At("spec", "containers", 0) }

// port is one that is published on the machine.
type port struct {
	inside, outside int64
	address         string
}

func (p port) String() string {
	return "port " + strconv.FormatInt(p.inside, 10) + " is published as " + p.address + ":" + strconv.FormatInt(p.outside, 10)
}

func ports(o *kube.Object) []port {
	var list []port
	for _, n := range one(o).Get("ports").Items() {
		inside, _ := n.Get("containerPort").Int()
		outside, _ := n.Get("hostPort").Int()
		list = append(list, port{inside, outside, n.Get("hostIP").Text()})
	}
	return list
}

// open tells whether a port is there for other machines.
func (p port) open() bool {
	return p.outside > 0 && !strings.HasPrefix(p.address, "127.") && p.address != "::1"
}

// everywhere tells whether a port is on all of the machine's addresses.
func (p port) everywhere() bool {
	return p.outside > 0 && (p.address == "" || p.address == "0.0.0.0" || p.address == "::")
}
