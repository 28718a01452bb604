package registry

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"bulwark"
	"bulwark/source/image"
)

// server is a registry in memory with an image for two platforms. What it is given may
// answer in its stead.
func server(t *testing.T, instead func(w http.ResponseWriter, r *http.Request, next http.Handler)) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	armed := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if armed && instead != nil {
			instead(w, r, inner)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	addr := srv.Listener.Addr().String()
	push(t, addr)
	armed = true
	return addr
}

// clock notes how long it was asked to wait.
type clock struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	return ctx.Err()
}

func isBlob(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/") }

func isManifest(r *http.Request) bool { return strings.Contains(r.URL.Path, "/manifests/") }

func TestAnswers(t *testing.T) {
	alone(t)
	answer := func(code int, header ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if !isManifest(r) {
				next.ServeHTTP(w, r)
				return
			}
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			io.WriteString(w, "\x1b[31m"+`{"errors":[{"code":"DENIED","message":"\u001b[31mno"}]}`)
		}
	}
	for _, tt := range []struct {
		name    string
		instead func(http.ResponseWriter, *http.Request, http.Handler)
		want    error
		waits   int
	}{
		{"401", answer(401), bulwark.ErrUntrusted, 0},
		{"403", answer(403), bulwark.ErrUntrusted, 0},
		{"404", answer(404), bulwark.ErrNotFound, 0},
		{"418", answer(418), bulwark.ErrUnavailable, 0},
		{"429", answer(429), bulwark.ErrUnavailable, 3},
		{"429 for too long", answer(429, "Retry-After", "3600"), bulwark.ErrUnavailable, 0},
		{"500", answer(500), bulwark.ErrUnavailable, 3},
		{"503", answer(503), bulwark.ErrUnavailable, 3},
		{"not the manifest it says", answer(200, "Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64)), bulwark.ErrUntrusted, 0},
		{"no JSON", answer(200), bulwark.ErrMalformed, 0},
		{"endless manifest", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			for isManifest(r) && r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, bulwark.ErrLimit, 0},
		{"truncated manifest", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if isManifest(r) {
				w.Header().Set("Content-Length", "1000")
				io.WriteString(w, "{")
			}
		}, bulwark.ErrUnavailable, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &clock{}
			_, err := contents(t, &Source{sleep: c.sleep}, server(t, tt.instead)+"/team/app:amd64")
			if !errors.Is(err, tt.want) || len(c.waits) != tt.waits {
				t.Errorf("error %v after waits %v, want %v after %d", err, c.waits, tt.want, tt.waits)
			}
			if err != nil && strings.ContainsRune(err.Error(), 0x1b) {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	alone(t)
	var mu sync.Mutex
	answers := []string{"7", "Mon, 02 Jan 2006 15:04:45 GMT"}
	addr := server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		defer mu.Unlock()
		if isManifest(r) && len(answers) > 0 {
			w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
			w.Header().Set("Retry-After", answers[0])
			answers = answers[1:]
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
	c := &clock{}
	check(t, &Source{sleep: c.sleep}, addr+"/team/app:amd64", "amd64")
	if len(c.waits) != 2 || c.waits[0] != 7*time.Second || c.waits[1] != 40*time.Second {
		t.Errorf("waited %v", c.waits)
	}
}

// truncated sends half of each blob, and with resume the rest to who asks for it.
func truncated(resume bool) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !isBlob(r) || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		whole := r.Clone(r.Context())
		whole.Header.Del("Range")
		next.ServeHTTP(rec, whole)
		b := rec.Body.Bytes()
		if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && resume {
			n, _ := strconv.Atoi(strings.TrimSuffix(from, "-"))
			w.Header().Set("Content-Range", "bytes "+from+strconv.Itoa(len(b)-1)+"/"+strconv.Itoa(len(b)))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(b[n:])
			return
		}
		// The configuration is sent whole: it is not worth resuming.
		if len(b) > 0 && b[0] == '{' {
			w.Write(b)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		w.Write(b[:len(b)/2])
	}
}

func TestTruncatedLayer(t *testing.T) {
	alone(t)
	c := &clock{}
	check(t, &Source{sleep: c.sleep}, server(t, truncated(true))+"/team/app:amd64", "amd64")
	if _, err := contents(t, &Source{sleep: c.sleep}, server(t, truncated(false))+"/team/app:amd64"); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Errorf("without resuming: %v", err)
	}
}

func TestLayerThatIsNotWhatItClaims(t *testing.T) {
	alone(t)
	addr := server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		b := rec.Body.Bytes()
		if isBlob(r) && len(b) > 9 && b[0] == 0x1f {
			b[9] ^= 1 // the gzip header's operating system
		}
		w.Write(b)
	})
	if _, err := contents(t, &Source{}, addr+"/team/app:amd64"); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("Walk = %v", err)
	}
}

