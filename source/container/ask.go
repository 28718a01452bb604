package container

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"bulwark"
	"bulwark/source/internal/engineapi"
)

// rest is how long an engine that does not answer is left alone.
const rest = 5 * time.Second

// engines are what is kept of those that are asked.
type engines struct {
	mu      sync.Mutex
	clients map[string]*engineapi.Client
	tired   map[string]tired
	digests map[string]string // of images, by engine and id
}

// tired is an engine that did not answer.
type tired struct {
	until time.Time
	why   error
}

const maxDigests = 4096

// usual are the sockets that are tried where nobody says which.
var usual = map[string][]string{
	"docker": {"/var/run/docker.sock", "/run/docker.sock"},
	"podman": {"/run/podman/podman.sock"},
}

// sockets are the addresses of an engine.
func (f *Finder) sockets(engine string) []string {
	if f.o.Sockets != nil {
		return f.o.Sockets[engine]
	}
	env := map[string]string{"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"}[engine]
	if host := os.Getenv(env); host != "" && f.o.Root == "/" {
		return []string{host}
	}
	for _, path := range usual[engine] {
		if at := f.at(path); exists(at) {
			return []string{"unix://" + at}
		}
	}
	return nil
}

// ask asks the engines that may know a container.
func (r *reading) ask(ctx context.Context) {
	r.askContainerd(ctx)
	if !isID(r.c.ID) {
		return
	}
	for _, engine := range []string{"docker", "podman"} {
		if r.c.Engine != engine && r.c.Engine != "" && !r.runtime() {
			continue
		}
		hosts := r.f.sockets(engine)
		if len(hosts) == 0 && r.c.Engine == engine && r.c.Image == "" {
			r.why = append(r.why, engine+": it has no socket here")
		}
		for _, host := range hosts {
			if r.askOne(ctx, engine, host) {
				return
			}
		}
	}
}

func (r *reading) askOne(ctx context.Context, engine, host string) bool {
	var d inspected
	err := r.f.get(ctx, host, "/containers/"+r.c.ID+"/json", &d)
	if errors.Is(err, bulwark.ErrNotFound) && r.c.Engine != engine {
		return false // it is another engine's
	}
	if err != nil {
		r.fail(engine+" ("+strings.TrimPrefix(host, "unix://")+")", err)
		return false
	}
	r.engine(engine)
	r.it.plain = false
	r.inspected(&d)
	if r.c.Digest == "" && r.c.ImageID != "" {
		r.c.Digest = r.f.digest(ctx, host, r.c.ImageID, r.c.Image)
	}
	return true
}

// get asks an engine, and leaves one alone for a while that did not answer.
func (f *Finder) get(ctx context.Context, host, path string, into any) error {
	c, err := f.client(ctx, host)
	if err != nil {
		return err
	}
	err = c.Get(ctx, path, into)
	if errors.Is(err, bulwark.ErrUnavailable) && ctx.Err() == nil {
		f.tire(host, err)
	}
	return err
}

func (f *Finder) client(ctx context.Context, host string) (*engineapi.Client, error) {
	if err := f.tired(host); err != nil {
		return nil, err
	}
	e := &f.engines
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.clients[host]; c != nil {
		return c, nil
	}
	c, err := engineapi.Connect(ctx, host)
	if err != nil {
		return nil, err
	}
	c.Slow = f.o.Slow
	e.clients[host] = c
	return c, nil
}

// digest is that of an image's manifest; "": the engine knows none, as of an image that was never in a registry.
func (f *Finder) digest(ctx context.Context, host, id, ref string) string {
	if strings.Trim(strings.TrimPrefix(id, "sha256:"), "0123456789abcdef") != "" {
		return ""
	}
	e := &f.engines
	e.mu.Lock()
	known, ok := e.digests[host+" "+id]
	e.mu.Unlock()
	if ok {
		return known
	}
	var image struct{ RepoDigests []string }
	if err := f.get(ctx, host, "/images/"+id+"/json", &image); err != nil {
		return ""
	}
	for _, d := range image.RepoDigests {
		repo, digest, ok := strings.Cut(d, "@")
		if ok && (known == "" || strings.HasPrefix(ref, repo)) {
			known = clip(digest)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.digests) >= maxDigests {
		clear(e.digests)
	}
	e.digests[host+" "+id] = known
	return known
}

// close lets go of all connections.
func (f *Finder) close() {
	f.engines.mu.Lock()
	defer f.engines.mu.Unlock()
	for _, c := range f.engines.clients {
		c.Close()
	}
}
