//go:build linux

package hostile

import (
	"archive/tar"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestTraversal: names and links that lead out of the image do not lead to this machine.
func TestTraversal(t *testing.T) {
	t.Parallel()
	const mark = "bulwark-hostile-was-here"
	up := strings.Repeat("../", 12)
	var files []file
	for _, n := range []string{up + "tmp/" + mark, "/tmp/" + mark, "a/" + up + "tmp/" + mark, "tmp/../../../tmp/" + mark, "./" + up + mark} {
		files = append(files, file{name: n, text: "x"})
	}
	files = append(files,
		file{name: up + "var/lib/dpkg/status.d/up", text: status("up", "1")},
		file{name: "/var/lib/dpkg/status.d/absolute", text: status("absolute", "1")},
		file{name: "var/lib/dpkg/status.d/out", kind: tar.TypeSymlink, link: "/etc/passwd"},
		file{name: "var/lib/dpkg/status.d/far", kind: tar.TypeSymlink, link: up + "etc/passwd"},
		file{name: "app/package.json", kind: tar.TypeSymlink, link: "/etc/passwd"},
		file{name: "usr/lib/os-release", kind: tar.TypeLink, link: up + "etc/passwd"},
		file{name: "app/package-lock.json", kind: tar.TypeLink, link: "/etc/hostname"})
	r := newRoom(t)
	l := newLayout(layerOf(t, debian(good)...), layerOf(t, files...))
	want{0, "", []string{good, "up 1", "absolute 1"}}.check(t, r.scan(l.write(r, "bad")))
	for _, p := range []string{"/tmp/" + mark, "/" + mark} {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s was written", p)
		}
	}
}

// TestLinks: loops, links to themselves and to nothing, devices and pipes.
func TestLinks(t *testing.T) {
	t.Parallel()
	sym, hard := byte(tar.TypeSymlink), byte(tar.TypeLink)
	files := append(debian(good),
		file{name: "a", kind: sym, link: "b"}, file{name: "b", kind: sym, link: "a"},
		file{name: "self", kind: sym, link: "self"}, file{name: "d/up", kind: sym, link: "../d"},
		file{name: "usr/lib/python3/dist-packages", kind: sym, link: "../../usr/lib/python3/dist-packages"},
		file{name: "etc/loop", kind: sym, link: "/etc/loop/loop"},
		file{name: "app/package.json", kind: hard, link: "app/package.json"},
		file{name: "app/package-lock.json", kind: hard, link: "app/none"},
		file{name: "x/package.json", kind: hard, link: "y/package.json"}, file{name: "y/package.json", kind: hard, link: "x/package.json"},
		file{name: "opt/lib.jar", kind: hard, link: "etc"},
		file{name: "dev/sda/package.json", kind: tar.TypeBlock}, file{name: "app/app.jar", kind: tar.TypeChar},
		file{name: "var/lib/rpm/rpmdb.sqlite", kind: tar.TypeFifo},
		file{name: "lib/apk/db/installed", kind: tar.TypeDir},
		file{name: "var/lib/dpkg/status/under", text: "a file as a folder"},
		file{name: "var/lib/dpkg/status.d/next", text: status("next", "2.0")})
	for i := range 300 { // a chain
		files = append(files, file{name: fmt.Sprint("chain", i), kind: sym, link: fmt.Sprint("chain", i+1)},
			file{name: fmt.Sprint("hard", i, "/package.json"), kind: hard, link: fmt.Sprint("hard", i+1, "/package.json")})
	}
	r := newRoom(t)
	res := r.scan(newLayout(layerOf(t, files...)).write(r, "bad"))
	want{res.code, "", []string{next}}.check(t, res)
	if res.code != 0 && res.code != 4 {
		t.Errorf("exit code %d", res.code)
	}
}

// TestLinksOnDisk: a folder with looping links, devices and pipes is read and left.
func TestLinksOnDisk(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for _, f := range debian(good) {
		r.put("root/"+f.name, []byte(f.text))
	}
	in := func(p string) string { return r.path("in", "root", p) }
	check(t, os.MkdirAll(in("app/node_modules/m"), 0o755))
	check(t, os.Symlink(in("app"), in("app/node_modules/m/loop")))
	check(t, os.Symlink("../..", in("app/node_modules/m/up")))
	check(t, os.Symlink("self", in("self")))
	check(t, os.Symlink("/etc/passwd", in("app/package.json")))
	check(t, mkfifo(in("app/package-lock.json")))
	check(t, mkfifo(in("app/lib.jar")))
	check(t, mkfifo(in("var/lib/dpkg/status.d")))
	want{0, "", []string{good}}.check(t, r.scan("rootfs:"+r.path("in", "root")))
	want{0, "", []string{}}.check(t, r.scan("dir:"+r.path("in", "root")))
}

