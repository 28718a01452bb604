package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
)

const mostNodes = 20000

// object reads one object.
func (c *client) object(ctx context.Context, path string) (n *kube.Node, err error) {
	err = c.get(ctx, path, nil, asJSON, func(r io.Reader) error {
		b, err := limit.ReadAll(r, maxObject, path)
		if err != nil {
			return err
		}
		n, err = kube.ParseJSON(b)
		return err
	})
	return n, err
}

// kubelets asks the kubelets of all nodes for their settings. Those that are the same on
// several nodes are one object, named by the first, with the number of the others.
func (r *reading) kubelets(ctx context.Context) error {
	type group struct {
		node   string
		others int
		config []byte
	}
	byText := map[string]*group{}
	var groups []*group
	failed, last := 0, error(nil)
	for _, node := range r.nodes(ctx) {
		n, err := r.c.object(ctx, "/api/v1/nodes/"+node+"/proxy/configz")
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		config := n.Get("kubeletconfig")
		if err == nil && config.Form() != kube.Map {
			err = fmt.Errorf("the kubelet's settings: %w", bulwark.ErrMalformed)
		}
		if err != nil {
			failed, last = failed+1, err
			continue
		}
		text := config.JSON()
		if g := byText[string(text)]; g != nil {
			g.others++
			continue
		}
		g := &group{node: node, config: text}
		byText[string(text)] = g
		groups = append(groups, g)
	}
	if failed > 0 {
		r.unseen["nodes/proxy"] = last.Error()
		r.note("the settings of %d kubelets could not be read: %v", failed, last)
	}
	for _, g := range groups {
		if err := r.give(r.lean.kubelet(g.node, g.others, g.config)); err != nil {
			return err
		}
	}
	return nil
}

// nodes are the names of the cluster's nodes.
func (r *reading) nodes(ctx context.Context) (names []string) {
	for _, res := range r.chosen(func(full string) bool { return full == "nodes" }) {
		_, err := r.c.list(ctx, query{resource: &res, accept: asPartialList}, func(n *kube.Node) error {
			if name := n.Get("metadata", "name").Text(); plain(name) && name != "" && len(names) < mostNodes {
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			r.note("could not list nodes to ask their kubelets: %v", err)
		}
	}
	return names
}

// kubelet makes an object of settings, as a file of them is one. Headers that a kubelet sends
// hold credentials.
func (l *lean) kubelet(node string, others int, config []byte) []byte {
	name, err := json.Marshal(node)
	if err != nil {
		return nil
	}
	b := []byte(`{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","metadata":{"name":`)
	b = append(b, name...)
	b = append(b, `,"annotations":{"bulwark/other-nodes":"`...)
	b = strconv.AppendInt(b, int64(others), 10)
	b = append(b, `"}}`...)
	root, err := kube.ParseJSON(config)
	if err != nil {
		return append(b, '}')
	}
	for field, v := range root.Fields() {
		switch field {
		case "apiVersion", "kind", "metadata":
		case "staticPodURLHeader":
			b = keysAlone(b, field, v)
		default:
			b = l.value(append(appendName(b, field), ':'), field, v, false, 0)
		}
	}
	return append(b, '}')
}
