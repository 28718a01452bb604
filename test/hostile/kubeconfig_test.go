//go:build linux

package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// jwt is a token that says when it ends.
func jwt(end int64) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, end)) + "." + part("nobody")
}

// certificate makes one that ends, and its key, as lines of a kubeconfig have them.
func certificate(t *testing.T, end time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "u"}, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	check(t, err)
	plain, err := x509.MarshalECPrivateKey(k)
	check(t, err)
	in64 := func(kind string, b []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return in64("CERTIFICATE", der), in64("EC PRIVATE KEY", plain)
}

// TestKubeconfigs: kubeconfigs of which no cluster can be reached.
func TestKubeconfigs(t *testing.T) {
	t.Parallel()
	const users = "users: [{name: u, user: {token: x}}]\ncontexts: [{name: prod, context: {cluster: c, user: u}}]\n"
	config := func(current, cluster string) string {
		return "apiVersion: v1\nkind: Config\ncurrent-context: " + current + "\nclusters: [{name: c, cluster: {" + cluster + "}}]\n" + users
	}
	for _, tt := range []struct {
		name, text string
		make       func(*room, string)
		args       []string
		code       int
		words      string
	}{
		{name: "missing", make: func(_ *room, file string) { check(t, os.Remove(file)) }, code: 1, words: "the kubeconfig: not found"},
		{name: "empty", code: 1, words: "no kubeconfig that names a cluster"},
		{name: "no YAML", text: "a: [\x1b[31m\n b", code: 1, words: "the kubeconfig: malformed"},
		{name: "HTML", text: "<html>", code: 1, words: "the kubeconfig: malformed"},
		{name: "wrong types", text: "apiVersion: v1\nkind: Config\nclusters: 7\nusers: {a: b}\n", code: 1, words: "the kubeconfig: malformed"},
		{name: "another kind", text: goodPod, code: 1, words: "the kubeconfig: malformed"},
		{name: "a bomb", text: bomb(12, "apiVersion: v1\nkind: Config\nclusters: *x%d\n"), code: 1, words: "the kubeconfig: malformed"},
		{name: "no context", text: config(`""`, "server: 'https://127.0.0.1:1'"), code: 1, words: "no kubeconfig that names a cluster"},
		{name: "unknown context", text: config("prod", "server: 'https://127.0.0.1:1'"), args: []string{"--context", "x\x1b[31m"}, code: 1, words: "(it has prod)"},
		{name: "unknown current context", text: config("gone", "server: 'https://127.0.0.1:1'"), code: 1, words: `the kubeconfig has no context "gone" (it has prod)`},
		{name: "no server", text: config("prod", ""), code: 1, words: "no server"},
		{name: "a server of nonsense", text: config("prod", `server: "https://\e[31m:x:y"`), code: 1, words: "the server's address: malformed"},
		{name: "another scheme", text: config("prod", "server: 'file:///etc/passwd'"), code: 1, words: ""},
		{name: "nobody there", text: config("prod", "server: 'https://127.0.0.1:1'"), code: 1, words: "the API server at 127.0.0.1:1 does not answer"},
		{name: "an authority that is none", text: config("prod", "server: 'https://127.0.0.1:1', certificate-authority-data: bm9uZQ=="), code: 1, words: "the context prod: malformed"},
		{name: "an authority that is not there", text: config("prod", "server: 'https://127.0.0.1:1', certificate-authority: /nowhere/ca.crt"), code: 1, words: "the context prod: malformed"},
		{name: "a pipe", make: func(_ *room, file string) { check(t, os.Remove(file)); check(t, mkfifo(file)) }, args: []string{"--timeout", "2s"}, code: 1, words: "reading the kubeconfig: not done within 2s"},
		{name: "a folder", make: func(_ *room, file string) { check(t, os.Remove(file)); check(t, os.Mkdir(file, 0o755)) }, code: 1, words: "the kubeconfig: malformed"},
		{name: "a namespace that is none", text: config("prod", "server: 'https://127.0.0.1:1'"), args: []string{"--namespaces", "../x"}, code: 1, words: `"../x" is no name of a namespace`},
		{name: "offline", text: config("prod", "server: 'https://127.0.0.1:1'"), args: []string{"--offline"}, code: 1, words: "--offline forbids it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			file := r.put("config", []byte(tt.text))
			if tt.make != nil {
				tt.make(r, file)
			}
			want{code: tt.code, words: tt.words}.check(t, r.cluster(file, tt.args...))
			if tt.name == "missing" || tt.name == "wrong types" || tt.name == "offline" { // the rest is done
				r.put("good.yaml", []byte(goodPod))
				res := r.cluster(file, append(tt.args, r.path("in", "good.yaml"))...)
				if want := tt.words; res.code != 4 || !about(res, "workload/privileged", "shop/Pod/good") || !res.noted(want) {
					t.Errorf("with another target: exit code %d, notes %+v", res.code, res.report.Notes)
				}
			}
		})
	}
}

