package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"bulwark"
	"bulwark/source/image/internal/imagetest"
	"bulwark/test/registrytest"
)

func write(t *testing.T, file, s string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}

// alone keeps the credentials of whoever runs the test out of it.
func alone(t *testing.T) (dockerConfig string) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("DOCKER_CONFIG", dir)
	for _, v := range []string{"REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "BULWARK_USERNAME", "BULWARK_PASSWORD", "BULWARK_REGISTRY_TOKEN"} {
		t.Setenv(v, "")
	}
	return filepath.Join(dir, "config.json")
}

// push writes an image for two platforms and an index of them.
func push(t *testing.T, addr string, options ...remote.Option) {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64"} {
		img := imagetest.Image(t, arch, arch)
		ref, err := name.ParseReference(addr + "/team/app:" + arch)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, img, options...); err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	ref, err := name.ParseReference(addr + "/team/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index, options...); err != nil {
		t.Fatal(err)
	}
}

// contents opens and walks an image.
func contents(t *testing.T, s *Source, ref string) ([]string, error) {
	t.Helper()
	target, err := s.Open(t.Context(), ref)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	return imagetest.Contents(t.Context(), target)
}

func check(t *testing.T, s *Source, ref, want string) {
	t.Helper()
	got, err := contents(t, s, ref)
	if diff := cmp.Diff(imagetest.WantOf(want), got); diff != "" || err != nil {
		t.Errorf("contents of %s (-want +got):\n%s%v", ref, diff, err)
	}
}

func TestRealRegistry(t *testing.T) {
	alone(t)
	addr := registrytest.Start(t, "")
	push(t, addr)
	check(t, &Source{}, addr+"/team/app:arm64", "arm64")
	for _, arch := range []string{"amd64", "arm64"} {
		s := &Source{Platform: "linux/" + arch}
		check(t, s, addr+"/team/app:1", arch)
		target, err := s.Open(t.Context(), addr+"/team/app:1")
		if err != nil {
			t.Fatal(err)
		}
		target.Close()
		im := target.Image
		if im.IndexDigest == "" || im.ManifestDigest == "" || target.Layers[0].Identity != target.Layers[0].Digest || target.Stream {
			t.Errorf("image %+v, layer %+v", im, target.Layers[0])
		}
		check(t, s, addr+"/team/app@"+im.ManifestDigest, arch)
		if d, err := s.Digest(t.Context(), addr+"/team/app:1"); d != im.IndexDigest || err != nil {
			t.Errorf("Digest = %s, %v, want %s", d, err, im.IndexDigest)
		}
		check(t, s, addr+"/team/app:1@"+im.IndexDigest, arch)
	}
	for ref, want := range map[string]error{
		addr + "/team/app:2": bulwark.ErrNotFound,
		addr + "/team/other": bulwark.ErrNotFound,
		addr + "/team/app@sha256:" + strings.Repeat("0", 64):   bulwark.ErrNotFound,
		addr + "/team/app:1@sha256:" + strings.Repeat("0", 63): bulwark.ErrMalformed,
		"UPPER case": bulwark.ErrMalformed,
	} {
		if _, err := contents(t, &Source{}, ref); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", ref, err, want)
		}
	}
}

func TestRealRegistryWithPassword(t *testing.T) {
	config := alone(t)
	const password = "correct horse"
	addr := registrytest.Start(t, password)
	push(t, addr, remote.WithAuth(&authn.Basic{Username: "tester", Password: password}))
	ref := addr + "/team/app:amd64"
	for name, s := range map[string]*Source{"none": {}, "wrong": {Username: "tester", Password: "battery staple"}} {
		_, err := contents(t, s, ref)
		if !errors.Is(err, bulwark.ErrUntrusted) || strings.Contains(err.Error(), "battery") {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(t, &Source{Username: "tester", Password: password}, ref, "amd64")
	t.Run("environment", func(t *testing.T) {
		t.Setenv("BULWARK_USERNAME", "tester")
		t.Setenv("BULWARK_PASSWORD", password)
		check(t, &Source{}, ref, "amd64")
	})
	t.Run("docker login", func(t *testing.T) {
		write(t, config, fmt.Sprintf(`{"auths": {%q: {"username": "tester", "password": %q}}}`, addr, password))
		check(t, &Source{}, ref, "amd64")
	})
	t.Run("credential helper", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
		script := fmt.Sprintf("#!/bin/sh\necho '{\"Username\":\"tester\",\"Secret\":%q}'\n", password)
		if err := os.WriteFile(dir+"/docker-credential-bulwarktest", []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, config, `{"credsStore": "bulwarktest"}`)
		check(t, &Source{}, ref, "amd64")
	})
}
