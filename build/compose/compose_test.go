package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"bulwark"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

const shop = `
x-base: &base
  restart: always
  environment: &env
    LOG: info
services:
  db:
    <<: *base
    image: postgres:16
    ports: ["5432:5432", "127.0.0.1:${P:-9000}-9010:80", 8080]
    environment:
      <<: *env
      POSTGRES_PASSWORD: ${PW:?set it}
      EMPTY:
    volumes:
      - /var/run/docker.sock:/s:ro
      - type: bind
        source: /etc
        target: /host
        read_only: true
  web:
    extends: {service: db}
    environment: [A=1, B]
    ports:
      - {target: 80, published: "8000", host_ip: 127.0.0.1, protocol: udp}
  other:
    extends: {file: x.yml, service: y}
`

func TestServices(t *testing.T) {
	f, err := Parse([]byte(shop))
	if err != nil || f.Err() != nil {
		t.Fatal(err, f.Err())
	}
	var got []string
	for _, s := range f.Services {
		got = append(got, fmt.Sprintf("%s@%d image %s %q", s.Name, s.At.Line(), s.Get("image").Text(), s.Elsewhere))
		for _, v := range s.Variables("environment") {
			got = append(got, fmt.Sprintf("  %s=%s %v @%d", v.Name, v.Value, v.Set, v.At.Line()))
		}
		for _, p := range s.Ports() {
			got = append(got, fmt.Sprintf("  %s %d-%d:%d-%d/%s @%d", p.HostIP, p.First, p.Last, p.Target, p.End, p.Protocol, p.At.Line()))
		}
		for _, m := range s.Mounts() {
			got = append(got, fmt.Sprintf("  %s %s:%s %v @%d", m.Type, m.Source, m.Target, m.ReadOnly, m.At.Line()))
		}
	}
	shared := []string{"   5432-5432:5432-5432/tcp @10", "  127.0.0.1 9000-9010:80-80/tcp @10", "   0-0:8080-8080/tcp @10"}
	mounts := []string{"  bind /var/run/docker.sock:/s true @16", "  bind /etc:/host true @17"}
	want := slices.Concat([]string{`db@7 image postgres:16 ""`, "  POSTGRES_PASSWORD=${PW:?set it} true @13", "  EMPTY= false @14", "  LOG=info true @5"}, shared, mounts,
		[]string{`web@21 image postgres:16 ""`, "  A=1 true @23", "  B= false @23", "  POSTGRES_PASSWORD=${PW:?set it} true @13", "  EMPTY= false @14", "  LOG=info true @5", "  127.0.0.1 8000-8000:80-80/udp @25"}, shared, mounts,
		[]string{`other@26 image  "x.yml"`})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExpand(t *testing.T) {
	for text, want := range map[string]string{"a": "a true", "${A}": " false", "${A:-x}": "x true", "${A:?no}": " false", "a${B-y}c": "ayc true", "$$x": "$x true", "${": " false", "${A:-${B:-z}}": "z true",
		strings.Repeat("$", 5000): strings.Repeat("$", 5000) + " false"} {
		got, known := Expand(text)
		if got := fmt.Sprint(got, " ", known); got != want {
			t.Errorf("Expand(%.20q) = %q, want %.20q", text, got, want)
		}
	}
}

func TestLegacy(t *testing.T) {
	f, err := Parse([]byte("web:\n  image: x\ndb:\n  build: .\n"))
	if err != nil || len(f.Services) != 2 {
		t.Errorf("%d services, %v", len(f.Services), err)
	}
	for _, text := range []string{"a: 1\n", "x: {y: z}\n", "", "[]", "services: [a]\n", "version: '3'\n"} {
		if f, err := Parse([]byte(text)); err != nil || len(f.Services) != 0 {
			t.Errorf("%q: %d services, %v", text, len(f.Services), err)
		}
	}
}

// portsOf and mountsOf are what compose-go's own parsers say.
func portsOf(text string) []string {
	list, err := types.ParsePortConfig(text)
	if err != nil {
		return nil
	}
	var out []string
	for _, p := range list {
		out = append(out, fmt.Sprintf("%s %s:%d/%s", p.HostIP, p.Published, p.Target, p.Protocol))
	}
	slices.Sort(out)
	return out
}

// agreePort compares one short port with compose-go.
func agreePort(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, "$") {
		return
	}
	want := portsOf(text)
	p, ok := shortPort(text)
	if len(want) == 0 {
		return // ours may take more than theirs
	}
	if !ok {
		t.Errorf("port %q is refused, compose-go has %q", text, want)
		return
	}
	for i, target := 0, p.Target; target <= p.End; i, target = i+1, target+1 {
		published := ""
		switch {
		case p.First == 0 && p.Last == 0:
		case p.Target == p.End && p.First != p.Last:
			published = fmt.Sprintf("%d-%d", p.First, p.Last)
		default:
			published = fmt.Sprint(p.First + i)
		}
		if s := fmt.Sprintf("%s %s:%d/%s", p.HostIP, published, target, p.Protocol); !slices.Contains(want, s) && len(want) < 100 && (p.First > 0 || published == "" && !strings.Contains(text, "0:")) {
			t.Errorf("port %q: %s is not among %q", text, s, want)
		}
	}
	if p.End-p.Target+1 != len(want) {
		t.Errorf("port %q: %d ports, compose-go has %d", text, p.End-p.Target+1, len(want))
	}
}

