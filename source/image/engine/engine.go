// Package engine opens images of a container engine on this machine, Docker or Podman,
// over its HTTP socket.
//
// The engine gives an image as one tar stream, whose order is its own and whose
// description often comes last. So it is read twice: once to list it, once for the
// layers that are walked at the same time ([bulwark.Target].Stream). Nothing is held
// but the documents in it. They are kept for the next run: an image whose layers are all
// known is not exported at all.
//
// A layer without a digest of its own goes by its diffID, which its bytes are held to
// whenever they are read, and which the engine held them to when it took the image.
package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/oci"
	"bulwark/source/image/internal/tarball"
)

// Source opens images by name or id.
type Source struct {
	Kind     string // "docker" or "podman"
	Host     string // unix:///path or tcp://host:port; empty: as the environment says, else the usual socket
	Platform string // OS/ARCH[/VARIANT]; empty: the one that the engine has
	// Recall is a folder in which descriptions of images are kept from run to run: an
	// image that was seen before is exported when a layer of it is walked, and not to list
	// it. It is made when it is missing. Empty: nothing is kept.
	Recall string
}

var _ bulwark.Source = (*Source)(nil)

const maxAnswer = 8 << 20

// Open asks the engine for the image and lists it. See [bulwark.Source].
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	p, err := oci.ParsePlatform(s.Platform)
	if err != nil {
		return nil, err
	}
	c, err := s.connect()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Kind, err)
	}
	t, err := c.open(ctx, ref, p, newRecall(s.Recall))
	if err != nil {
		c.http.CloseIdleConnections()
		return nil, fmt.Errorf("%s image %s: %w", s.Kind, ref, err)
	}
	stop := t.Close
	t.Close = func() error {
		err := stop()
		c.http.CloseIdleConnections()
		return err
	}
	return t, nil
}

// inspected is what matters of the engine's description of an image.
type inspected struct {
	ID          string `json:"Id"`
	RepoDigests []string
}

func (c *client) open(ctx context.Context, ref string, p oci.Platform, r *recall) (*bulwark.Target, error) {
	// The id is asked for from here on: a name may move on between two requests.
	in, err := c.inspect(ctx, ref)
	if err != nil {
		return nil, err
	}
	list := func(ctx context.Context) (*bulwark.Target, error) { return c.list(ctx, ref, in.ID, p) }
	var t *bulwark.Target
	if d := r.known(in.digest(), p); d != nil {
		t, err = d.target(ref, p, list)
	} else if t, err = list(ctx); err == nil {
		r.keep(in.digest(), p, t)
	}
	if err != nil {
		return nil, err
	}
	if len(in.RepoDigests) > 0 && len(in.RepoDigests[0]) < 500 {
		t.Asset.Labels["repoDigest"] = in.RepoDigests[0]
	}
	return t, nil
}

// list exports the image to see what is in it.
func (c *client) list(ctx context.Context, ref, id string, p oci.Platform) (*bulwark.Target, error) {
	export := "/images/" + url.PathEscape(id) + "/get"
	if p != (oci.Platform{}) {
		b, _ := json.Marshal(p)
		export += "?platform=" + url.QueryEscape(string(b))
	}
	m := tarball.Medium{Name: "export", Open: func(ctx context.Context) (io.ReadCloser, error) { return c.stream(ctx, export) }}
	t, err := tarball.Open(ctx, m, ref, tarball.Options{Platform: p})
	if err != nil {
		return nil, err
	}
	delete(t.Asset.Labels, "repoTag") // the engine was asked by a name or id; what is recalled has none either
	for i := range t.Layers {
		l := &t.Layers[i]
		l.Identity = cmp.Or(l.Identity, l.DiffID)
	}
	return t, nil
}

func (c *client) inspect(ctx context.Context, ref string) (*inspected, error) {
	if ref == "" || strings.ContainsAny(ref, "?#%\\ ") || strings.Contains("/"+ref+"/", "/../") {
		return nil, fmt.Errorf("%.200q is no image name: %w", ref, bulwark.ErrMalformed)
	}
	rc, err := c.stream(ctx, "/images/"+ref+"/json")
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	b, err := limit.ReadAll(rc, maxAnswer, "the engine's answer")
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	var in inspected
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("the engine's answer: %w: %w", bulwark.ErrMalformed, err)
	}
	return &in, digest.Check(in.digest())
}

// digest is the image's id.
func (in *inspected) digest() string {
	if strings.Contains(in.ID, ":") {
		return in.ID
	}
	return "sha256:" + in.ID // as Podman writes it
}

// stream asks for a path. The answer ends with an error wrapping ErrUnavailable if the
// engine breaks off.
func (c *client) stream(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return &answer{ctx, resp.Body}, nil
	}
	resp.Body.Close()
	what := fmt.Sprintf("the engine answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch resp.StatusCode {
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", what, bulwark.ErrNotFound)
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("%s: %w", what, bulwark.ErrUntrusted)
	case http.StatusBadRequest:
		return nil, fmt.Errorf("%s: %w", what, bulwark.ErrUnsupported)
	}
	return nil, fmt.Errorf("%s: %w", what, bulwark.ErrUnavailable)
}

// answer is a stream whose failures are the engine's.
type answer struct {
	ctx context.Context
	io.ReadCloser
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = unavailable(a.ctx, err)
	}
	return n, err
}

func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if layer.IsNamed(err) {
		return err
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // its address says nothing: the engine is what was dialled
	}
	return fmt.Errorf("%w: %w", bulwark.ErrUnavailable, err)
}
