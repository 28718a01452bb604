package paths

import (
	"fmt"
	"strings"

	"bulwark"
	"bulwark/report/internal/text"
)

// title is a vertex as people read it: "Deployment shop/cart", "the internet".
func title(v bulwark.VertexID) string {
	kind, name, ok := strings.Cut(text.Clean(string(v)), ":")
	if !ok {
		if kind == "internet" {
			return "the internet"
		}
		return kind
	}
	switch kind {
	case "workload":
		return object(name)
	case "container", "volume":
		if part, of := within(name); part != "" {
			return kind + " " + part + " of " + of
		}
	case "endpoint":
		if part, of := within(name); part != "" {
			return "ports of container " + part + " of " + of
		}
		return "ports of " + object(name)
	case "account":
		return "service account " + name
	case "secret":
		return "Secret " + name
	case "configmap":
		return "ConfigMap " + name
	case "permission":
		role, _, _ := strings.Cut(name, " in ")
		if strings.HasPrefix(role, "ClusterRole/") {
			return strings.Replace(name, "/", " ", 1)
		}
		return object(role)
	case "identity":
		if name == "CI runner" {
			return "a CI runner"
		}
		return name
	case "cloud":
		return "cloud " + strings.TrimPrefix(name, "*/")
	case "node":
		if name == "*" {
			return "any node"
		}
		if name == "control-plane" {
			return "the control plane's node"
		}
	}
	return kind + " " + name
}

// within takes "shop/Deployment/cart/app" apart into "app" and the title of what it is in; part
// is "" where there are not that many.
func within(name string) (part, of string) {
	at := strings.LastIndexByte(name, '/')
	if strings.Count(name, "/") < 3 {
		return "", ""
	}
	return name[at+1:], object(name[:at])
}

// object is "shop/Deployment/cart" as "Deployment shop/cart".
func object(id string) string {
	parts := strings.SplitN(id, "/", 3)
	switch len(parts) {
	case 2:
		return parts[0] + " " + parts[1]
	case 3:
		return parts[1] + " " + parts[0] + "/" + parts[2]
	}
	return id
}

// where is a place as file:line.
func where(p *bulwark.Place) string {
	switch {
	case p == nil || p.Path == "":
		return ""
	case p.Line == 0:
		return text.Clean(p.Path)
	}
	return fmt.Sprintf("%s:%d", text.Clean(p.Path), p.Line)
}

// kindOf is the part of a name before the colon.
func kindOf(v bulwark.VertexID) string {
	k, _, _ := strings.Cut(string(v), ":")
	return k
}
