package network

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/kube"
)

// conditions are what one of toPorts asks of a connection besides its ports, each of them.
func (c *cilium) conditions(n *kube.Node, path []any) []string {
	c.unknown(c.o, n, path, "ports", "rules", "terminatingTLS", "originatingTLS", "serverNames", "listener")
	var list []string
	if names := n.Get("serverNames").Strings(); len(names) > 0 {
		list = append(list, "TLS to "+strings.Join(names, " or "))
	}
	if listener := n.Get("listener", "name").Text(); listener != "" {
		list = append(list, "what the listener "+listener+" lets through")
	}
	for kind, rules := range n.Get("rules").Fields() {
		var texts []string
		one := map[string]func(*kube.Node) string{"http": httpText, "dns": dnsText, "kafka": kafkaText}[kind]
		if one == nil {
			if kind != "l7proto" {
				list = append(list, "what "+n.Get("rules", "l7proto").Text()+" rules let through")
			}
			continue
		}
		for _, rule := range rules.Items() {
			texts = append(texts, one(rule))
		}
		if len(texts) > 0 && !slices.Contains(texts, "") { // one that asks for nothing lets all through
			list = append(list, strings.Join(texts, " or "))
		}
	}
	return list
}

func httpText(n *kube.Node) string {
	parts := []string{n.Get("method").Text(), n.Get("path").Text()}
	if host := n.Get("host").Text(); host != "" {
		parts = append(parts, "of "+host)
	}
	for _, h := range n.Get("headers").Strings() {
		parts = append(parts, "with "+h)
	}
	for _, h := range n.Get("headerMatches").Items() {
		parts = append(parts, "with "+h.Get("name").Text())
	}
	return words(parts)
}

func dnsText(n *kube.Node) string {
	name := n.Get("matchName").Text()
	if name == "" {
		name = n.Get("matchPattern").Text()
	}
	if name == "" || name == "*" {
		return ""
	}
	return "DNS of " + name
}

func kafkaText(n *kube.Node) string {
	var parts []string
	for _, field := range []string{"role", "apiKey", "topic", "clientID", "apiVersion"} {
		if v := n.Get(field).Text(); v != "" {
			parts = append(parts, fmt.Sprintf("%s %s", field, v))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Kafka " + strings.Join(parts, " ")
}

// words joins those that are not empty.
func words(list []string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}
