package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"bulwark"
)

const inCluster = "in-cluster"

// client asks one API server.
type client struct {
	base     *url.URL
	http     *http.Client
	name     string // of the context
	user     *rest.Config
	now      time.Time
	page     int   // objects
	most     int64 // bytes of one answer
	wait     func(context.Context, time.Duration) error
	large    chan struct{} // held by the answer that may be large
	patience patience

	mu      sync.Mutex
	failing int // answers in a row that failed though they were tried again
	waited  time.Duration
	dead    error // why the server is not asked any more
}

// connect makes a client as the user's kubeconfig says, or with the credentials that a pod
// has when there is none. Programs that give credentials are run when the kubeconfig names
// them: it is the user's own.
func (o *Options) connect(ctx context.Context) (*client, error) {
	for _, ns := range o.Namespaces {
		if ns == "" || !plain(ns) {
			return nil, fmt.Errorf("%q is no name of a namespace: %w", ns, bulwark.ErrMalformed)
		}
	}
	cfg, name, err := o.configWithin(ctx)
	if err != nil {
		return nil, err
	}
	if err := runHelper(ctx, cfg); err != nil {
		return nil, fmt.Errorf("the context %s: %w", printable(name), err)
	}
	cfg.UserAgent, cfg.WarningHandler = "bulwark", rest.NoWarnings{}
	h, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("the context %s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	// A server that sends its visitor elsewhere must not have the credentials go along.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	tlsOn := len(cfg.CAData) > 0 || cfg.CAFile != "" || cfg.Insecure || len(cfg.CertData) > 0 || cfg.CertFile != ""
	base, _, err := rest.DefaultServerURL(cfg.Host, "", schema.GroupVersion{}, tlsOn)
	if err != nil {
		return nil, fmt.Errorf("the context %s: the server's address: %w: %w", name, bulwark.ErrMalformed, err)
	}
	c := &client{base: base, http: h, name: name, user: cfg, now: o.Now, page: cmp.Or(o.Page, pageSize), most: cmp.Or(o.most, maxPage), patience: patienceOf(ctx, cmp.Or(o.slow, answerTime)), large: make(chan struct{}, 1), wait: o.wait}
	if c.wait == nil {
		c.wait = pause
	}
	return c, nil
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ErrNoCluster says that no kubeconfig names the cluster.
var ErrNoCluster = fmt.Errorf("%w", bulwark.ErrNotFound)

// those names the first contexts that there are.
func those(contexts map[string]*api.Context) string {
	const most = 10
	names := slices.Sorted(maps.Keys(contexts))
	if len(names) == 0 {
		return ""
	}
	return " (it has " + strings.Join(names[:min(len(names), most)], ", ") + ")"
}

// configWithin reads the kubeconfig, which may be a pipe that nobody writes to.
func (o *Options) configWithin(ctx context.Context) (*rest.Config, string, error) {
	type config struct {
		cfg  *rest.Config
		name string
		err  error
	}
	read := make(chan config, 1)
	go func() {
		cfg, name, err := o.config()
		read <- config{cfg, name, err}
	}()
	select {
	case c := <-read:
		return c.cfg, c.name, c.err
	case <-ctx.Done():
		return nil, "", fmt.Errorf("reading the kubeconfig: %w", context.Cause(ctx))
	}
}

func (o *Options) config() (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath, rules.WarnIfAllMissing = o.Kubeconfig, false
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.Context})
	raw, err := loaded.RawConfig()
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("the kubeconfig: %w: %w", bulwark.ErrNotFound, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the kubeconfig: %w: %w", bulwark.ErrMalformed, err)
	}
	name := cmp.Or(o.Context, raw.CurrentContext, inCluster)
	if _, ok := raw.Contexts[name]; !ok && name != inCluster {
		return nil, "", fmt.Errorf("the kubeconfig has no context %q%s: %w", name, those(raw.Contexts), ErrNoCluster)
	}
	cfg, err := loaded.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, "", fmt.Errorf("there is no kubeconfig that names a cluster, and this is no pod: %w", ErrNoCluster)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the context %s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	return cfg, name, nil
}

// explain says what is behind a request that got no answer.
func (c *client) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var verify *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &unknown):
		return fmt.Errorf("%s: the server's certificate is not vouched for by the authority that the kubeconfig names: %w: %w", c.base.Host, bulwark.ErrUntrusted, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%s: the server's certificate has expired or is not valid yet: %w: %w", c.base.Host, bulwark.ErrUntrusted, err)
	case errors.As(err, &host), errors.As(err, &verify):
		return fmt.Errorf("%s: the server's certificate is not believed: %w: %w", c.base.Host, bulwark.ErrUntrusted, err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s: the server does not speak TLS: %w: %w", c.base.Host, bulwark.ErrUnavailable, err)
	}
	if why := c.expired(); why != "" {
		return fmt.Errorf("%s: %s: %w: %w", c.base.Host, why, bulwark.ErrUntrusted, err)
	}
	return fmt.Errorf("the API server at %s does not answer: %w: %w", c.base.Host, bulwark.ErrUnavailable, err)
}

// expired says which of the user's credentials have expired by their own word; "" when none
// has, or that cannot be told.
func (c *client) expired() string {
	if c.now.IsZero() {
		return ""
	}
	data := c.user.CertData
	if len(data) == 0 && c.user.CertFile != "" {
		data, _ = os.ReadFile(c.user.CertFile) // what cannot be read was complained of before
	}
	if block, _ := pem.Decode(data); block != nil {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && c.now.After(cert.NotAfter) {
			return "the client certificate of the kubeconfig expired on " + cert.NotAfter.UTC().Format(time.DateOnly)
		}
	}
	if at := tokenEnds(c.user.BearerToken); !at.IsZero() && c.now.After(at) {
		return "the token of the kubeconfig expired on " + at.UTC().Format(time.DateOnly)
	}
	return ""
}
