package program

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bulwark"
	"bulwark/extract/internal/inspecttest"
)

// sample is a file name that a pattern of the table stands for.
func sample(pattern string) string {
	return "opt/" + strings.NewReplacer("2.*", "2.7", "3.*", "3.11", "5*", "5.4", "1*", "16", "*", "x", "[0-9]", "8").Replace(pattern)
}

// TestTable runs every row on its own samples, alone and where pieces of the file meet.
func TestTable(t *testing.T) {
	for i := range table {
		r := &table[i]
		if len(r.yes) == 0 || len(r.no) == 0 {
			t.Errorf("%s: a row needs what must and what must not be found", r.name)
		}
		file := sample(r.files[0])
		if strings.Contains(r.pattern, "{v}") {
			file = "opt/bin/python3.11"
		}
		if len(names().find(file, path.Base(file))) == 0 {
			t.Errorf("%s: %s is not in the index", r.name, file)
		}
		for _, yes := range r.yes {
			content, want, _ := strings.Cut(yes, "=>")
			for _, pad := range []int{0, 1000} {
				if pad > 0 && len(r.anchors) == 0 {
					continue
				}
				for _, piece := range []int{1, 7, 250, 1 << 18} {
					got := versions(t, file, strings.Repeat("x", pad)+content+strings.Repeat("\n", pad), piece)
					if got[r.name] != want {
						t.Errorf("%s in %q after %d bytes, in pieces of %d: %v, want %q", r.name, content, pad, piece, got, want)
					}
				}
			}
		}
		for _, no := range r.no {
			if got := versions(t, file, no, 1<<18); got[r.name] != "" {
				t.Errorf("%s in %q: %v, want nothing", r.name, no, got)
			}
		}
	}
}

// versions maps the names that a row of the table has to what was found.
func versions(t *testing.T, file, content string, piece int) map[string]string {
	t.Helper()
	facts, err := inspecttest.Feed(t, New(), file, []byte(content), piece)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, p := range facts.Packages {
		if p.Name == "stdlib" {
			p.Name = "go"
		}
		m[p.Name] = p.Version
	}
	return m
}

func TestPackage(t *testing.T) {
	for _, tt := range []struct {
		file, content         string
		purl, name, ecosystem string
	}{
		{"usr/local/bin/node", "\x00node.js/v20.1.0\x00", "pkg:generic/node@20.1.0", "node", "Bitnami"},
		{"usr/lib/libssl.so.1.1", "OpenSSL 1.1.1w  11 Sep 2023", "pkg:generic/openssl@1.1.1w", "openssl", ""},
		{"opt/java/release", "JAVA_VERSION=\"17.0.9\"", "pkg:generic/java@17.0.9", "java", "Bitnami"},
		{"opt/java/release", "JAVA_VERSION=\"1.8.0_392\"", "pkg:generic/java@1.8.0_392", "java", ""},
		{"usr/local/go/VERSION", "go1.22.3\n", "pkg:golang/stdlib@1.22.3", "stdlib", "Go"},
	} {
		facts, err := inspecttest.Feed(t, New(), tt.file, []byte(tt.content), 64)
		if err != nil || len(facts.Packages) != 1 {
			t.Errorf("%s: %+v, %v", tt.file, facts.Packages, err)
			continue
		}
		if p := facts.Packages[0]; p.PURL != tt.purl || p.Name != tt.name || p.Ecosystem != tt.ecosystem {
			t.Errorf("%s: %+v, want %s in %q", tt.file, p, tt.purl, tt.ecosystem)
		}
	}
}

func TestBegin(t *testing.T) {
	for _, tt := range []struct {
		path string
		want bool
	}{
		{"usr/bin/node", true},
		{"usr/bin/nodes", false},
		{"usr/lib/x86_64-linux-gnu/libcrypto.so.3", true},
		{"opt/python3.12", true},
		{"var/www/wp-includes/version.php", true},
		{"wp-includes/version.php", true},
		{"usr/local/go/VERSION", true},
		{"app/VERSION", false},
		{"usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/.version", true},
		{"app/.version", false},
	} {
		info := bulwark.FileInfo{Size: 1}
		info.SetPath(tt.path)
		if got := New().Begin(&info) != nil; got != tt.want {
			t.Errorf("Begin(%s) wants it: %v, want %v", tt.path, got, tt.want)
		}
	}
}

// TestRealPrograms compares with what the programs of this machine say of themselves.
func TestRealPrograms(t *testing.T) {
	for _, tt := range []struct{ command, flag, want string }{
		{"node", "--version", `v(\d+\.\d+\.\d+)`},
		{"python3", "--version", `Python (\S+)`},
		{"openssl", "version", `OpenSSL (\S+)`},
		{"perl", "-v", `\(v(5\.\d+\.\d+)\)`},
		{"curl", "--version", `curl (\S+)`},
		{"git", "--version", `git version (\d+\.\d+\.\d+)`},
		{"bash", "--version", `version (\d+\.\d+\.\d+)`},
		{"sqlite3", "--version", `^(\d+\.\d+\.\d+)`},
		{"ssh", "-V", `OpenSSH_(\d+\.\d+p\d+)`},
		{"busybox", "--help", `BusyBox v(\d+\.\d+\.\d+)`},
		{"nginx", "-v", `nginx/(\S+)`},
		{"php", "--version", `PHP (\d+\.\d+\.\d+)`},
		{"ruby", "--version", `ruby (\d+\.\d+\.\d+)`},
	} {
		t.Run(tt.command, func(t *testing.T) {
			exe, err := exec.LookPath(tt.command)
			if err != nil {
				t.Skipf("no %s on this machine", tt.command)
			}
			if exe, err = filepath.EvalSymlinks(exe); err != nil {
				t.Fatal(err)
			}
			out, _ := exec.CommandContext(t.Context(), tt.command, tt.flag).CombinedOutput()
			m := regexp.MustCompile(tt.want).FindSubmatch(out)
			if m == nil {
				t.Skipf("%s %s says %.60q", tt.command, tt.flag, out)
			}
			head := make([]byte, 4)
			if f, err := os.Open(exe); err != nil {
				t.Fatal(err)
			} else {
				f.Read(head)
				f.Close()
			}
			if string(head) != "\x7fELF" {
				t.Skipf("%s is a script", exe)
			}
			facts, err := inspecttest.File(t, New(), strings.TrimPrefix(exe, "/"), exe)
			if err != nil {
				t.Fatal(err)
			}
			if len(facts.Packages) == 0 {
				// The distribution may keep the version in a library: node in libnode.
				t.Skipf("%s holds no version of its own", exe)
			}
			if got := facts.Packages[0].Version; got != string(m[1]) {
				t.Errorf("%s: %s, want %s", exe, got, m[1])
			}
		})
	}
}

func FuzzInspector(f *testing.F) {
	for i := range table {
		for _, s := range append(table[i].yes, table[i].no...) {
			f.Add(sample(table[i].files[0]), []byte(s), 10)
		}
	}
	f.Fuzz(func(t *testing.T, file string, content []byte, piece int) {
		facts, err := inspecttest.Feed(t, New(), file, content, min(max(piece, 1), 1<<18))
		if err != nil {
			t.Error(err)
		}
		for _, p := range facts.Packages {
			if p.Version == "" || strings.ContainsAny(p.Version, "\x00\n\x1b") {
				t.Errorf("version %q", p.Version)
			}
		}
	})
}
