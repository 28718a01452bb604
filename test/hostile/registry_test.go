//go:build linux

package hostile

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// peer is a registry in memory that holds one image, test:1.
type peer struct {
	*httptest.Server
	files map[string][]byte // by path
	asked atomic.Int32
}

// fault answers a request in place of the registry; false leaves it to the registry.
// n counts the requests to what the fault is about, from 1.
type fault func(w http.ResponseWriter, r *http.Request, body []byte, n int32) bool

const repository = "/v2/some/test/"

// serve starts a registry that misbehaves when it is asked for paths that hold part.
func serve(t *testing.T, l *layout, part string, f fault) *peer {
	t.Helper()
	config, manifest, _ := l.documents(t)
	p := &peer{files: map[string][]byte{
		"/v2/":                                         []byte("{}"),
		repository + "manifests/1":                     manifest,
		repository + "blobs/" + digestOf(config):       config,
		repository + "manifests/" + digestOf(manifest): manifest,
	}}
	for _, b := range l.layers {
		p.files[repository+"blobs/"+b.digest] = b.data
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := p.files[r.URL.Path]
		if strings.Contains(r.URL.Path, part) && f(w, r, body, p.asked.Add(1)) {
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", manifestType)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	t.Cleanup(func() {
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

func (p *peer) image() string { return strings.TrimPrefix(p.URL, "http://") + "/some/test:1" }

// answer answers with an HTTP status, the first times times.
func answer(status int, times int32, header ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ []byte, n int32) bool {
		if n > times {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], strings.ReplaceAll(header[i+1], "SELF", "http://"+r.Host))
		}
		w.WriteHeader(status)
		fmt.Fprint(w, "{\"errors\":[{\"code\":\"\x1b[31mX\",\"message\":\"\x1b[2J\"}]}")
		return true
	}
}

const always = 1 << 30

// stall sends part of the body, and then nothing until the asker gives up.
func stall(w http.ResponseWriter, r *http.Request, body []byte, _ int32) bool {
	w.Header().Set("Content-Length", itoa(len(body)))
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	return true
}

