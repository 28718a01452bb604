package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"

	"bulwark"
)

const (
	mostCredentials = 1 << 20 // bytes that a program may give
	mostComplaint   = 4 << 10 // bytes of what it complains of that are kept
)

// helper is the program that a kubeconfig names for credentials. It is run when the client is
// made, and once more when the server does not take what it gave. One that hangs or never ends
// to speak is stopped, with what it started.
type helper struct {
	*api.ExecConfig
	info []byte // what it is told
	slow time.Duration

	mu    sync.Mutex
	token string
	stale bool // asking again gave the same
}

// credentials are what it gives.
type credentials struct {
	Kind, APIVersion string
	Status           *struct{ Token, ClientCertificateData, ClientKeyData string }
}

// runHelper asks the program that cfg names, if there is one that is needed, and puts what it
// gives into cfg in its place.
func runHelper(ctx context.Context, cfg *rest.Config) error {
	if cfg.ExecProvider == nil || cfg.BearerToken != "" || cfg.BearerTokenFile != "" || cfg.Username != "" || len(cfg.CertData) > 0 || cfg.CertFile != "" {
		return nil
	}
	h := &helper{ExecConfig: cfg.ExecProvider, slow: answerTime}
	if end, ok := ctx.Deadline(); ok {
		h.slow = min(h.slow, time.Until(end)/2)
	}
	var err error
	if h.info, err = h.told(cfg); err != nil {
		return err
	}
	cfg.ExecProvider = nil
	c, err := h.run(ctx)
	if err != nil {
		return fmt.Errorf("the program %s, which the kubeconfig names for credentials: %w", printable(h.Command), err)
	}
	cfg.CertData, cfg.KeyData = []byte(c.Status.ClientCertificateData), []byte(c.Status.ClientKeyData)
	if h.token = c.Status.Token; h.token != "" {
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return &helped{h, next} })
	}
	return nil
}

func (h *helper) interactive() bool {
	return h.InteractiveMode != api.NeverExecInteractiveMode && term.IsTerminal(int(os.Stdin.Fd()))
}

// told is what the program is told, by its environment.
func (h *helper) told(cfg *rest.Config) ([]byte, error) {
	spec := map[string]any{"interactive": h.interactive()}
	if h.ProvideClusterInfo {
		of, err := rest.ConfigToExecCluster(cfg)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
		}
		cluster := map[string]any{"server": of.Server, "tls-server-name": of.TLSServerName, "insecure-skip-tls-verify": of.InsecureSkipTLSVerify,
			"certificate-authority-data": of.CertificateAuthorityData, "proxy-url": of.ProxyURL, "disable-compression": of.DisableCompression}
		if u, ok := of.Config.(*runtime.Unknown); ok && len(u.Raw) > 0 {
			cluster["config"] = json.RawMessage(u.Raw)
		}
		spec["cluster"] = cluster
	}
	return json.Marshal(map[string]any{"kind": "ExecCredential", "apiVersion": h.APIVersion, "spec": spec})
}

// run runs the program.
func (h *helper) run(ctx context.Context) (*credentials, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.slow, fmt.Errorf("it does not end within %s: %w", h.slow.Round(time.Second/10), bulwark.ErrUnavailable))
	defer cancel()
	out, complaint := &kept{most: mostCredentials, strict: true}, &kept{most: mostComplaint}
	cmd := exec.CommandContext(ctx, h.Command, h.Args...)
	cmd.Env = append(os.Environ(), "KUBERNETES_EXEC_INFO="+string(h.info))
	for _, e := range h.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, complaint, time.Second
	if h.interactive() {
		cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	} else {
		alone(cmd)
	}
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case out.over:
		return nil, fmt.Errorf("it says more than %d MB: %w", mostCredentials>>20, bulwark.ErrLimit)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w%s", bulwark.ErrNotFound, bracketed(h.InstallHint))
	case err != nil:
		return nil, fmt.Errorf("%w: %w%s", bulwark.ErrUntrusted, err, bracketed(string(complaint.text)))
	}
	return h.read(out.text)
}

func bracketed(words string) string {
	if words = oneLine(words); words == "" {
		return ""
	}
	return " (" + words + ")"
}

// read takes what the program said. Its words are not shown: they hold what is secret.
func (h *helper) read(text []byte) (*credentials, error) {
	c := new(credentials)
	switch err := json.Unmarshal(text, c); {
	case err != nil || c.Kind != "ExecCredential":
		return nil, fmt.Errorf("what it says is no ExecCredential: %w", bulwark.ErrMalformed)
	case c.APIVersion != h.APIVersion:
		return nil, fmt.Errorf("it speaks %s, and the kubeconfig says %s: %w", oneLine(c.APIVersion), oneLine(h.APIVersion), bulwark.ErrUnsupported)
	case c.Status == nil, (c.Status.ClientCertificateData == "") != (c.Status.ClientKeyData == ""), c.Status.Token == "" && c.Status.ClientKeyData == "":
		return nil, fmt.Errorf("it gives neither a token nor a certificate with its key: %w", bulwark.ErrMalformed)
	}
	return c, nil
}

// kept keeps the start of what is written to it.
type kept struct {
	text   []byte
	most   int
	strict bool // more is an error
	over   bool
}

func (k *kept) Write(b []byte) (int, error) {
	n := min(len(b), k.most-len(k.text))
	k.text = append(k.text, b[:n]...)
	if k.over = k.over || n < len(b); k.over && k.strict {
		return 0, bulwark.ErrLimit
	}
	return len(b), nil
}

// helped puts the helper's token on requests.
type helped struct {
	h    *helper
	next http.RoundTripper
}

func (r *helped) RoundTrip(req *http.Request) (*http.Response, error) {
	token := r.h.current()
	res, err := r.next.RoundTrip(withToken(req, token))
	if err != nil || res.StatusCode != http.StatusUnauthorized || req.Body != nil {
		return res, err
	}
	again := r.h.renew(req.Context(), token)
	if again == token {
		return res, nil
	}
	res.Body.Close()
	return r.next.RoundTrip(withToken(req, again))
}

func withToken(req *http.Request, token string) *http.Request {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

func (h *helper) current() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.token
}

// renew gives the token that follows one that is not taken; the same when there is none.
func (h *helper) renew(ctx context.Context, old string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.token != old || h.stale {
		return h.token
	}
	c, err := h.run(ctx)
	if err != nil || c.Status.Token == "" || c.Status.Token == old {
		h.stale = true
		return old
	}
	h.token = c.Status.Token
	return h.token
}
