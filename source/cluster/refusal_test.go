package cluster

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/kube"
)

// on answers requests for a path.
func on(path string, do http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		do(w, r)
		return true
	}
}

// TestRefusals: what the server refuses is told, and the rest is done.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		do         http.HandlerFunc
		unseen     string // why, of the resource
		note       string
		asked      int // how often
	}{
		{"forbidden", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "no") }, "forbidden", "may not list pods:", 1},
		{"fails", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 500, "etcd\x1b[31m is\nill") }, "500", "could not list pods: the API server says 500 Internal Server Error: etcd[31m is ill", maxTries},
		{"busy", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			refuse(w, 429, "slow down")
		}, "429", "could not list pods", maxTries},
		{"gone", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "") }, "", "", 1},
		{"nonsense", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, "malformed", "could not list pods", 1},
		{"other type", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"items":{"a":1}}`) }, "malformed", "could not list pods", 1},
		{"cut off", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"items":[{"metadata":{"name":"x"}}`)
		}, "breaks off", "could not list pods", maxTries},
		{"circle", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"items":[],"metadata":{"continue":"1"}}`)
		}, "leads to itself", "could not list pods", 2},
		{"bad gzip", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "no gzip at all")
		}, "malformed", "could not list pods", 1},
		{"moved", "/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.invalid/")
			w.WriteHeader(302)
		}, "302", "could not list pods", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := filled(t)
			f.answer = on(tt.path, tt.do)
			target := open(t, f.options(t))
			s := kube.Of(target)
			if s.Find("a/Deployment/web") == nil || !strings.Contains(s.Cluster.Unseen["pods"], tt.unseen) || (tt.unseen == "") != (s.Cluster.Unseen["pods"] == "") {
				t.Errorf("unseen %v", s.Cluster.Unseen)
			}
			if tt.note != "" && (len(target.Notes) != 1 || !strings.Contains(target.Notes[0].Text, tt.note) || !target.Notes[0].Incomplete) {
				t.Errorf("notes %v", target.Notes)
			}
			n := 0
			for _, uri := range f.asked {
				if strings.HasPrefix(uri, tt.path) {
					n++
				}
			}
			if n != tt.asked {
				t.Errorf("asked %d times, want %d", n, tt.asked)
			}
			if tt.name == "busy" && (len(f.waits) != maxTries-1 || f.waits[0] != 7*time.Second) {
				t.Errorf("waits %v", f.waits)
			}
		})
	}
}

func TestSecretsForbidden(t *testing.T) {
	f := filled(t)
	f.answer = on("/api/v1/secrets", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "no") })
	target := open(t, f.options(t))
	if len(target.Notes) != 1 || target.Notes[0].Incomplete || kube.Of(target).Cluster.Unseen["secrets"] != "forbidden" {
		t.Errorf("%v", target.Notes)
	}
	o := f.options(t)
	o.ReadSecrets = true
	if target := open(t, o); len(target.Notes) != 1 || !target.Notes[0].Incomplete {
		t.Errorf("asked for values: %v", target.Notes)
	}
}

// TestNothing: what leaves nothing to look at is an error that says why.
func TestNothing(t *testing.T) {
	all := func(code int) func(*fake) {
		return func(f *fake) {
			f.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.Count(r.URL.Path, "/") < 3 && code == 403 {
					return false
				}
				refuse(w, code, "")
				return true
			}
		}
	}
	expired := "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1000000000}`)) + ".s"
	for _, tt := range []struct {
		name    string
		prepare func(*fake)
		token   string
		want    error
		text    string
	}{
		{"forbidden", all(403), "x", bulwark.ErrUntrusted, "list nothing (403"},
		{"unauthorized", all(401), "x", bulwark.ErrUntrusted, "may have expired"},
		{"expired token", all(401), expired, bulwark.ErrUntrusted, "the token of the kubeconfig expired on 2001-09-09"},
		{"busy", all(429), "x", bulwark.ErrUnavailable, "429 Too Many Requests"},
		{"failing", all(500), "x", bulwark.ErrUnavailable, "500 Internal Server Error"},
		{"refused", func(f *fake) { f.Close() }, "x", bulwark.ErrUnavailable, "does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := filled(t)
			o := f.options(t)
			o.Kubeconfig = f.kubeconfig(t, tt.token)
			tt.prepare(f)
			_, err := (&Source{o}).Open(t.Context(), "")
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), expired) {
				t.Errorf("the error has the token: %v", err)
			}
			if len(f.waits) > maxTries {
				t.Errorf("waited %d times", len(f.waits))
			}
		})
	}
}

