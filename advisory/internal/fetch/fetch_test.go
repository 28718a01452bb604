package fetch

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
)

// server serves files with ETag and ranges, and misbehaves when told to.
type server struct {
	mu       sync.Mutex
	files    map[string]string
	requests []string                                          // path, and what was conditional about it
	odd      func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")+r.Header.Get("If-None-Match")))
	if s.odd != nil && s.odd(w, r) {
		return
	}
	text, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"`+text[:min(3, len(text))]+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader([]byte(text)))
}

func start(t *testing.T, files map[string]string) (*server, string, *Client) {
	s := &server{files: files}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL, &Client{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func TestFile(t *testing.T) {
	s, base, c := start(t, map[string]string{"/a": "one"})
	dest := filepath.Join(t.TempDir(), "sub", "a")
	get := func(want bool, text string) {
		t.Helper()
		changed, err := c.File(t.Context(), base+"/a", dest, 100, nil)
		if err != nil || changed != want {
			t.Errorf("changed %v, %v, want %v", changed, err, want)
		}
		if b, err := os.ReadFile(dest); err != nil || string(b) != text {
			t.Errorf("the copy is %q, %v, want %q", b, err, text)
		}
	}
	get(true, "one")
	get(false, "one")
	if last := s.requests[len(s.requests)-1]; last != `/a "one"` {
		t.Errorf("asked for %q, want a conditional request", last)
	}
	s.files["/a"] = "two"
	get(true, "two")
	if err := os.WriteFile(dest, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	get(true, "two") // what is not what was fetched is fetched again
	left, err := filepath.Glob(filepath.Join(filepath.Dir(dest), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		odd  func(w http.ResponseWriter, r *http.Request) bool
		want error
	}{
		"not found":    {nil, bulwark.ErrNotFound},
		"unauthorised": {func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(401); return true }, bulwark.ErrUntrusted},
		"busy":         {func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(429); return true }, bulwark.ErrUnavailable},
		"broken":       {func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(502); return true }, bulwark.ErrUnavailable},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "50")
			w.Write([]byte("short"))
			return true
		}, bulwark.ErrUnavailable},
		"too long": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Write(bytes.Repeat([]byte("x"), 200))
			return true
		}, bulwark.ErrLimit},
		"endless": {func(w http.ResponseWriter, _ *http.Request) bool {
			for range 4 {
				w.Write(bytes.Repeat([]byte("x"), 50))
				w.(http.Flusher).Flush()
			}
			return true
		}, bulwark.ErrLimit},
	} {
		s, base, c := start(t, nil)
		s.odd = tt.odd
		dest := filepath.Join(t.TempDir(), "a")
		if _, err := c.File(t.Context(), base+"/a", dest, 100, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if _, err := os.Stat(dest); err == nil {
			t.Errorf("%s: there is a copy", name)
		}
	}
	_, err := (&Client{}).File(t.Context(), "ftp://user:pass@example.com/a", filepath.Join(t.TempDir(), "a"), 1, nil)
	if !errors.Is(err, bulwark.ErrUnsupported) || strings.Contains(err.Error(), "pass") {
		t.Errorf("ftp: %v, want ErrUnsupported without the password", err)
	}
}

func TestStall(t *testing.T) {
	s, base, c := start(t, nil)
	done := make(chan struct{})
	defer close(done)
	s.odd = func(w http.ResponseWriter, r *http.Request) bool {
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-done:
		}
		return true
	}
	c.Stall = time.Millisecond
	_, err := c.File(t.Context(), base+"/a", filepath.Join(t.TempDir(), "a"), 100, nil)
	if !errors.Is(err, bulwark.ErrUnavailable) || errors.Is(err, context.Canceled) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

