package engines

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is one of a layer: a file, or a folder when the name ends with a slash, or a
// hard link when link is set.
type entry struct{ name, body, link string }

func pack(t *testing.T, entries ...entry) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o755, Size: int64(len(e.body)), Typeflag: tar.TypeReg, Linkname: e.link}
		if strings.HasSuffix(e.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if e.link != "" {
			h.Typeflag = tar.TypeLink
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func npm(folder, name, version string) entry {
	return entry{name: folder + "/package.json", body: fmt.Sprintf(`{"name": %q, "version": %q}`, name, version)}
}

// layers of the test's image: packages of a distribution, an application with a name
// for each architecture, a package that is removed again, a hard link whose bytes have
// a name that nobody looks at, and the same layer twice, which engines store once.
func layers(t *testing.T, arch string) []v1.Layer {
	marker := pack(t, entry{name: "etc/"}, entry{name: "etc/marker", body: "x"})
	return []v1.Layer{
		pack(t, entry{name: "etc/"}, entry{name: "etc/os-release", body: "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"},
			entry{name: "var/"}, entry{name: "var/lib/"}, entry{name: "var/lib/dpkg/"},
			entry{name: "var/lib/dpkg/status", body: "Package: zlib1g\nStatus: install ok installed\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\nArchitecture: " + arch + "\n"}),
		marker,
		pack(t, entry{name: "srv/"}, npm("srv/node_modules/minimist", "minimist", "1.2.5"), npm("srv/node_modules/dropped", "dropped", "1.0.0"),
			npm("srv/node_modules/für-"+arch+strings.Repeat("/node_modules/"+strings.Repeat("n", 60), 3), "only-for-"+arch, "2.0.0")),
		pack(t, entry{name: "srv/"}, entry{name: "srv/store/"}, entry{name: "srv/store/77", body: npm("", "linked", "3.0.0").body},
			entry{name: "srv/node_modules/"}, entry{name: "srv/node_modules/linked/"}, entry{name: "srv/node_modules/linked/package.json", link: "srv/store/77"}),
		pack(t, entry{name: "srv/"}, entry{name: "srv/node_modules/"}, entry{name: "srv/node_modules/.wh.dropped"}),
		marker,
	}
}

// packages of the image, whatever way it takes.
func packages(arch string) []string {
	return []string{
		"pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=" + arch + "&distro=debian-12&upstream=zlib in layer 0",
		"pkg:npm/linked@3.0.0 in layer 3",
		"pkg:npm/minimist@1.2.5 in layer 2",
		"pkg:npm/only-for-" + arch + "@2.0.0 in layer 2",
	}
}

// own is this machine's architecture, other is not.
const own, other = runtime.GOARCH, "s390x"

// writeImage writes an archive as docker save does, and returns its name.
func writeImage(t *testing.T, arch string) (file, tag string) {
	t.Helper()
	img := empty.Image
	for i, l := range layers(t, arch) {
		var err error
		if img, err = mutate.Append(img, mutate.Addendum{Layer: l, History: v1.History{CreatedBy: fmt.Sprint("step ", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", arch
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		t.Fatal(err)
	}
	tag = "team/app:" + arch
	ref, err := name.NewTag(tag)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := tarball.Write(ref, img, f); err != nil {
		t.Fatal(err)
	}
	return file, tag
}
