package profile

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"bulwark/internal/need"
)

const dpkg = "/var/lib/dpkg/"

// debian is a docker-archive of an image of some packages that this machine has, as dpkg installed them.
func debian(t *testing.T, packages ...string) string {
	t.Helper()
	text, err := os.ReadFile(dpkg + "status")
	if err != nil {
		need.Missing(t, "Debian's packages: %v", err)
	}
	var b bytes.Buffer
	l := layer{t: t, tar: tar.NewWriter(&b), has: map[string]bool{}}
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib64"} {
		l.add(dir)
	}
	l.text("/etc/os-release", read(t, "/etc/os-release"))
	var status bytes.Buffer
	for _, p := range packages {
		paragraph, arch := installed(t, string(text), p)
		status.WriteString(paragraph + "\n\n")
		l.pack(p, arch)
	}
	l.text(dpkg+"status", status.Bytes())
	if err := l.tar.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, b.Bytes())
}

// installed finds a package in dpkg's status.
func installed(t *testing.T, status, name string) (paragraph, arch string) {
	t.Helper()
	for paragraph := range strings.SplitSeq(status, "\n\n") {
		fields := map[string]string{}
		for line := range strings.Lines(paragraph) {
			key, value, _ := strings.Cut(line, ":")
			fields[key] = strings.TrimSpace(value)
		}
		arch := fields["Architecture"]
		if fields["Package"] == name && fields["Status"] == "install ok installed" && (arch == runtime.GOARCH || arch == "all") {
			return paragraph, arch
		}
	}
	need.Missing(t, "Debian's package %s", name)
	return "", ""
}

// layer is the image's only one.
type layer struct {
	t   *testing.T
	tar *tar.Writer
	has map[string]bool
}

// pack adds the files of a package that are there, and what dpkg knows of it.
func (l *layer) pack(name, arch string) {
	l.t.Helper()
	info := dpkg + "info/" + name
	if _, err := os.Stat(info + ".list"); err != nil {
		info += ":" + arch
	}
	for _, kind := range []string{".list", ".md5sums"} {
		l.text(info+kind, read(l.t, info+kind))
	}
	for file := range strings.SplitSeq(string(read(l.t, info+".list")), "\n") {
		dir, err := filepath.EvalSymlinks(filepath.Dir(file))
		if err == nil && strings.HasPrefix(file, "/") {
			l.add(filepath.Join(dir, filepath.Base(file)))
		}
	}
}

// add adds a file as this machine has it. A folder comes by itself with what is in it.
func (l *layer) add(path string) {
	l.t.Helper()
	st, err := os.Lstat(path)
	if err != nil || st.IsDir() {
		return // some machines leave documents out
	}
	if st.Mode().IsRegular() {
		l.put(path, tar.Header{Typeflag: tar.TypeReg, Mode: int64(st.Mode().Perm())}, read(l.t, path))
		return
	}
	to, err := os.Readlink(path)
	if err != nil {
		l.t.Fatal(err)
	}
	l.put(path, tar.Header{Typeflag: tar.TypeSymlink, Linkname: to, Mode: 0o777}, nil)
}

func (l *layer) text(path string, data []byte) {
	l.t.Helper()
	l.put(path, tar.Header{Typeflag: tar.TypeReg, Mode: 0o644}, data)
}

func (l *layer) put(path string, h tar.Header, data []byte) {
	l.t.Helper()
	if l.has[path] {
		return
	}
	l.has[path] = true
	h.Name, h.Size = strings.TrimPrefix(path, "/"), int64(len(data))
	if err := l.tar.WriteHeader(&h); err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.tar.Write(data); err != nil {
		l.t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write makes the archive.
func write(t *testing.T, data []byte) string {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag("bulwark-debian:1")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "debian.tar")
	if err := tarball.WriteToFile(file, ref, img); err != nil {
		t.Fatal(err)
	}
	return file
}