// wicked are words that play tricks: escapes, control characters, line ends, a line
// that says another thing, wrong UTF-8, marks that turn the direction of text.
var wicked = []string{
	"\x1b[31mred\x1b[2J", "bell\a\b\r", "two\nlines", "::error::no", "tab\there", "c1\u009b31m", "\xff\xfe", "turn\u202etxt", "\x00nul",
	"<script>alert(1)</script>", "`|*[a](b)|", "=cmd|' /C calc'!A0", "{{7*7}}", "--flag", "../../x", "%s%n", "]]>", "&amp;&lt;",
}

// TestWickedNames: no format passes such words to whoever reads it.
func TestWickedNames(t *testing.T) {
	t.Parallel()
	var files []file
	for i, w := range wicked {
		files = append(files,
			file{name: fmt.Sprintf("var/lib/dpkg/status.d/%d", i), text: status("p"+itoa(i)+w, "1"+w)},
			file{name: fmt.Sprintf("opt/%d/node_modules/x%s/package.json", i, strings.ReplaceAll(w, "\x00", "")), text: string(toJSON(t, object{"name": w, "version": w}))},
			file{name: fmt.Sprintf("srv/%d%s/package.json", i, strings.ReplaceAll(w, "\x00", "")), text: `{"name": 7}`},
			file{name: fmt.Sprintf("py/d%d.dist-info/METADATA", i), text: "Metadata-Version: 2.1\nName: " + w + "\nVersion: " + w + "\nLicense: " + w + "\n"},
			file{name: fmt.Sprintf("lock/%d/package-lock.json", i), text: string(toJSON(t, object{"lockfileVersion": 3,
				"packages": object{"node_modules/" + w: object{"version": w}, "node_modules/lodash": object{"version": "4.17.20", "license": w}}}))},
			file{name: "etc/odd" + strings.ReplaceAll(w, "\x00", ""), kind: 'Q'})
	}
	files = append(files, file{name: "etc/os-release", text: "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"\x1b[31mDebian\a\"\n"})
	r := newRoom(t)
	l := newLayout(layerOf(t, debian(good)...), layerOf(t, files...))
	l.config["history"] = []object{{"created_by": strings.Join(wicked, " ")}, {"created_by": "\x1b]0;title\a"}}
	l.config["config"] = object{"Labels": object{"org.opencontainers.image.title": "\x1b[31m", "\x1b[1m": "x"}}
	l.config["os"], l.config["architecture"] = "linux\x1b[31m", "amd64"
	bad := l.write(r, "bad")
	for _, f := range []string{"table", "json", "jsonl", "sarif", "cyclonedx", "spdx", "openvex", "junit", "gitlab", "markdown", "html"} {
		res := r.run("scan", "--offline", bad, "-f", f, "--db", database, "--cache-dir", r.path("cache"), "--verbose", "--hygiene")
		if res.code != 0 || res.stdout == "" {
			t.Errorf("%s: exit code %d\n%.500s", f, res.code, res.stderr)
		}
		if strings.Contains(res.stdout, "\u202e") && slices.Contains([]string{"table", "markdown", "html"}, f) {
			t.Errorf("%s turns the direction of text", f)
		}
		if f == "html" && strings.Contains(res.stdout, "<script>alert") {
			t.Error("html runs what a package is called")
		}
	}
	want{1, "", nil}.check(t, r.scan("dir:/none\x1b[31m\nbulwark: error: x"))
}

// TestDeep: folders in folders, 10,000 levels of them, in a layer and on disk.
func TestDeep(t *testing.T) {
	t.Parallel()
	var files []file
	for _, depth := range []int{100, 1000, 2000, 10_000} {
		files = append(files, file{name: strings.Repeat("d/", depth) + "package.json", text: `{"name":"deep","version":"1.0.0"}`})
	}
	r := newRoom(t)
	want{4, "limit exceeded", []string{good, "deep 1.0.0"}}.check(t, r.scan(newLayout(layerOf(t, append(debian(good), files...)...)).write(r, "bad")))

	root := t.TempDir()
	deepFolders(t, root, 10_000)
	res := r.scan("dir:" + root)
	if res.code != 4 && res.code != 0 {
		t.Errorf("exit code %d\n%.500s", res.code, res.stderr)
	}
}
