package cluster

import (
	"encoding/json"
	"strconv"
	"strings"

	"bulwark/kube"
)

const (
	lastApplied  = "kubectl.kubernetes.io/last-applied-configuration"
	longestText  = 64 << 10 // bytes that are kept of one text
	deepestValue = 100
)

// lean writes objects as a scan and a snapshot have them.
type lean struct {
	secret func(name, value string) bool
	hasher *kube.Hasher
	values bool // of Secrets are read
}

// object is an object without what no check looks at.
func (l *lean) object(r *resource, n *kube.Node) []byte {
	if r.group == "" && r.name == "secrets" {
		return l.secretObject(r, n, "")
	}
	b := l.begin(r, n)
	for name, v := range n.Fields() {
		switch {
		case name == "apiVersion" || name == "kind" || name == "metadata":
		case name == "status":
			b = l.status(b, r, v)
		case name == "binaryData":
			b = keysAlone(b, name, v)
		case r.name == "customresourcedefinitions" && name == "spec":
			b = l.definition(b, v)
		default:
			b = append(appendName(b, name), ':')
			b = l.value(b, name, v, r.group == "" && r.name == "configmaps", 0)
		}
	}
	return append(b, '}')
}

// begin writes what every object has: type and metadata.
func (l *lean) begin(r *resource, n *kube.Node) []byte {
	b := make([]byte, 0, 1024)
	b = append(b, `{"apiVersion":`...)
	b = appendText(b, r.apiVersion())
	b = append(b, `,"kind":`...)
	b = appendText(b, r.kind)
	b = append(b, `,"metadata":{`...)
	meta := n.Get("metadata")
	start := len(b)
	for _, name := range []string{"name", "generateName", "namespace", "uid", "creationTimestamp", "labels"} {
		if v := meta.Get(name); v.Exists() && !(name == "generateName" && meta.Get("name").Exists()) {
			b = v.AppendJSON(append(appendField(b, start, name), ':'))
		}
	}
	if v := meta.Get("annotations"); v.Form() == kube.Map && (v.Len() > 1 || v.Len() == 1 && v.Get(lastApplied) == nil) {
		b = l.annotations(append(appendField(b, start, "annotations"), ':'), v)
	}
	if v := meta.Get("ownerReferences"); v.Form() == kube.List {
		b = owners(append(appendField(b, start, "ownerReferences"), ':'), v)
	}
	return append(b, '}')
}

func (l *lean) annotations(b []byte, n *kube.Node) []byte {
	b = append(b, '{')
	start := len(b)
	for name, v := range n.Fields() {
		if name == lastApplied {
			continue
		}
		b = append(appendField(b, start, name), ':')
		b = appendText(b, l.mask(name, cut(v.Text())))
	}
	return append(b, '}')
}

func owners(b []byte, n *kube.Node) []byte {
	b = append(b, '[')
	for i, ref := range n.Items() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		start := len(b)
		for _, name := range []string{"apiVersion", "kind", "name", "uid", "controller"} {
			if v := ref.Get(name); v.Exists() {
				b = v.AppendJSON(append(appendField(b, start, name), ':'))
			}
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// stateless are kinds whose status no check looks at.
const stateless = "deployments.apps statefulsets.apps daemonsets.apps replicasets.apps replicationcontrollers cronjobs.batch horizontalpodautoscalers.autoscaling poddisruptionbudgets.policy persistentvolumes persistentvolumeclaims resourcequotas customresourcedefinitions.apiextensions.k8s.io validatingadmissionpolicies.admissionregistration.k8s.io certificatesigningrequests.certificates.k8s.io"

func (l *lean) status(b []byte, r *resource, n *kube.Node) []byte {
	switch full := r.String(); {
	case full == "pods":
		return podStatus(b, n)
	case full == "nodes":
		return some(b, "status", n, "nodeInfo", "conditions", "capacity")
	case full == "certificatesigningrequests.certificates.k8s.io", full == "jobs.batch":
		return some(b, "status", n, "conditions")
	case contains(stateless, full):
		return b
	}
	b = append(appendName(b, "status"), ':')
	return l.value(b, "status", n, false, 0)
}

// some writes a field with those of its own fields that are named.
func some(b []byte, field string, n *kube.Node, names ...string) []byte {
	b = append(appendName(b, field), ':', '{')
	start := len(b)
	for _, name := range names {
		if v := n.Get(name); v.Exists() {
			b = v.AppendJSON(append(appendField(b, start, name), ':'))
		}
	}
	return append(b, '}')
}

// value writes a value with its secrets masked. named says that names tell what is a secret
// here: of environment variables, settings, annotations.
func (l *lean) value(b []byte, name string, n *kube.Node, named bool, depth int) []byte {
	switch form := n.Form(); {
	case depth > deepestValue:
		return append(b, "null"...)
	case form == kube.Map:
		return l.fields(b, n, named || isSettings(name), depth)
	case form == kube.List:
		return l.items(b, name, n, named, depth)
	case form == kube.String:
		if !named {
			name = ""
		}
		return appendText(b, l.mask(name, cut(n.Text())))
	case form == kube.Number && named:
		if after := l.mask(name, n.Text()); after != n.Text() {
			return appendText(b, after)
		}
	}
	return n.AppendJSON(b)
}

// isSettings tells whether below a field of that name stand settings of somebody's program.
func isSettings(name string) bool {
	return name == "values" || name == "valuesObject" || name == "stringData"
}

func (l *lean) fields(b []byte, n *kube.Node, named bool, depth int) []byte {
	b = append(b, '{')
	start := len(b)
	of := n.Get("name").Text() // of an environment variable or parameter
	for name, v := range n.Fields() {
		b = append(appendField(b, start, name), ':')
		if name == "value" && of != "" {
			b = l.value(b, of, v, true, depth+1)
			continue
		}
		b = l.value(b, name, v, named, depth+1)
	}
	return append(b, '}')
}

func (l *lean) items(b []byte, name string, n *kube.Node, named bool, depth int) []byte {
	b = append(b, '[')
	before := ""
	for i, item := range n.Items() {
		if i > 0 {
			b = append(b, ',')
		}
		if name == "args" || name == "command" {
			b = l.value(b, strings.TrimLeft(before, "-"), item, strings.HasPrefix(before, "-"), depth+1)
			before = item.Text()
			continue
		}
		b = l.value(b, name, item, named, depth+1)
	}
	return append(b, ']')
}

// appendField appends a field's name, behind a comma unless it is the first since start.
func appendField(b []byte, start int, name string) []byte {
	if len(b) > start {
		b = append(b, ',')
	}
	return appendText(b, name)
}

// appendName appends a field's name behind another field.
func appendName(b []byte, name string) []byte { return appendText(append(b, ','), name) }

// appendText appends a text as JSON.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			q, err := json.Marshal(s)
			if err != nil {
				return strconv.AppendQuote(b, "")
			}
			return append(b, q...)
		}
	}
	b = append(append(append(b, '"'), s...), '"')
	return b
}

// cut keeps the start of a long text, whole lines of it where it has some.
func cut(s string) string {
	if len(s) <= longestText {
		return s
	}
	s = s[:longestText]
	if i := strings.LastIndexByte(s, '\n'); i > 0 {
		return s[:i+1]
	}
	return strings.ToValidUTF8(s, "")
}
