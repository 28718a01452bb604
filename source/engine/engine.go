// Package engine reads what the container engines of this machine run, Docker and Podman, by
// their HTTP sockets: each container as the Pod that would be the same in Kubernetes, so that
// the same checks judge it, and each engine's own settings.
//
// What a Pod cannot say stands in the field "engine" of the object, and the engine itself is an
// object of the kind Engine. Values of environment variables are never taken.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/source/internal/engineapi"
)

const name = "source/engine"

// Budgets of one engine.
const (
	maxContainers = 2000
	maxTold       = 1 << 19 // values that are told of them together, about
	givenUp       = 3       // containers in a row that are not told: the others are not asked for
)

// Source opens the engines of this machine; a reference is "docker", "podman", or anything
// else for both.
type Source struct {
	// Sockets are the addresses to try, by engine: unix:///path or tcp://host:port. nil: as the
	// environment says (DOCKER_HOST, CONTAINER_HOST), else the usual ones.
	Sockets map[string][]string
	// Config is Docker's daemon.json; "" is the usual one, and only read when the engine is
	// reached by the usual socket.
	Config string
}

var _ bulwark.Source = (*Source)(nil)

// Open asks the engines. The error wraps ErrUnavailable when none answers.
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	host, _ := os.Hostname()
	t := &bulwark.Target{Asset: bulwark.Asset{ID: bulwark.AssetID("engine:" + host), Kind: "engine", Name: host, Labels: map[string]string{}}}
	set := &kube.Set{Engine: true}
	var failed []error
	seen := map[string]bool{}
	for _, kind := range []string{"docker", "podman"} {
		if ref != kind && (ref == "docker" || ref == "podman") {
			continue
		}
		r := &reading{kind: kind, set: set, config: s.Config, seen: seen}
		if err := s.ask(ctx, r); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			failed = append(failed, err)
			continue
		}
		t.Notes = append(t.Notes, r.notes...)
		t.Asset.Labels[r.kind] = r.version
	}
	if len(t.Asset.Labels) == 0 {
		return nil, fmt.Errorf("no container engine answers: %w", together(failed))
	}
	for _, err := range failed {
		if !errors.Is(err, errNoSocket) {
			t.Notes = append(t.Notes, bulwark.Note{Plugin: name, Text: err.Error(), Incomplete: true})
		}
	}
	t.Objects = set
	return t, nil
}

// ask reads all that one kind of engine tells.
func (s *Source) ask(ctx context.Context, r *reading) error {
	hosts, err := s.hosts(r.kind)
	if err != nil {
		return err
	}
	var failed error
	for _, host := range hosts {
		c, err := engineapi.Connect(ctx, host)
		if err == nil {
			err = r.read(ctx, c)
			c.Close()
		}
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", strings.TrimPrefix(host, "unix://"), err))
	}
	return failed
}

// reading is what is read of one engine.
type reading struct {
	kind, version string
	config        string
	usual         bool // it is reached by its usual socket
	set           *kube.Set
	notes         []bulwark.Note
	seen          map[string]bool // containers and engines, by id
}

func (r *reading) note(format string, args ...any) {
	r.notes = append(r.notes, bulwark.Note{Plugin: name, Text: r.kind + ": " + fmt.Sprintf(format, args...), Incomplete: true})
}

func (r *reading) read(ctx context.Context, c *engineapi.Client) error {
	r.usual = c.Usual
	var v version
	if err := c.Get(ctx, "/version", &v); err != nil {
		return err
	}
	if v.Version == "" && v.APIVersion == "" {
		return fmt.Errorf("what answers says no version, and is no engine: %w", bulwark.ErrMalformed)
	}
	r.version = v.Version
	if v.podman() {
		r.kind = "podman" // its socket may be where Docker's is
	}
	if r.seen[r.kind] {
		return nil // the same engine, by another socket
	}
	r.seen[r.kind] = true
	var info info
	if err := c.Get(ctx, "/info", &info); err != nil {
		r.note("its settings were not told: %v", err)
	}
	var bridge network
	if err := c.Get(ctx, "/networks/bridge", &bridge); err != nil && !errors.Is(err, bulwark.ErrNotFound) {
		r.note("its default network was not told: %v", err)
	}
	r.daemon(&v, &info, &bridge)
	return r.containers(ctx, c, &info)
}

func (r *reading) containers(ctx context.Context, c *engineapi.Client, info *info) error {
	var list []struct {
		ID string `json:"Id"`
	}
	err := c.Get(ctx, "/containers/json", &list)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		r.note("its containers were not told: %v", err)
		return nil
	}
	if len(list) > maxContainers {
		r.note("%d containers run, and %d of them were looked at", len(list), maxContainers)
		list = list[:maxContainers]
	}
	told, failed := 0, 0
	for i, one := range list {
		size, err := r.one(ctx, c, one.ID, info)
		if told += size; told > maxTold && err == nil && i < len(list)-1 {
			r.note("%d more containers were not asked for: what was told of %d is more than %d values: %v", len(list)-i-1, i+1, maxTold, bulwark.ErrLimit)
			return nil
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			failed = 0
			continue
		}
		r.note("container %.12q: %v", one.ID, err)
		if failed++; !errors.Is(err, bulwark.ErrUnavailable) {
			failed = 0
		}
		if left := len(list) - i - 1; left > 0 && failed == givenUp {
			r.note("%d more containers were not asked for", left)
			return nil
		}
	}
	return nil
}

// one reads one container, and says how many values were told of it.
func (r *reading) one(ctx context.Context, c *engineapi.Client, id string, info *info) (size int, err error) {
	if !isID(id) {
		return 0, fmt.Errorf("its id is none: %w", bulwark.ErrMalformed)
	}
	if r.seen[id] {
		return 0, nil
	}
	r.seen[id] = true
	var d container
	size, err = c.Measured(ctx, "/containers/"+id+"/json", &d)
	if errors.Is(err, bulwark.ErrNotFound) {
		return 0, nil // it has ended
	}
	if err != nil {
		return size, err
	}
	d.ID = id
	return size, r.container(&d, info)
}

func isID(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}

// add takes an object made of values.
func (r *reading) add(values map[string]any, namespace string) error {
	root, err := kube.Apply(nil, []kube.Edit{kube.Put(values)})
	if err != nil {
		return err
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	if !ok {
		return fmt.Errorf("%w: it makes no object", bulwark.ErrMalformed)
	}
	o.Namespace = namespace
	r.set.Objects = append(r.set.Objects, o)
	return nil
}

// together is one error of several, on one line.
func together(list []error) error {
	err := list[0]
	for _, next := range list[1:] {
		err = fmt.Errorf("%w; %w", err, next)
	}
	return err
}
