//go:build linux

package apiserver

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/test/apiserver/harness"
	"bulwark/test/runtime/lab"
)

// auditPolicy logs what the rules look at whole, and secrets by their names alone.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: None, users: ["system:apiserver"]}
- {level: RequestResponse, verbs: [create, update, patch, delete]}
- {level: Metadata}
`

// auditRules are some of a user's own.
const auditRules = `
- macro: answered
  condition: jevt.value[/stage]=ResponseComplete
- rule: Secret read
  desc: somebody reads a secret
  condition: answered and ka.target.resource=secrets and ka.verb=get and ka.response.code startswith 2
  output: secret read (user=%ka.user.name secret=%ka.target.namespace/%ka.target.name decision=%ka.auth.decision)
  priority: ERROR
  source: k8s_audit
- rule: Password in a config map
  desc: somebody puts a password where none belongs
  condition: answered and ka.target.resource=configmaps and ka.verb in (create, update, patch) and ka.req.configmap.obj contains "password"
  output: config map with a password (user=%ka.user.name name=%ka.req.configmap.name)
  priority: WARNING
  source: k8s_audit
- rule: Config map
  desc: counts them
  condition: answered and ka.target.resource=configmaps and ka.verb=create
  output: config map (user=%ka.user.name name=%ka.target.name)
  priority: INFO
  source: k8s_audit
- rule: Wildcard role
  desc: somebody makes a role for everything
  condition: answered and ka.target.resource=clusterroles and ka.verb=create and ka.req.role.rules.verbs intersects ("*")
  output: wildcard role (user=%ka.user.name rules=%ka.req.role.rules)
  priority: WARNING
  source: k8s_audit
- rule: Command in a pod
  desc: somebody executes something
  condition: ka.target.subresource=exec and jevt.value[/stage]=ResponseStarted
  output: command in a pod (user=%ka.user.name pod=%ka.target.name command=%ka.uri.param[command])
  priority: NOTICE
  source: k8s_audit