// TestRetry: a busy server is asked again after the time that it names.
func TestRetry(t *testing.T) {
	s, base, c := start(t, map[string]string{"/a": "one"})
	var slept []time.Duration
	c.Sleep = func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil }
	n := 0
	s.odd = func(w http.ResponseWriter, _ *http.Request) bool {
		if n++; n > 2 {
			return false
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	if changed, err := c.File(t.Context(), base+"/a", filepath.Join(t.TempDir(), "a"), 100, nil); err != nil || !changed {
		t.Errorf("%v, %v", changed, err)
	}
	if len(slept) != 2 || slept[0] != 7*time.Second {
		t.Errorf("waited %v, want twice 7 s", slept)
	}
}

// TestResume: an interrupted download goes on where it stopped, in one run and in the next.
func TestResume(t *testing.T) {
	const text = "0123456789abcdefghij"
	s, base, c := start(t, map[string]string{"/a": text})
	cuts := 0
	s.odd = func(w http.ResponseWriter, r *http.Request) bool {
		if cuts--; cuts < 0 {
			return false
		}
		from := 0
		if r.Header.Get("Range") == "bytes=5-" {
			from = 5
			w.Header().Set("Content-Range", "bytes 5-19/20")
		}
		w.Header().Set("ETag", `"012"`)
		w.Header().Set("Content-Length", "15")
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write([]byte(text[from : from+5]))
		return true
	}
	dest := filepath.Join(t.TempDir(), "a")
	cuts = 2
	if _, err := c.File(t.Context(), base+"/a", dest, 100, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"/a", "/a bytes=5-", "/a bytes=10-"}
	if got := strings.Join(s.requests, ","); got != strings.Join(want, ",") {
		t.Errorf("asked for %q, want %q", got, want)
	}
	if b, _ := os.ReadFile(dest); string(b) != text {
		t.Errorf("the copy is %q", b)
	}

	dest = filepath.Join(t.TempDir(), "a")
	s.requests, cuts = nil, 1
	c.Sleep = func(context.Context, time.Duration) error { return context.Canceled } // interrupted
	if _, err := c.File(t.Context(), base+"/a", dest, 100, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want an interruption", err)
	}
	if changed, err := c.File(t.Context(), base+"/a", dest, 100, nil); err != nil || !changed {
		t.Fatalf("%v, %v", changed, err)
	}
	if got := strings.Join(s.requests, ","); got != "/a,/a bytes=5-" {
		t.Errorf("asked for %q, want the rest", got)
	}
	if b, _ := os.ReadFile(dest); string(b) != text {
		t.Errorf("the copy is %q", b)
	}

	// The file changed in between: the server ignores the range, and all is well.
	dest = filepath.Join(t.TempDir(), "a")
	cuts = 1
	c.File(t.Context(), base+"/a", dest, 100, nil) //nolint:errcheck // interrupted
	s.files["/a"] = "new text"
	c.Sleep = nil
	if _, err := c.File(t.Context(), base+"/a", dest, 100, nil); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(dest); string(b) != "new text" {
		t.Errorf("the copy is %q", b)
	}
}

func TestCheck(t *testing.T) {
	_, base, c := start(t, map[string]string{"/a": "no zip"})
	dest := filepath.Join(t.TempDir(), "a")
	if _, err := c.File(t.Context(), base+"/a", dest, 100, checkZip); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("%v, want ErrMalformed", err)
	}
	if _, err := os.Stat(dest); err == nil {
		t.Error("a refused file is there")
	}
}

func TestNames(t *testing.T) {
	for _, bad := range []string{"", "..", ".hidden", "a/b", `a\b`, "/etc", "a\nb", strings.Repeat("x", 200)} {
		if fileName(bad) {
			t.Errorf("%q is taken for a file's name", bad)
		}
	}
	for _, good := range []string{"crates.io", "Red Hat", "ALSA-2021:1234", "GHSA-xxxx"} {
		if !fileName(good) {
			t.Errorf("%q is refused", good)
		}
	}
	list := filepath.Join(t.TempDir(), "e")
	for text, want := range map[string]string{"npm\nDebian\nDebian:12\n[EMPTY]\n\n": "npm,Debian", "../x\n": "", "": ""} {
		if err := os.WriteFile(list, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ecosystems(list); strings.Join(got, ",") != want || (err == nil) != (want != "") {
			t.Errorf("ecosystems(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("2026-01-01T00:00:00Z,A-1\n2026-01-01T00:00:00Z,../x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for id := range parseIndex(b) {
			if !filepath.IsLocal(id + ".json") {
				t.Errorf("%q leaves its folder", id)
			}
		}
	})
}