// TestTrust: servers and credentials that are not to be believed, or no more.
func TestTrust(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	refusing := cluster(t, "/", refused(401, always))
	for user, words := range map[string]string{
		"token: " + jwt(1_000_000_000): "the token of the kubeconfig expired on 2001-09-09",
		"token: " + jwt(4_000_000_000): "it does not take the credentials of the context prod",
		"token: x.y.z":                 "it does not take the credentials of the context prod",
		"tokenFile: /nowhere":          "",
		"tokenFile: " + r.put("token", []byte(jwt(1_000_000_000))): "the token of the kubeconfig expired on 2001-09-09",
		"username: a, password: b":                                 "it does not take the credentials of the context prod",
		"client-certificate-data: bm9uZQ==, client-key-data: eA==": "the context prod: malformed",
		"": "it does not take the credentials of the context prod",
	} {
		res := r.cluster(refusing.kubeconfig(r, user))
		want{code: 1, words: words}.check(t, res)
		for _, word := range []string{jwt(1_000_000_000), jwt(4_000_000_000)} {
			if strings.Contains(res.stdout+res.stderr, word) {
				t.Error("the token is shown")
			}
		}
	}
	cert, key := certificate(t, time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC))
	want{code: 1, words: "the client certificate of the kubeconfig expired on 2020-01-02"}.check(t, r.cluster(refusing.kubeconfig(r, "client-certificate-data: "+cert+", client-key-data: "+key)))

	good := cluster(t, "none", nil)
	other, _ := certificate(t, time.Date(2040, 1, 2, 0, 0, 0, 0, time.UTC))
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for server, words := range map[string]string{
		good.URL + "', certificate-authority-data: " + other + ", x: 'y": "not vouched for by the authority that the kubeconfig names",
		good.URL: "not vouched for by the authority that the kubeconfig names",
		good.URL + "', insecure-skip-tls-verify: true, tls-server-name: 'other.example.com": "",
		strings.Replace(plain.URL, "http:", "https:", 1):                                    "the server does not speak TLS",
		strings.Replace(good.URL, "https:", "http:", 1):                                     "400",
	} {
		file := r.put("trust", []byte("apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{name: c, cluster: {server: '"+server+"'}}]\nusers: [{name: u, user: {token: "+secretly()+"}}]\ncontexts: [{name: prod, context: {cluster: c, user: u}}]\n"))
		code := 1
		if words == "" {
			code = 0
		}
		res := r.cluster(file)
		want{code: code, words: words}.check(t, res)
		if strings.Contains(res.stdout+res.stderr, secretly()) {
			t.Error("the token is shown")
		}
	}
}

// TestHelpers: programs that give credentials, which hang, fail, lie and never end.
func TestHelpers(t *testing.T) {
	t.Parallel()
	s := cluster(t, "/", func(w http.ResponseWriter, r *http.Request, _ []byte, _ int32) bool {
		if r.Header.Get("Authorization") == "Bearer "+secretly() {
			return false
		}
		return refused(401, always)(w, r, nil, 1)
	})
	const head = `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",`
	say := func(s string) string { return "cat <<'E'\n" + s + "\nE\n" }
	for _, tt := range []struct {
		name, script string
		code         int
		words        string
	}{
		{"well", say(head + `"status":{"token":"` + secretly() + `"}}`), 0, ""},
		{"the second time", `if [ -e "$TMPDIR/../cache/asked" ]; then ` + say(head+`"status":{"token":"`+secretly()+`"}}`) + `else /bin/touch "$TMPDIR/../cache/asked"; ` + say(head+`"status":{"token":"old"}}`) + "fi", 0, ""},
		{"of another", say(head + `"status":{"token":"other"}}`), 1, "it does not take the credentials of the context prod"},
		{"hangs with children", "/bin/sleep 300 & /bin/sleep 300", 1, "it does not end within"},
		{"leaves children that hold on", say(head+`"status":{"token":"`+secretly()+`"}}`) + "/bin/sleep 300 &", 1, ""},
		{"fails", "printf 'log in: \\033[31m\\033[2J\\nfirst' >&2; exit 7", 1, "exit status 7 (log in: [31m[2J first)"},
		{"is killed", "kill -9 $$", 1, "signal: killed"},
		{"says nothing", "", 1, "what it says is no ExecCredential"},
		{"says HTML", say("<html>"), 1, "what it says is no ExecCredential"},
		{"speaks another version", say(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v9","status":{"token":"x"}}`), 1, "it speaks client.authentication.k8s.io/v9"},
		{"gives nothing", say(head + `"status":{}}`), 1, "neither a token nor a certificate with its key"},
		{"gives half", say(head + `"status":{"clientKeyData":"x"}}`), 1, "neither a token nor a certificate with its key"},
		{"gives a certificate that is none", say(head + `"status":{"clientKeyData":"x","clientCertificateData":"y"}}`), 1, "the context prod: malformed"},
		{"gives a token of lines", say(head + `"status":{"token":"x\nHost: y\u001b[31m"}}`), 1, ""},
		{"never ends to speak", "while :; do echo " + strings.Repeat("x", 1000) + "; done", 1, "it says more than 1 MB: limit exceeded"},
		{"never ends to complain", "while :; do echo " + strings.Repeat("x", 1000) + " >&2; done", 1, "it does not end within"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.env = []string{"PATH=/usr/bin:/bin"}
			program := r.put("helper", []byte("#!/bin/sh\n"+tt.script+"\n"))
			check(t, os.Chmod(program, 0o755))
			exec := "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, provideClusterInfo: true, command: " + program + "}"
			res := r.cluster(s.kubeconfig(r, exec), "--timeout", "6s")
			if tt.name == "leaves children that hold on" {
				return // that it ends is enough
			}
			want{code: tt.code, words: tt.words}.check(t, res)
			if tt.code == 0 && !about(res, "workload/privileged", "shop/Pod/good") {
				t.Error("nothing is found")
			}
			if strings.Contains(res.stdout+res.stderr, secretly()) {
				t.Error("the token is shown")
			}
		})
	}
	r := newRoom(t)
	gone := "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: nowhere-at-all, installHint: \"get it\\e[31m:\\nhttps://example.com\"}"
	want{code: 1, words: "the program nowhere-at-all, which the kubeconfig names for credentials: not found (get it"}.check(t, r.cluster(s.kubeconfig(r, gone)))
	old := "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, interactiveMode: Never, command: /bin/true}"
	want{code: 1, words: "what it says is no ExecCredential"}.check(t, r.cluster(s.kubeconfig(r, old)))
}
