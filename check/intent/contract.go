// Package intent holds what policies let through against a contract of intended flows.
package intent

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/network"
	"bulwark/network/reason"
)

// Contract is the flows that are meant to be: all that a cluster needs, and no more.
type Contract struct {
	File  string
	Flows []Flow
}

// Flow is that some may connect to others on some ports.
type Flow struct {
	Name     string
	Line     int
	From, To []peer
	// Ports are those that are meant; Any is true when none were named.
	Ports network.Ports
	Any   bool
	// Optional flows may be closed.
	Optional bool
}

// peer is who is at an end of a flow. All that is given must hold.
type peer struct {
	any        bool
	controller bool
	workload   string // glob of name, namespace/name or namespace/name[Kind]
	namespace  string // glob
	pods       labels.Selector
	spaces     labels.Selector
	blocks     []network.Block
}

const (
	mostBytes = 2 << 20
	mostFlows = 10_000
)

// Load reads a contract. An error says the line, and wraps [bulwark.ErrMalformed],
// [bulwark.ErrNotFound] or [bulwark.ErrLimit].
func Load(file string) (*Contract, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: %w", file, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, file)
}

// Read reads a contract; file is its name in what is said of it.
func Read(r io.Reader, file string) (*Contract, error) {
	data, err := limit.ReadAll(r, mostBytes, file)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file, bulwark.ErrMalformed, err)
	}
	p := &parser{file: file, c: &Contract{File: file}}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s: it is empty; write flows: [] when nothing is meant to be: %w", file, bulwark.ErrMalformed)
	}
	p.fields(doc.Content[0], func(key string, n *yaml.Node) bool {
		if key != "flows" {
			return false
		}
		for _, item := range p.items(n) {
			p.flow(item)
		}
		return true
	})
	if len(p.c.Flows) > mostFlows {
		return nil, fmt.Errorf("%s: more than %d flows: %w", file, mostFlows, bulwark.ErrLimit)
	}
	return p.c, p.err
}

// parser keeps the first thing that is wrong.
type parser struct {
	file string
	c    *Contract
	err  error
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%s:%d: %s: %w", p.file, n.Line, fmt.Sprintf(format, args...), bulwark.ErrMalformed)
	}
}

// fields gives the fields of a map; take says whether it knows one.
func (p *parser) fields(n *yaml.Node, take func(key string, n *yaml.Node) bool) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, "fields are wanted here, as in \"flows:\"")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !take(key.Value, n.Content[i+1]) {
			p.fail(key, "unknown field %q", key.Value)
		}
	}
}

// items gives the items of a list; what is none is a list of itself.
func (p *parser) items(n *yaml.Node) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode:
		return n.Content
	case n.Tag == "!!null":
		return nil
	}
	return []*yaml.Node{n}
}

func (p *parser) flow(n *yaml.Node) {
	f := Flow{Line: n.Line, Any: true}
	p.fields(n, func(key string, v *yaml.Node) bool {
		switch key {
		case "name":
			f.Name = v.Value
		case "from", "to":
			var list []peer
			for _, item := range p.items(v) {
				list = append(list, p.peer(item))
			}
			if key == "from" {
				f.From = list
			} else {
				f.To = list
			}
		case "ports":
			f.Any = false
			for _, item := range p.items(v) {
				ports, err := network.ParsePorts(item.Value)
				if err != nil {
					p.fail(item, "%q is no port: say 80, tcp/8080-8090 or UDP 53", item.Value)
				}
				f.Ports = f.Ports.Union(ports)
			}
			f.Any = f.Ports.Empty()
		case "optional":
			if err := v.Decode(&f.Optional); err != nil {
				p.fail(v, "optional is true or false")
			}
		case "reason", "owner": // for people
		default:
			return false
		}
		return true
	})
	if f.Any {
		f.Ports = network.AllPorts()
	}
	if len(f.From) == 0 || len(f.To) == 0 {
		p.fail(n, "a flow has from and to")
	}
	anybody := func(p peer) bool { return p.any }
	f.Optional = f.Optional || slices.ContainsFunc(f.From, anybody) || slices.ContainsFunc(f.To, anybody) // nobody in particular needs it
	p.c.Flows = append(p.c.Flows, f)
}