// TestExpiresMidway: a token that ends while a scan is under way ends the questions, not the scan.
func TestExpiresMidway(t *testing.T) {
	f := filled(t)
	dead := false
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		dead = dead || strings.HasSuffix(r.URL.Path, "/replicasets")
		if dead {
			refuse(w, 401, "Unauthorized")
		}
		return dead
	}
	target := open(t, f.options(t))
	s := kube.Of(target)
	if s.Find("a/Deployment/web") == nil || s.Cluster.Unseen["pods"] == "" || len(target.Notes) != 1 {
		t.Errorf("%v %v", s.Cluster.Unseen, target.Notes)
	}
	if n := len(slices.DeleteFunc(slices.Clone(f.asked), func(u string) bool { return !strings.Contains(u, "/pods") })); n > 0 {
		t.Errorf("pods were asked for %d times with a token that has ended", n)
	}
}

func TestTLS(t *testing.T) {
	f := filled(t)
	o := f.options(t)
	b, err := os.ReadFile(o.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(f)
	defer plain.Close()
	write(t, o.Kubeconfig, strings.Replace(string(b), f.URL, strings.Replace(plain.URL, "http:", "https:", 1), 1))
	if _, err := (&Source{o}).Open(t.Context(), ""); !errors.Is(err, bulwark.ErrUnavailable) || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("a server without TLS: %v", err)
	}
	write(t, o.Kubeconfig, strings.Replace(string(b), "certificate-authority:", "tls-server-name: x, ignored:", 1))
	if _, err := (&Source{o}).Open(t.Context(), ""); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}

// TestExpiredContinue: a list that expires goes on where the server says, or anew; nothing is there twice.
func TestExpiredContinue(t *testing.T) {
	for _, token := range []string{"4", ""} {
		f := filled(t)
		f.pageSize = 2
		times := 0
		f.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/v1/pods" || r.URL.Query().Get("continue") != "2" || times > 0 {
				return false
			}
			times++
			w.WriteHeader(http.StatusGone)
			fmt.Fprintf(w, `{"kind":"Status","code":410,"reason":"Expired","metadata":{"continue":%q}}`, token)
			return true
		}
		s := kube.Of(open(t, f.options(t)))
		want := map[string]int{"4": 4, "": 6}[token]
		if n := len(s.Kind("", "Pod")); n != want || times != 1 {
			t.Errorf("token %q: %d pods, want %d", token, n, want)
		}
	}
	f := filled(t)
	f.answer = on("/api/v1/pods", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	if s := kube.Of(open(t, f.options(t))); s.Cluster.Unseen["pods"] == "" {
		t.Error("a list that always expires is taken as read")
	}
}

// TestExecCredentials: a program that the user's kubeconfig names gives the token; one that
// fails is told of.
func TestExecCredentials(t *testing.T) {
	f := filled(t)
	o := f.options(t)
	f.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer made-by-program" {
			refuse(w, 401, "Unauthorized")
			return true
		}
		return false
	}
	plain, err := os.ReadFile(o.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	use := func(name, script string) { // programs' answers are remembered by name
		program := filepath.Join(t.TempDir(), name)
		write(t, program, "#!/bin/sh\n"+script+"\n")
		if err := os.Chmod(program, 0o700); err != nil {
			t.Fatal(err)
		}
		exec := fmt.Sprintf(`exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: Never}`, program)
		write(t, o.Kubeconfig, strings.Replace(string(plain), `token: "good"`, exec, 1))
	}
	use("login", `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"made-by-program"}}'`)
	if target := open(t, o); len(target.Notes) > 0 {
		t.Errorf("%v", target.Notes)
	}
	use("failing", "exit 7")
	if _, err := (&Source{o}).Open(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "failing") {
		t.Errorf("%v", err)
	}
}

// TestLargePages: a page that is larger than its budget is asked for in smaller ones.
func TestLargePages(t *testing.T) {
	f := newFake(t)
	big := strings.Repeat("x", 1<<10)
	for i := range 90 {
		f.add("configmaps", named("a", fmt.Sprint(i), object{"data": object{"k": big}}))
	}
	f.add("namespaces", named("", "a"))
	f.pageSize = 1000
	small := f.options(t)
	small.most = 50 << 10
	target := open(t, small)
	if s := kube.Of(target); len(s.Kind("", "ConfigMap")) != 90 || len(target.Notes) > 0 {
		t.Errorf("%d objects, %v", s.Len(), target.Notes)
	}
	o := f.options(t)
	o.Namespaces = []string{"../../x"}
	if _, err := (&Source{o}).Open(t.Context(), ""); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("%v", err)
	}
}

// TestHangs: what a server does not answer is given up, and the rest is done.
func TestHangs(t *testing.T) {
	f := filled(t)
	f.answer = on("/api/v1/pods", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	o := f.options(t)
	o.slow = 1500 * time.Millisecond
	target := open(t, o)
	s := kube.Of(target)
	if s.Find("a/Deployment/web") == nil || !strings.Contains(s.Cluster.Unseen["pods"], "in time") || len(target.Notes) != 1 {
		t.Errorf("%v %v", s.Cluster.Unseen, target.Notes)
	}
}
