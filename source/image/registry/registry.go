// Package registry opens images in a registry that speaks the distribution protocol
// (https://github.com/opencontainers/distribution-spec). Layers are streamed; every
// manifest, configuration and layer is checked against its digest.
//
// Credentials are those of the fields, else of the environment (BULWARK_USERNAME with
// BULWARK_PASSWORD, or BULWARK_REGISTRY_TOKEN), else what docker or podman keep for the
// registry, credential helpers included. They go to the registry that the reference
// names, and to the token service that it names, and nowhere else.
package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"bulwark"
	"bulwark/source/image"
	"bulwark/source/image/internal/oci"
)

// Source opens image references. The zero value works.
type Source struct {
	Platform           string // OS/ARCH[/VARIANT]; empty: Linux on this architecture
	Username, Password string
	Token              string              // a bearer token, instead of the above
	PlainHTTP          []string            // hosts, with their port if any, that are asked without TLS when they do not speak it
	CAFile             string              // PEM certificates that are trusted besides the system's
	Mirrors            map[string][]string // by registry: HOST[:PORT][/PREFIX], asked first, in this order
	Stall              time.Duration       // how long a peer may keep silent; 0 means 30 s
	// Foreign says that references come from a target and not from the user: registries
	// at addresses that are not public are then refused with ErrUntrusted.
	Foreign bool

	// For tests.
	sleep func(context.Context, time.Duration) error
}

var _ bulwark.Source = (*Source)(nil)

// Open reads index, manifest and configuration. See [bulwark.Source]: ErrUntrusted is
// returned for refused credentials, too.
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	p, err := oci.ParsePlatform(s.Platform)
	if err != nil {
		return nil, err
	}
	r, err := image.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, e := range s.endpoints(r) {
		t, err := s.open(ctx, e, ref, r.Identifier(), p)
		if err == nil {
			return t, nil
		}
		failed = append(failed, fmt.Errorf("image %s at %s: %w", r, e.host, err))
		if ctx.Err() != nil {
			break
		}
	}
	// The registry itself has the last word on what is wrong; mirrors may be anything.
	last := failed[len(failed)-1]
	if len(failed) > 1 {
		return nil, fmt.Errorf("%w (mirrors failed before: %v)", last, errors.Join(failed[:len(failed)-1]...))
	}
	return nil, last
}

// Digest asks the registry itself what a reference means now: the digest of its index or
// manifest.
func (s *Source) Digest(ctx context.Context, ref string) (string, error) {
	r, err := image.ParseReference(ref)
	if err != nil {
		return "", err
	}
	c, err := s.connect(ctx, endpoint{host: r.Registry, repository: r.Repository})
	if err != nil {
		return "", fmt.Errorf("image %s: %w", r, err)
	}
	defer c.close()
	d, err := c.root(ctx, r.Identifier())
	if err != nil {
		return "", fmt.Errorf("image %s: %w", r, err)
	}
	return d.Digest, nil
}

func (s *Source) open(ctx context.Context, e endpoint, ref, id string, p oci.Platform) (*bulwark.Target, error) {
	c, err := s.connect(ctx, e)
	if err != nil {
		return nil, err
	}
	t, err := c.open(ctx, ref, id, p)
	if err != nil {
		c.close()
		return nil, err
	}
	t.Close = func() error { c.close(); return nil }
	return t, nil
}

func (c *client) open(ctx context.Context, ref, id string, p oci.Platform) (*bulwark.Target, error) {
	root, err := c.root(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := oci.Resolve(ctx, c, []oci.Descriptor{root}, p)
	if err != nil {
		return nil, err
	}
	m.Ref = ref
	return m.Target(p)
}

// endpoint is a place that has the repository.
type endpoint struct {
	host, repository string
	mirror           bool
}

func (s *Source) endpoints(r image.Reference) []endpoint {
	var list []endpoint
	mirrors := s.Mirrors[r.Registry]
	if r.Registry == "index.docker.io" {
		mirrors = append(mirrors[:len(mirrors):len(mirrors)], s.Mirrors["docker.io"]...)
	}
	for _, m := range mirrors {
		host, prefix, ok := cut(m)
		repository := r.Repository
		if ok {
			repository = prefix + "/" + repository
		}
		list = append(list, endpoint{host, repository, true})
	}
	return append(list, endpoint{host: r.Registry, repository: r.Repository})
}

func (s *Source) stall() time.Duration { return cmp.Or(s.Stall, 30*time.Second) }
