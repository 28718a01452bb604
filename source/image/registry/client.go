package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
	"bulwark/source/image/internal/oci"
)

// client reads one repository. It is an [oci.Store].
type client struct {
	http       *http.Client
	host       string
	repository string
	stall      time.Duration
	sleep      func(context.Context, time.Duration) error
	wire       *wire

	id        string // digest of the manifest that the reference means
	rootBytes []byte
}

// connect logs in.
func (s *Source) connect(ctx context.Context, e endpoint) (*client, error) {
	w, err := s.newWire(e.host)
	if err != nil {
		return nil, err
	}
	var options []name.Option
	if w.plain(e.host) {
		options = append(options, name.Insecure)
	}
	repo, err := name.NewRepository(e.host+"/"+e.repository, options...)
	if err != nil {
		return nil, fmt.Errorf("%.200q: %w", e.host+"/"+e.repository, bulwark.ErrMalformed)
	}
	auth, err := s.credentials(ctx, e, repo)
	if err != nil {
		return nil, err
	}
	rt, err := transport.NewWithContext(ctx, repo.Registry, auth, w, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		w.close()
		return nil, failed(ctx, err)
	}
	return &client{
		http: &http.Client{Transport: rt}, host: repo.RegistryStr(), repository: repo.RepositoryStr(),
		stall: s.stall(), sleep: w.sleep, wire: w,
	}, nil
}

func (c *client) close() { c.wire.close() }

// credentials for the endpoint. What the user gave for the registry is not for mirrors.
func (s *Source) credentials(ctx context.Context, e endpoint, repo name.Repository) (authn.Authenticator, error) {
	if !e.mirror {
		user, password, token := s.Username, s.Password, s.Token
		if user == "" && token == "" {
			user, password, token = os.Getenv("BULWARK_USERNAME"), os.Getenv("BULWARK_PASSWORD"), os.Getenv("BULWARK_REGISTRY_TOKEN")
		}
		switch {
		case token != "":
			return authn.FromConfig(authn.AuthConfig{RegistryToken: token}), nil
		case user != "":
			return authn.FromConfig(authn.AuthConfig{Username: user, Password: password}), nil
		}
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
	if err != nil {
		// The text may hold what a helper printed.
		return nil, fmt.Errorf("docker's configuration or its credential helper gives no credentials for %s: %w", e.host, bulwark.ErrUntrusted)
	}
	return auth, nil
}

var accept = strings.Join([]string{
	"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
}, ", ")

// root reads what a tag or digest means.
func (c *client) root(ctx context.Context, id string) (oci.Descriptor, error) {
	b, head, err := c.small(ctx, "manifests/"+id, oci.MaxManifest)
	if err != nil {
		return oci.Descriptor{}, err
	}
	claimed := head.Get("Docker-Content-Digest")
	if strings.Contains(id, ":") { // a tag has none
		claimed = id
	}
	c.id = digest.Of(b)
	if claimed != "" {
		if err := digest.Bytes(b, claimed, "manifest"); err != nil {
			return oci.Descriptor{}, err
		}
		c.id = claimed
	}
	c.rootBytes = b
	return oci.Descriptor{Digest: c.id, Size: int64(len(b))}, nil
}

// Manifest implements [oci.Store].
func (c *client) Manifest(ctx context.Context, d oci.Descriptor) ([]byte, error) {
	if d.Digest == c.id {
		return c.rootBytes, nil
	}
	b, _, err := c.small(ctx, "manifests/"+d.Digest, oci.MaxManifest)
	return b, err
}

// Config implements [oci.Store].
func (c *client) Config(ctx context.Context, d oci.Descriptor) ([]byte, error) {
	b, _, err := c.small(ctx, "blobs/"+d.Digest, oci.MaxConfig)
	return b, err
}

// Layer implements [oci.Store].
func (c *client) Layer(d oci.Descriptor) layer.Blob {
	return layer.Blob{Open: func(ctx context.Context) (io.ReadCloser, error) {
		return c.body(ctx, "blobs/"+d.Digest, d.Size)
	}}
}

func (c *client) small(ctx context.Context, path string, most int64) ([]byte, http.Header, error) {
	body, err := c.body(ctx, path, -1)
	if err != nil {
		return nil, nil, err
	}
	defer body.Close()
	b, err := limit.ReadAll(body, most, "what the registry sends as "+path)
	return b, body.header, err
}

// get asks for a path of the repository, from an offset on.
func (c *client) get(ctx context.Context, path string, offset int64) (*http.Response, error) {
	u := url.URL{Scheme: "https", Host: c.host, Path: "/v2/" + c.repository + "/" + path}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, "manifests/") {
		req.Header.Set("Accept", accept)
	}
	want := http.StatusOK
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		want = http.StatusPartialContent
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, failed(ctx, err)
	}
	if offset > 0 && resp.StatusCode == http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("it broke off after %d bytes, and the registry does not send the rest alone: %w", offset, bulwark.ErrUnavailable)
	}
	if resp.StatusCode != want {
		defer resp.Body.Close()
		return nil, failed(ctx, transport.CheckError(resp, want))
	}
	return resp, nil
}