// breakOff ends the body too early.
func breakOff(times int32) fault {
	return func(w http.ResponseWriter, r *http.Request, body []byte, n int32) bool {
		if n > times {
			return false
		}
		w.Header().Set("Content-Length", itoa(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
}

// other sends bytes that nobody asked for.
func other(body string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int32) bool {
		fmt.Fprint(w, body)
		return true
	}
}

// endless sends for ever.
func endless(w http.ResponseWriter, r *http.Request, _ []byte, _ int32) bool {
	chunk := bytes.Repeat([]byte(`{"a":[`), 10_000)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	return true
}

// TestRegistries asks registries that fail in each of these ways.
func TestRegistries(t *testing.T) {
	t.Parallel()
	upper := layerOf(t, append(distroless(next), noise("opt/data", 200_000))...)
	both := []string{good, next}
	evil := tarBytes(t, append(distroless("evil 6.6"), noise("opt/data", 300_000))...)
	for _, tt := range []struct {
		name, part string
		fault      fault
		want       want
	}{
		{"well", "none", nil, want{0, "", both}},
		{"401 without a challenge", "", answer(401, always), want{1, "not trusted", nil}},
		{"401 with a password", "/v2/", answer(401, always, "WWW-Authenticate", `Basic realm="x"`), want{1, "not trusted", nil}},
		{"token service elsewhere", "/v2/", answer(401, always, "WWW-Authenticate", `Bearer realm="http://169.254.169.254/token",service="x"`), want{1, "", nil}},
		{"token service of nonsense", "/v2/", answer(401, always, "WWW-Authenticate", "Bearer realm=\"\x7f::\x1b\""), want{1, "", nil}},
		{"403", "manifests", answer(403, always), want{1, "not trusted", nil}},
		{"404", "manifests", answer(404, always), want{1, "not found", nil}},
		{"404 for the configuration", "CONFIG", answer(404, always), want{1, "not found", nil}},
		{"404 for a layer", "LAYER", answer(404, always), want{4, "not found", []string{good}}},
		{"429 once", "manifests", answer(429, 1, "Retry-After", "1"), want{0, "", both}},
		{"429 for ever", "manifests", answer(429, always, "Retry-After", "0"), want{1, "unavailable", nil}},
		{"429 until next year", "manifests", answer(429, always, "Retry-After", "31536000"), want{1, "unavailable", nil}},
		{"500 once", "LAYER", answer(500, 1), want{0, "", both}},
		{"500", "manifests", answer(500, always), want{1, "unavailable", nil}},
		{"503", "CONFIG", answer(503, always), want{1, "unavailable", nil}},
		{"503 for a layer", "LAYER", answer(503, always), want{4, "unavailable", []string{good}}},
		{"418", "manifests", answer(418, always), want{1, "unavailable", nil}},
		{"stalled manifest", "manifests", stall, want{1, "unavailable", nil}},
		{"stalled configuration", "CONFIG", stall, want{1, "unavailable", nil}},
		{"stalled layer", "LAYER", stall, want{1, "unavailable", nil}},
		{"truncated once", "LAYER", breakOff(1), want{0, "", both}},
		{"truncated for ever", "LAYER", breakOff(always), want{4, "unavailable", []string{good}}},
		{"truncated manifest", "manifests", breakOff(always), want{1, "unavailable", nil}},
		{"another manifest", "manifests", answer(200, always, "Docker-Content-Digest", digestOf([]byte("x"))), want{1, "", nil}},
		{"a web page", "manifests", other("<html>log in</html>"), want{1, "malformed", nil}},
		{"another configuration", "CONFIG", other("{}"), want{1, "not trusted", nil}},
		{"another layer", "LAYER", other(strings.Repeat("other", int(upper.size))[:upper.size]), want{4, "", []string{good}}},
		{"another layer that is one", "LAYER", other(string(evil) + "longer than said"), want{4, "not trusted", []string{good}}},
		{"a layer that is too short, and no rest", "LAYER", other("other"), want{4, "broke off", []string{good}}},
		{"redirect to itself", "LAYER", answer(307, always, "Location", "SELF"+repository+"blobs/"+upper.digest), want{4, "", []string{good}}},
		{"redirect to metadata", "LAYER", answer(307, always, "Location", "http://169.254.169.254/latest"), want{4, "not trusted", []string{good}}},
		{"redirect to a file", "LAYER", answer(307, always, "Location", "file:///etc/passwd"), want{4, "", []string{good}}},
		{"endless manifest", "manifests", endless, want{1, "limit exceeded", nil}},
		{"endless configuration", "CONFIG", endless, want{1, "limit exceeded", nil}},
		{"endless layer", "LAYER", endless, want{4, "", []string{good}}},
		{"nothing", "", func(http.ResponseWriter, *http.Request, []byte, int32) bool { panic(http.ErrAbortHandler) }, want{1, "unavailable", nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLayout(layerOf(t, debian(good)...), upper)
			part := strings.NewReplacer("LAYER", upper.digest, "CONFIG", digestOf(toJSON(t, l.config))).Replace(tt.part)
			p := serve(t, l, part, tt.fault)
			r := newRoom(t)
			args := []string{"scan", "--require-complete", p.image()}
			if strings.HasPrefix(tt.name, "stalled") {
				args = append(args, "--timeout", "3s")
			}
			tt.want.check(t, r.json(args...))
			if tt.want.code != 0 && !strings.Contains(tt.want.words, "unavailable") {
				want{4, tt.want.words, []string{next}}.check(t, r.json(append(args, r.next())...))
			}
		})
	}
}

// TestNobodyListens asks where nothing is.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	r := newRoom(t)
	bad := strings.TrimPrefix(s.URL, "http://") + "/x:1"
	want{1, "unavailable", nil}.check(t, r.json("scan", "--require-complete", bad))
	want{4, "unavailable", []string{next}}.check(t, r.json("scan", "--require-complete", bad, r.next()))
	want{1, "unavailable", nil}.check(t, r.scan("docker:x"))
	want{1, "", nil}.check(t, r.scan("tar:/nowhere.tar"))
	want{1, "not found", nil}.check(t, r.scan("oci:/nowhere"))
	want{1, "not found", nil}.check(t, r.scan("dir:/nowhere"))
	want{1, "", nil}.check(t, r.scan("image:\x1b[31m UPPER//::"))
}
