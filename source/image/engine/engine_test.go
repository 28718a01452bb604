package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bulwark"
	"bulwark/source/image/internal/imagetest"
)

// engine is a fake of Docker's API with one image.
type engine struct {
	img     v1.Image
	export  v1.Image // what exports are of, if not of img
	exports atomic.Int32
	cut     int // bytes after which an export breaks off; 0 for none
	status  int // of inspection; 0 for 200
	stall   chan struct{}
	query   atomic.Value
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, _ := e.img.ConfigName()
	switch r.URL.Path {
	case "/images/app:1/json", "/images/example.com/team/app/json":
		if e.status != 0 {
			http.Error(w, "no", e.status)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"Id": id.String(), "RepoDigests": []string{"app@sha256:1"}})
	case "/images/" + id.String() + "/get":
		e.exports.Add(1)
		e.query.Store(r.URL.RawQuery)
		var buf bytes.Buffer
		ref, _ := name.NewTag("app:1")
		tarball.Write(ref, e.exported(), &buf)
		if e.cut > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(buf.Len()))
			w.Write(buf.Bytes()[:e.cut])
			return
		}
		if e.stall != nil {
			w.Write(buf.Bytes()[:600])
			w.(http.Flusher).Flush()
			close(e.stall)
			<-r.Context().Done()
			return
		}
		w.Write(buf.Bytes())
	default:
		http.NotFound(w, r)
	}
}

// listen serves the engine on a socket.
func listen(t *testing.T, e *engine) *Source {
	t.Helper()
	// The path of a socket is short; a test's folder need not be.
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(e)
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	return &Source{Kind: "docker", Host: "unix://" + socket}
}

func TestOpen(t *testing.T) {
	e := &engine{img: imagetest.Image(t, "app", "amd64")}
	target, err := listen(t, e).Open(t.Context(), "app:1")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	id, _ := e.img.ConfigName()
	if target.Asset.ID != bulwark.AssetID("image:"+id.String()) || target.Asset.Labels["repoDigest"] == "" || !target.Stream {
		t.Errorf("asset %+v, stream %v", target.Asset, target.Stream)
	}
	got, err := imagetest.Contents(t.Context(), target)
	if diff := cmp.Diff(imagetest.WantOf("app"), got); diff != "" || err != nil {
		t.Errorf("contents (-want +got):\n%s%v", diff, err)
	}
	var wg sync.WaitGroup
	for _, l := range target.Layers {
		wg.Go(func() {
			if err := l.Tree.Walk(t.Context(), func(*bulwark.Entry) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestPlatformIsAskedFor(t *testing.T) {
	e := &engine{img: imagetest.Image(t, "app", "arm64")}
	s := listen(t, e)
	s.Platform = "linux/arm64"
	target, err := s.Open(t.Context(), "example.com/team/app")
	if err != nil {
		t.Fatal(err)
	}
	target.Close()
	if q := e.query.Load().(string); !strings.Contains(q, "platform=") || !strings.Contains(q, "arm64") {
		t.Errorf("query %q", q)
	}
}

func TestBadEngines(t *testing.T) {
	img := imagetest.Image(t, "app", "amd64")
	for _, tt := range []struct {
		name, ref string
		engine    *engine
		want      error
	}{
		{"no such image", "other", &engine{}, bulwark.ErrNotFound},
		{"no name", "app?x=y", &engine{}, bulwark.ErrMalformed},
		{"a name that leaves the path", "../containers", &engine{}, bulwark.ErrMalformed},
		{"refused", "app:1", &engine{status: 403}, bulwark.ErrUntrusted},
		{"broken", "app:1", &engine{status: 500}, bulwark.ErrUnavailable},
		{"breaks off", "app:1", &engine{cut: 700}, bulwark.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.engine.img = img
			if _, err := listen(t, tt.engine).Open(t.Context(), tt.ref); !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("stalls", func(t *testing.T) {
		e := &engine{img: img, stall: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-e.stall; cancel() }()
		if _, err := listen(t, e).Open(ctx, "app:1"); !errors.Is(err, context.Canceled) {
			t.Errorf("Open = %v", err)
		}
	})
}

func TestNoEngine(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for _, tt := range []struct {
		host string
		want error
	}{
		{"unix:///nowhere/docker.sock", bulwark.ErrUnavailable},
		{"ssh://host", bulwark.ErrUnsupported},
		{"://", bulwark.ErrMalformed},
	} {
		t.Setenv("DOCKER_HOST", tt.host)
		_, err := (&Source{Kind: "docker"}).Open(t.Context(), "x")
		if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "http://") {
			t.Errorf("%s: %v, want %v", tt.host, err, tt.want)
		}
	}
	if _, err := os.Stat("/run/podman/podman.sock"); err == nil {
		return
	}
	t.Setenv("CONTAINER_HOST", "")
	if _, err := (&Source{Kind: "podman"}).Open(t.Context(), "x"); !errors.Is(err, bulwark.ErrUnavailable) {
		t.Errorf("no socket: %v", err)
	}
}