func agreeMount(t *testing.T, text string) {
	t.Helper()
	want, err := format.ParseVolume(text)
	m, ok := shortMount(text)
	if strings.ContainsAny(text, "$\x00") || !utf8.ValidString(text) { // YAML holds neither
		return
	}
	if ok != (err == nil) {
		t.Errorf("mount %q: taken %v, compose-go: %v", text, ok, err)
		return
	}
	propagation := ""
	if want.Bind != nil {
		propagation = want.Bind.Propagation
	}
	if ok && (m.Type != want.Type || m.Source != want.Source || m.Target != want.Target || m.ReadOnly != want.ReadOnly || m.Propagation != propagation) {
		t.Errorf("mount %q: %+v, compose-go has %+v", text, m, want)
	}
}

var (
	ports  = []string{"80", "80:80", "8000-8010:80", "1-3:4-6", "127.0.0.1:80:81/udp", "127.0.0.1::81", "[::1]:80:80", "0.0.0.0:1:2/TCP", ":80", "80:", "", "a:b", "1:2:3:4", "70000:1", "5-3:1"}
	mounts = []string{"/a", "a:/b", "/a:/b:ro", "./a:/b:rw,z", `C:\x:/b:ro`, `C:\x:D:\y`, "a", "ab", "a:b:c:d", "a::c", "~/x:/y", `\\.\pipe\x:/y`, "/a:/b:rshared,ro", "é:/x", ":/x", "/a:"}
)

func TestAgainstComposeGo(t *testing.T) {
	for _, p := range ports {
		agreePort(t, p)
	}
	for _, m := range mounts {
		agreeMount(t, m)
	}
}

// TestWhole loads real compose files with compose-go's loader, and compares.
func TestWhole(t *testing.T) {
	files := append(realFiles(t), "")
	compared := 0
	for _, file := range files {
		var data []byte
		if file != "" {
			var err error
			if data, err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		} else {
			data = []byte(strings.ReplaceAll(strings.ReplaceAll(shop, "{file: x.yml, service: y}", "{service: db}"), "${PW:?set it}", "x"))
		}
		details := types.ConfigDetails{WorkingDir: t.TempDir(), ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: data}}, Environment: types.Mapping{}}
		project, err := loader.LoadWithContext(t.Context(), details, func(o *loader.Options) {
			o.SkipInclude, o.SkipResolveEnvironment, o.SkipConsistencyCheck, o.SkipNormalization, o.ResolvePaths, o.Profiles = true, true, true, true, false, []string{"*"}
			o.SetProjectName("x", true)
		})
		if err != nil {
			t.Logf("%s: compose-go says %v", file, err)
			continue
		}
		compared++
		f, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, s := range f.Services {
			theirs, ok := project.AllServices()[s.Name]
			if !ok {
				t.Errorf("%s: compose-go has no service %s", file, s.Name)
				continue
			}
			if image, _ := s.Scalar("image"); image != theirs.Image || s.Get("privileged").True() != theirs.Privileged {
				t.Errorf("%s: %s has image %q, compose-go has %q", file, s.Name, image, theirs.Image)
			}
			if got := len(s.Mounts()); got != len(theirs.Volumes) {
				t.Errorf("%s: %s has %d mounts, compose-go has %d", file, s.Name, got, len(theirs.Volumes))
			}
			n := 0
			for _, p := range s.Ports() {
				n += p.End - p.Target + 1
			}
			if n != len(theirs.Ports) {
				t.Errorf("%s: %s has %d ports, compose-go has %d", file, s.Name, n, len(theirs.Ports))
			}
			if got := len(s.Variables("environment")); got != len(theirs.Environment) {
				t.Errorf("%s: %s has %d variables, compose-go has %d", file, s.Name, got, len(theirs.Environment))
			}
		}
	}
	t.Logf("%d of %d files compared", compared, len(files))
}

// realFiles are the compose files of the modules that were downloaded.
func realFiles(t *testing.T) []string {
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	_ = filepath.WalkDir(strings.TrimSpace(string(out)), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "cache" {
			return fs.SkipDir
		}
		ext := filepath.Ext(p)
		if base := d.Name(); (strings.HasPrefix(base, "docker-compose") || strings.HasPrefix(base, "compose")) && (ext == ".yml" || ext == ".yaml") && !d.IsDir() {
			files = append(files, p)
		}
		return nil
	})
	return files
}

func TestBad(t *testing.T) {
	for name, data := range map[string][]byte{"50 MB": make([]byte, 50<<20), "many": []byte("services:\n" + strings.Repeat("  a: {}\n", 100_000))} {
		if _, err := Parse(data); !errors.Is(err, bulwark.ErrLimit) && !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var b strings.Builder
	b.WriteString("services:\n  base: &a {environment: {A: 1}}\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "  s%d: {extends: s%d}\n", i, i+1)
	}
	f, err := Parse([]byte(b.String()))
	if err != nil || !errors.Is(f.Err(), bulwark.ErrLimit) {
		t.Errorf("5000 services: %v, %v", err, f.Err())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(shop))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Error(err)
		}
		for _, s := range file.Services {
			s.Ports()
			s.Mounts()
			s.Variables("environment")
		}
	})
}

func FuzzValues(f *testing.F) {
	for _, s := range append(ports, mounts...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "-") == 0 {
			agreePort(t, text)
		}
		agreeMount(t, text)
	})
}