func TestStalledPeer(t *testing.T) {
	alone(t)
	for name, is := range map[string]func(*http.Request) bool{"manifest": isManifest, "layer": isBlob} {
		addr := server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if !is(r) {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		_, err := contents(t, &Source{Stall: 50 * time.Millisecond, sleep: (&clock{}).sleep}, addr+"/team/app:amd64")
		if !errors.Is(err, bulwark.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := (&Source{}).Open(ctx, addr+"/team/app:amd64"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

func TestRedirectCarriesNoCredentials(t *testing.T) {
	alone(t)
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Authorization"); a != "" {
			t.Errorf("the storage was sent %q", a)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer storage.Close()
	addr := server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if user, password, ok := r.BasicAuth(); !ok || user != "u" || password != "p" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if isBlob(r) {
			http.Redirect(w, r, storage.URL+"/x?signature=topsecret", http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
	_, err := contents(t, &Source{Username: "u", Password: "p"}, addr+"/team/app:amd64")
	if !errors.Is(err, bulwark.ErrUntrusted) || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("Open = %v", err)
	}
}

func TestTokenService(t *testing.T) {
	alone(t)
	const token = "abc"
	var addr string
	addr = server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == "/token" {
			if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			io.WriteString(w, `{"token":"`+token+`"}`)
			return
		}
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+addr+`/token",service="x",scope="repository:team/app:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	ref := addr + "/team/app:amd64"
	check(t, &Source{Username: "u", Password: "p"}, ref, "amd64")
	check(t, &Source{Token: token}, ref, "amd64")
	if _, err := contents(t, &Source{Username: "u", Password: "wrong"}, ref); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("wrong password: %v", err)
	}
	// The same where the service is said to be somewhere else in the user's network.
	addr2 := server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://169.254.169.254/latest/meta-data"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	if _, err := contents(t, &Source{Username: "u", Password: "p"}, addr2+"/team/app:amd64"); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("metadata service: %v", err)
	}
}

func TestMirrors(t *testing.T) {
	alone(t)
	t.Setenv("BULWARK_USERNAME", "u")
	t.Setenv("BULWARK_PASSWORD", "p")
	good := server(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a mirror was sent the registry's credentials")
		}
		next.ServeHTTP(w, r)
	})
	bad := server(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { w.WriteHeader(http.StatusNotFound) })
	origin := "registry.invalid"
	check(t, &Source{Mirrors: map[string][]string{origin: {bad, good}}}, origin+"/team/app:amd64", "amd64")
	check(t, &Source{Mirrors: map[string][]string{origin: {good + "/team"}}}, origin+"/app:amd64", "amd64")
	other := server(t, nil)
	check(t, &Source{Mirrors: map[string][]string{other: {bad}}}, other+"/team/app:amd64", "amd64")
	_, err := contents(t, &Source{Mirrors: map[string][]string{other: {bad}}}, other+"/team/none:1")
	if !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("nowhere: %v", err)
	}
}

func TestPrivateCA(t *testing.T) {
	alone(t)
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewUnstartedServer(inner)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	plain := httptest.NewServer(inner)
	defer plain.Close()
	push(t, plain.Listener.Addr().String())
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	ref := "127.0.0.1:" + port + "/team/app:amd64"
	if _, err := contents(t, &Source{}, ref); !errors.Is(err, bulwark.ErrUntrusted) && !errors.Is(err, bulwark.ErrUnavailable) {
		t.Errorf("unknown CA: %v", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	check(t, &Source{CAFile: ca}, ref, "amd64")
	for file, want := range map[string]error{ca + "x": bulwark.ErrNotFound, filepath.Join("registry.go"): bulwark.ErrMalformed} {
		if _, err := contents(t, &Source{CAFile: file}, ref); !errors.Is(err, want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestPlain(t *testing.T) {
	s := &Source{PlainHTTP: []string{"registry.example:5000"}}
	w, err := s.newWire("x")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"localhost:5000": true, "127.0.0.1": true, "127.9.9.9:1": true, "[::1]:5000": true, "registry.example:5000": true,
		"registry.example": false, "10.0.0.1:5000": false, "localhost.example": false, "registry.local:5000": false,
	} {
		if got := w.plain(host); got != want {
			t.Errorf("plain(%s) = %v", host, got)
		}
	}
	req, _ := http.NewRequest(http.MethodGet, "http://10.0.0.1:5000/v2/", nil)
	if _, err := w.RoundTrip(req); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("plain HTTP to a private address: %v", err)
	}
}

func TestGuard(t *testing.T) {
	for _, tt := range []struct {
		at   reach
		addr string
		ok   bool
	}{
		{public, "127.0.0.1:1", false}, {public, "10.1.2.3:1", false}, {public, "100.64.1.2:1", false}, {public, "169.254.169.254:80", false}, {public, "0.0.0.0:1", false},
		{private, "127.0.0.1:1", false}, {machine, "169.254.169.254:80", false}, {machine, "127.0.0.1:1", true}, {public, "[::1]:1", false},
		{public, "[::ffff:127.0.0.1]:1", false},
	} {
		w := &wire{host: "x"}
		w.reach.Store(int32(tt.at))
		_, err := w.guarded(t.Context(), "tcp", tt.addr)
		if refused := errors.Is(err, bulwark.ErrUntrusted); refused == tt.ok {
			t.Errorf("from %d to %s: %v", tt.at, tt.addr, err)
		}
	}
}

func TestForeign(t *testing.T) {
	alone(t)
	asked := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer srv.Close()
	ref := strings.TrimPrefix(srv.URL, "http://") + "/team/app"
	if _, err := (&Source{Foreign: true}).Digest(t.Context(), ref); !errors.Is(err, bulwark.ErrUntrusted) || asked {
		t.Errorf("a target's own registry on this machine: %v, asked %v; want it refused before it is asked", err, asked)
	}
}

func TestUnreachable(t *testing.T) {
	alone(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if _, err := contents(t, &Source{}, addr+"/team/app"); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	r, err := image.ParseReference("nginx")
	if err != nil {
		t.Fatal(err)
	}
	got := (&Source{Mirrors: map[string][]string{"docker.io": {"mirror.example/hub/"}}}).endpoints(r)
	if len(got) != 2 || got[0] != (endpoint{"mirror.example", "hub/library/nginx", true}) || got[1] != (endpoint{"index.docker.io", "library/nginx", false}) {
		t.Errorf("endpoints %+v", got)
	}
}