`

// issuer signs certificates of a test.
type issuer struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, dir: t.TempDir()}
	i.cert, i.key = i.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return i
}

// issue writes NAME.crt and NAME.key.
func (i *issuer) issue(name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	i.check(err)
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := i.cert, i.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	i.check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	i.check(err)
	i.check(os.WriteFile(i.file(name+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	i.check(os.WriteFile(i.file(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: private}), 0o600))
	made, err := x509.ParseCertificate(der)
	i.check(err)
	return made, key
}

func (i *issuer) file(name string) string { return filepath.Join(i.dir, name) }

func (i *issuer) check(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

// kubelet takes every connection that the server passes on, and ends it: enough for the server to log that a command began.
func kubelet(t *testing.T) (port int) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		time.Sleep(50 * time.Millisecond)
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().(*net.TCPAddr).Port
}

// enter does what kubectl exec does, as far as the log shows it.
func enter(t *testing.T, s *harness.Server, path string) {
	t.Helper()
	ca, err := os.ReadFile(s.CA())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c, err := tls.Dial("tcp", strings.TrimPrefix(s.URL, "https://"), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n", path, harness.Admin)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("%v %v %s", err, resp.Status, b)
	}
	io.Copy(io.Discard, c)
}

type watched struct {
	name string
	*lab.Watch
}

// audited starts a server that logs to a file, which it rotates at a megabyte, and to a webhook with TLS, a certificate of its own and
// a token; and bulwark watch, once at each.
func audited(t *testing.T, kubeletPort int) (s *harness.Server, folder string, watches []watched) {
	t.Helper()
	keys, program := newIssuer(t), lab.Program(t)
	keys.issue("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	keys.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	keys.check(err)
	listen := l.Addr().String()
	l.Close()
	const token = "token-of-the-audit-log"
	for name, text := range map[string]string{"policy.yaml": auditPolicy, "rules.yaml": auditRules, "audit.log": "",
		"webhook.yaml": fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://%s/k8s-audit', certificate-authority: %s}}]\nusers: [{name: u, user: {token: %s, client-certificate: %s, client-key: %s}}]\n",
			listen, keys.file("ca.crt"), token, keys.file("client.crt"), keys.file("client.key"))} {
		keys.check(os.WriteFile(keys.file(name), []byte(text), 0o600))
	}
	t.Setenv("BULWARK_AUDIT_TOKEN", token)
	common := []string{"--source", "k8s_audit", "--rules", keys.file("rules.yaml")}
	watches = []watched{
		{"webhook", lab.StartWatch(t, program, append(common, "--audit-webhook", listen, "--audit-cert", keys.file("server.crt"), "--audit-key", keys.file("server.key"), "--audit-client-ca", keys.file("ca.crt"))...)},
		{"file", lab.StartWatch(t, program, append(common, "--audit-log", keys.file("audit.log"))...)},
	}
	s = harness.Start(t, "--audit-policy-file", keys.file("policy.yaml"), "--audit-log-path", keys.file("audit.log"), "--audit-log-maxsize", "1", "--audit-log-maxbackup", "9",
		"--audit-webhook-config-file", keys.file("webhook.yaml"), "--audit-webhook-batch-max-wait", "200ms", "--kubelet-preferred-address-types", "InternalIP")
	s.Must(t, http.MethodPost, "/api/v1/nodes", object{"apiVersion": "v1", "kind": "Node", "metadata": object{"name": "n1"}})
	s.Must(t, http.MethodPatch, "/api/v1/nodes/n1/status", object{"status": object{"addresses": []object{{"type": "InternalIP", "address": "127.0.0.1"}}, "daemonEndpoints": object{"kubeletEndpoint": object{"Port": kubeletPort}}}})
	return s, keys.dir, watches
}

func pod(name string, spec object) object {
	spec["nodeName"] = "n1"
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name}, "spec": spec}
}

// TestAudit has a real API server log what attackers do in clusters, and both ways of its log tell it.
func TestAudit(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and runs a real one beside it: not in short runs")
	}
	s, folder, watches := audited(t, kubelet(t))
	const ns, core = "/api/v1/namespaces/shop", "/api/v1/namespaces/shop/pods"
	s.Must(t, http.MethodPost, "/api/v1/namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": "shop"}})
	s.Must(t, http.MethodPost, core, pod("web", object{"containers": []object{{"name": "c", "image": "nginx"}}}))
	enter(t, s, core+"/web/exec?command=sh&command=-c&command=id&container=c&stdin=true&stdout=true&tty=true")
	s.Must(t, http.MethodPatch, core+"/web/ephemeralcontainers", object{"spec": object{"ephemeralContainers": []object{{"name": "debugger", "image": "busybox", "securityContext": object{"privileged": true}}}}})
	s.Must(t, http.MethodPost, core, pod("root", object{"containers": []object{{"name": "c", "image": "busybox", "securityContext": object{"privileged": true}}}, "hostPID": true}))
	s.Must(t, http.MethodPost, "/apis/apps/v1/namespaces/shop/daemonsets", object{"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": object{"name": "everywhere"}, "spec": object{"selector": object{"matchLabels": object{"a": "b"}},
		"template": object{"metadata": object{"labels": object{"a": "b"}}, "spec": object{"containers": []object{{"name": "c", "image": "busybox"}}, "volumes": []object{{"name": "v", "hostPath": object{"path": "/"}}}}}}})
	s.Must(t, http.MethodPost, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": object{"name": "mine"},
		"roleRef": object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}, "subjects": []object{{"kind": "ServiceAccount", "namespace": "shop", "name": "default"}}})
	s.Must(t, http.MethodPost, "/apis/rbac.authorization.k8s.io/v1/clusterroles", object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": object{"name": "all"},
		"rules": []object{{"apiGroups": []string{"*"}, "resources": []string{"*"}, "verbs": []string{"*"}}}})
	s.Must(t, http.MethodPost, ns+"/configmaps", object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "conf"}, "data": object{"my": "password"}})
	s.Must(t, http.MethodPost, ns+"/secrets", object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "db"}})
	s.Must(t, http.MethodGet, ns+"/secrets/db", nil)
	many := strings.Repeat("x", 200<<10) // each is logged twice over: the file is rotated again and again
	for i := range 20 {
		s.Must(t, http.MethodPost, ns+"/configmaps", object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": fmt.Sprintf("big%02d", i)}, "data": object{"x": many}})
	}
	for i := range 30 { // nobody may do nothing
		resource := []string{"secrets", "pods", "configmaps", "services", "events", "endpoints"}[i%6]
		if code, _, err := s.Call(t.Context(), "nobody", http.MethodGet, ns+"/"+resource, nil); err != nil || code != http.StatusForbidden {
			t.Fatal(code, err)
		}
	}
	want := []string{
		"kubernetes/exec admin create pods/exec shop/web", "kubernetes/ephemeral-container admin patch pods/ephemeralcontainers shop/web", "kubernetes/node-pod admin create pods shop/root", "kubernetes/node-pod admin create daemonsets shop/everywhere",
		"kubernetes/cluster-admin admin create clusterrolebindings mine", "kubernetes/probing nobody", "falco/secret-read", "falco/password-in-a-config-map", "falco/wildcard-role", "falco/command-in-a-pod", "falco/config-map admin create configmaps shop/big19",
	}
	if rotated, _ := filepath.Glob(filepath.Join(folder, "audit-*.log")); len(rotated) < 2 {
		t.Errorf("the log was rotated into %q", rotated)
	}
	for _, w := range watches {
		missing := want
		for end := time.Now().Add(20 * time.Second); len(missing) > 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			missing = lacking(w, want)
		}
		if len(missing) > 0 {
			t.Errorf("%s: not told: %q", w.name, missing)
		}
		w.Stop()
		maps := 0
		for _, f := range w.All() {
			t.Logf("%s: %s %s %q", w.name, f.Severity, f.Rule, f.Evidence)
			if f.Rule == "falco/config-map" {
				maps++
			}
			if b := strings.Join(f.Evidence, ""); strings.Contains(b, harness.Admin) {
				t.Errorf("%s: it shows a token: %q", w.name, b)
			}
		}
		if maps != 20 { // that with the password is told by the rule before
			t.Errorf("%s: %d config maps, want 20", w.name, maps)
		}
		if said := w.Said(); strings.Contains(said, "token-of-the-audit-log") {
			t.Errorf("%s: it shows the token", w.name)
		}
	}
}

// lacking are those of want that were not told: a rule, and what its finding is about as far as that matters.
func lacking(w watched, want []string) (missing []string) {
	for _, one := range want {
		if !slices.ContainsFunc(w.All(), func(f lab.Found) bool { return strings.HasPrefix(f.Rule+" "+f.Subject, one) }) {
			missing = append(missing, one)
		}
	}
	return missing
}