func (p *parser) peer(n *yaml.Node) peer {
	if n.Kind == yaml.ScalarNode {
		return p.word(n)
	}
	var who peer
	p.fields(n, func(key string, v *yaml.Node) bool {
		switch key {
		case "workload":
			who.workload = p.glob(v)
		case "namespace":
			who.namespace = p.glob(v)
		case "selector", "podSelector":
			who.pods = p.selector(v)
		case "namespaceSelector":
			who.spaces = p.selector(v)
		case "cidr":
			for _, item := range p.items(v) {
				who.blocks = append(who.blocks, p.word(item).blocks...)
			}
			if len(who.blocks) == 0 {
				p.fail(v, "cidr is a block of addresses, as 10.0.0.0/8")
			}
		default:
			return false
		}
		return true
	})
	if len(who.blocks) > 0 && (who.workload != "" || who.namespace != "" || who.pods != nil || who.spaces != nil) {
		p.fail(n, "an end of a flow is workloads or addresses: write two items of a list")
	}
	return who
}

// word reads a peer that is one word: any, internet, ingress-controller, a CIDR or a glob.
func (p *parser) word(n *yaml.Node) peer {
	word := strings.TrimSpace(n.Value)
	switch word {
	case "any":
		return peer{any: true}
	case "internet":
		return peer{blocks: everywhere()}
	case "ingress-controller", "{ingress-controller}":
		return peer{controller: true}
	}
	if prefix, err := netip.ParsePrefix(word); err == nil {
		return peer{blocks: reason.Addresses(prefix).Blocks}
	}
	if a, err := netip.ParseAddr(word); err == nil {
		return peer{blocks: []network.Block{{First: a.Unmap(), Last: a.Unmap()}}}
	}
	space, _, two := strings.Cut(word, "/")
	if _, err := netip.ParseAddr(space); err == nil {
		p.fail(n, "invalid CIDR %q", word)
	}
	if !two {
		p.fail(n, "%q is no end of a flow: say namespace/name (* and ? are globs), a CIDR, internet, ingress-controller or any", word)
	}
	return peer{workload: p.glob(n)}
}

// everywhere is every address that is not of a private network: also those that are nobody's.
func everywhere() []network.Block {
	list := slices.DeleteFunc(reason.Internet().Blocks, func(b network.Block) bool { return b.First.Is6() })
	list[0].First = netip.IPv4Unspecified()
	last := &list[len(list)-1]
	last.Last = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	for _, text := range []string{"127.0.0.0/8", "198.18.0.0/15", "::/0"} {
		list = append(list, reason.Addresses(netip.MustParsePrefix(text)).Blocks...)
	}
	return list
}

func (p *parser) glob(n *yaml.Node) string {
	if _, err := path.Match(escaped(n.Value), ""); err != nil || n.Kind != yaml.ScalarNode || n.Value == "" {
		p.fail(n, "%q is no glob", n.Value)
	}
	return n.Value
}

// escaped makes the brackets of shop/web[Deployment] what they are.
func escaped(glob string) string { return strings.NewReplacer("[", `\[`, "]", `\]`).Replace(glob) }

func (p *parser) selector(n *yaml.Node) labels.Selector {
	var raw struct {
		MatchLabels      map[string]string `yaml:"matchLabels"`
		MatchExpressions []struct {
			Key      string   `yaml:"key"`
			Operator string   `yaml:"operator"`
			Values   []string `yaml:"values"`
		} `yaml:"matchExpressions"`
	}
	p.fields(n, func(key string, _ *yaml.Node) bool {
		return slices.Contains([]string{"matchLabels", "matchExpressions"}, key)
	})
	if err := n.Decode(&raw); err != nil {
		p.fail(n, "no label selector: %v", err)
	}
	s := metav1.LabelSelector{MatchLabels: raw.MatchLabels}
	for _, e := range raw.MatchExpressions {
		s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{Key: e.Key, Operator: metav1.LabelSelectorOperator(e.Operator), Values: e.Values})
	}
	selector, err := metav1.LabelSelectorAsSelector(&s)
	if err != nil {
		p.fail(n, "%v", err)
		return labels.Nothing()
	}
	return selector
}

// matches tells whether a workload is the peer. spaces are the labels of namespaces.
func (w *peer) matches(e *network.Endpoint, spaces map[string]map[string]string) bool {
	switch {
	case w.any:
		return true
	case w.controller || e.Outside:
		return w.controller && e.Outside
	case len(w.blocks) > 0:
		return false
	}
	if w.workload != "" && !globs(w.workload, e.Namespace+"/"+e.Name) && !globs(w.workload, e.String()) && !globs(w.workload, e.Name) {
		return false
	}
	return (w.namespace == "" || globs(w.namespace, e.Namespace)) && (w.pods == nil || w.pods.Matches(labels.Set(e.Labels))) &&
		(w.spaces == nil || w.spaces.Matches(labels.Set(spaces[e.Namespace])))
}

func globs(glob, name string) bool {
	ok, _ := path.Match(escaped(glob), name)
	return ok
}
