//go:build linux

// Package harness runs Kubernetes' own kube-apiserver with its etcd for a test: no kubelets,
// no controllers, no scheduler, but the real admission, authorization and storage.
package harness

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Admin is the token of somebody who may do everything.
const Admin = "admin-of-the-test"

// Server is a running kube-apiserver.
type Server struct {
	URL        string // https://127.0.0.1:port
	Kubeconfig string // of the administrator
	Context    string // the name of its context
	Dir        string // where it keeps its files
	client     *http.Client
}

// Start starts a server and ends it with the test. Where etcd or the server's program are
// missing the test is skipped with a word that says what to do; with CI=true it builds the
// program, and fails where it cannot. flags are added to the server's.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	etcd, err := exec.LookPath("etcd")
	if err != nil {
		missing(t, "etcd is missing: install Debian's etcd-server")
	}
	program := program(t)
	s := &Server{Dir: t.TempDir(), Context: "test"}
	keys(t, s.Dir)
	client, peer, secure := port(t), port(t), port(t)
	s.run(t, etcd, "--data-dir", filepath.Join(s.Dir, "etcd"), "--listen-client-urls", local("http", client), "--advertise-client-urls", local("http", client),
		"--listen-peer-urls", local("http", peer), "--unsafe-no-fsync")
	s.run(t, program, append(flags[:len(flags):len(flags)], "--etcd-servers", local("http", client), "--bind-address", "127.0.0.1", "--secure-port", secure,
		"--cert-dir", filepath.Join(s.Dir, "certs"), "--service-account-issuer", "https://127.0.0.1",
		"--service-account-key-file", filepath.Join(s.Dir, "sa.pub"), "--service-account-signing-key-file", filepath.Join(s.Dir, "sa.key"),
		"--token-auth-file", filepath.Join(s.Dir, "tokens.csv"), "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true")...)
	s.URL = local("https", secure)
	s.ready(t, program)
	s.Kubeconfig = s.KubeconfigFor(t, Admin)
	return s
}

func local(scheme, port string) string { return scheme + "://127.0.0.1:" + port }

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// program is the path of the server's program.
func program(t testing.TB) string {
	t.Helper()
	script := filepath.Join(root(t), "scripts", "apiserver.sh")
	cmd := exec.Command(script)
	if os.Getenv("CI") != "true" {
		cmd.Env = append(os.Environ(), "BULWARK_APISERVER_BUILD=no")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		missing(t, "there is no kube-apiserver to test with; scripts/apiserver.sh builds it: "+strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out))
}

// root is the folder of the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "scripts", "apiserver.sh")); err == nil {
			return dir
		}
	}
	t.Fatal("the test does not run within the repository")
	return ""
}

// port gives one that is free.
func port(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// keys writes what the server signs tokens with, and who may call it.
func keys(t testing.TB, dir string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"sa.key":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: private}),
		"sa.pub":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		"tokens.csv": []byte(Admin + ",admin,admin,system:masters\nnobody,nobody,nobody\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// run starts a program that ends with the test; its output is shown when the test fails.
func (s *Server) run(t testing.TB, program string, args ...string) {
	t.Helper()
	name := filepath.Base(program)
	log, err := os.Create(filepath.Join(s.Dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // it was killed
		log.Close()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, tail(log.Name()))
		}
	})
}

// tail is the end of a file.
func tail(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// ready waits until the server answers, and comes to know its certificate.
func (s *Server) ready(t testing.TB, program string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.answers(ctx) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the server did not get ready:\n%s", tail(filepath.Join(s.Dir, filepath.Base(program)+".log")))
		}
	}
}

func (s *Server) answers(ctx context.Context) bool {
	ca, err := os.ReadFile(s.CA())
	if err != nil {
		return false
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 8}}
	code, _, err := s.Call(ctx, Admin, http.MethodGet, "/readyz", nil)
	return err == nil && code == http.StatusOK
}

// CA is the file with the certificate that vouches for the server.
func (s *Server) CA() string { return filepath.Join(s.Dir, "certs", "apiserver.crt") }

// Call asks the server something in the name of whom the token names; body is sent as JSON,
// bytes as they are.
func (s *Server) Call(ctx context.Context, token, method, path string, body any) (code int, answer []byte, err error) {
	data, ok := body.([]byte)
	if !ok && body != nil {
		if data, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	kind := "application/json"
	switch {
	case method == http.MethodPatch:
		kind = "application/merge-patch+json"
	case len(data) > 0 && data[0] != '{':
		kind = "application/yaml"
	}
	return s.send(ctx, token, method, path, kind, data)
}

// Patch changes an object by a patch of that type, as kubectl calls it: strategic, merge or json.
func (s *Server) Patch(ctx context.Context, kind, path string, patch []byte) (code int, answer []byte, err error) {
	header := map[string]string{"strategic": "application/strategic-merge-patch+json", "merge": "application/merge-patch+json", "json": "application/json-patch+json"}[kind]
	return s.send(ctx, Admin, http.MethodPatch, path, header, patch)
}

func (s *Server) send(ctx context.Context, token, method, path, kind string, data []byte) (code int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(data))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", kind)
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// Must is Call by the administrator for what has to succeed.
func (s *Server) Must(t testing.TB, method, path string, body any) []byte {
	t.Helper()
	code, answer, err := s.Call(t.Context(), Admin, method, path, body)
	if err != nil || code >= 300 {
		t.Fatalf("%s %s: %d %v\n%s", method, path, code, err, answer)
	}
	return answer
}

// KubeconfigFor writes a kubeconfig with that token, and gives its path.
func (s *Server) KubeconfigFor(t testing.TB, token string) string {
	t.Helper()
	f, err := os.CreateTemp(s.Dir, "kubeconfig-*")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "apiVersion: v1\nkind: Config\ncurrent-context: %[1]s\n"+
		"clusters:\n- name: c\n  cluster: {server: %[2]q, certificate-authority: %[3]q}\n"+
		"users:\n- name: u\n  user: {token: %[4]q}\ncontexts:\n- name: %[1]s\n  context: {cluster: c, user: u}\n", s.Context, s.URL, s.CA(), token)
	return f.Name()
}

// ServiceAccount makes a service account and gives a token of it.
func (s *Server) ServiceAccount(t testing.TB, namespace, name string) string {
	t.Helper()
	at := "/api/v1/namespaces/" + namespace + "/serviceaccounts"
	if code, _, _ := s.Call(t.Context(), Admin, http.MethodGet, at+"/"+name, nil); code == http.StatusNotFound {
		s.Must(t, http.MethodPost, at, map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": name}})
	}
	var answer struct {
		Status struct{ Token string }
	}
	b := s.Must(t, http.MethodPost, at+"/"+name+"/token", map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": map[string]any{}})
	if err := json.Unmarshal(b, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Status.Token
}
