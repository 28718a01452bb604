//go:build linux

package apiserver

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bulwark"
	"bulwark/test/apiserver/harness"
)

// push puts an image with one file in a registry, and gives its digest.
func push(t *testing.T, ref, file, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o600, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, text)
	w.Close()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// TestImages: what runs in a cluster is scanned, each image once, by the digest that runs; one
// that cannot be had is a note.
func TestImages(t *testing.T) {
	reg := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer reg.Close()
	host := strings.TrimPrefix(reg.URL, "http://")
	ref := host + "/team/app:1"
	digest := push(t, ref, "root/.env", "API_TOKEN="+strings.Repeat("9f2cQ7", 6)[1:]+"xK\n")
	pod := func(name, image, id string) []byte {
		return []byte(fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":"a","uid":%q},"spec":{"containers":[{"name":"c","image":%q}]},"status":{"containerStatuses":[{"name":"c","imageID":%q}]}}`, name, name, image, id))
	}
	config := harness.Canned(t, slices.Values([][]byte{pod("one", ref, host+"/team/app@"+digest), pod("two", ref, "docker-pullable://"+host+"/team/app@"+digest), pod("three", host+"/team/gone:2", "")}))
	args := []string{"scan", "cluster", "--images", "--only", "secret", "--plain-http", host, "-f", "json"}
	out, said, _, _ := run(t, config, args...)
	r := new(bulwark.Report)
	if err := json.Unmarshal(out, r); err != nil {
		t.Fatal(err)
	}
	var images []bulwark.Asset
	for _, a := range r.Assets {
		if a.Kind == "image" {
			images = append(images, a)
		}
	}
	if len(images) != 2 || images[0].Parent != "k8s:canned" || images[0].Labels["workloads"] != "a/Pod/one a/Pod/two" || images[0].Name != ref {
		t.Fatalf("%+v\n%s", images, said)
	}
	var found []string
	for _, f := range r.Findings {
		found = append(found, fmt.Sprint(f.Kind, " ", f.Path, " ", f.Asset == images[0].ID))
	}
	if diff := cmp.Diff([]string{"secret /root/.env true"}, found); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(r.Notes, func(n bulwark.Note) bool {
		return n.Incomplete && strings.Contains(n.Text, "team/gone:2 could not be looked at")
	}) {
		t.Errorf("notes %v", r.Notes)
	}
	if n := strings.Count(string(out), "could not be looked at"); n != 1 {
		t.Errorf("%d notes of images", n)
	}
	out, _, _, _ = run(t, config, "scan", "cluster", "--images", "--only", "secret", "-f", "json")
	if strings.Contains(string(out), "/root/.env") || !strings.Contains(string(out), "could not be looked at") {
		t.Error("a registry at a private address was asked though only the cluster names it")
	}
}
