//go:build linux && (amd64 || arm64)

package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"bulwark"
)

// TestGlance opens files of which one kind of condition each tells by a few letters of their paths whether it wants them.
func TestGlance(t *testing.T) {
	needRoot(t)
	dir, err := os.MkdirTemp("/tmp", "g")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	top := filepath.Base(dir)
	file := func(name string) string {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	other := file("plain/otherwise.with-a-longer.name") // none of the conditions wants it, but where it says so
	key, pem, rsa, under := file("key"), file("a.pem"), file("d/my_rsa"), file("x_rsa/file")
	long, deep := file(strings.Repeat("n", 14)+"_rsa"+strings.Repeat("n", 10)), file(strings.Repeat("d/", 40)+"key")
	longer := file(strings.Repeat("n", 30) + "_rsa")
	over := file("over")
	if err := unix.Mount(pem, over, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(over, unix.MNT_DETACH) })
	link := filepath.Join(dir, "link")
	if err := os.Symlink(key, link); err != nil {
		t.Fatal(err)
	}
	is := func(by bulwark.PathBy, text string) bulwark.Where {
		return bulwark.Where{Failed: bulwark.No, Paths: []bulwark.PathMatch{{By: by, Text: text}}}
	}
	given := func(w bulwark.Where) bulwark.Where { w.AsGiven = true; return w }
	climbs := func(w bulwark.Where) bulwark.Where { w.Climbs = true; return w }
	for i, c := range []struct {
		name  string
		want  bulwark.Where
		open  string
		loose bool // the other is given as well
	}{
		{name: "all of a path", want: is(bulwark.PathIs, key), open: key},
		{name: "all of a long path", want: is(bulwark.PathIs, deep), open: deep},
		{name: "a file by a link", want: is(bulwark.PathIs, key), open: link},
		{name: "a file that is mounted", want: is(bulwark.PathIs, over), open: over},
		{name: "a mounted file's end", want: is(bulwark.PathEnds, "/over"), open: over},
		{name: "every path", want: is(bulwark.PathBegins, "/"), open: key, loose: true},
		{name: "one letter of the first name", want: is(bulwark.PathBegins, "/t"), open: key, loose: true},
		{name: "two letters of the first name", want: is(bulwark.PathBegins, "/tm"), open: key, loose: true},
		{name: "the first name", want: is(bulwark.PathBegins, "/tmp"), open: key, loose: true},
		{name: "the first name and a stroke", want: is(bulwark.PathBegins, "/tmp/"), open: key, loose: true},
		{name: "one letter of the second name", want: is(bulwark.PathBegins, "/tmp/"+top[:1]), open: key, loose: true},
		{name: "two letters of the second name", want: is(bulwark.PathBegins, "/tmp/"+top[:2]), open: key, loose: true},
		{name: "the second name", want: is(bulwark.PathBegins, dir+"/k"), open: key, loose: true},
		{name: "another first name", want: is(bulwark.PathBegins, "/etc"), open: "/etc/passwd"},
		{name: "another first name and a stroke", want: is(bulwark.PathBegins, "/etc/"), open: "/etc/passwd"},
		{name: "another second name", want: is(bulwark.PathBegins, "/etc/pa"), open: "/etc/passwd"},
		{name: "a folder", want: is(bulwark.PathIs, "/etc"), open: "/etc"},
		{name: "a folder's end", want: is(bulwark.PathEnds, "/etc"), open: "/etc"},
		{name: "one letter of the end", want: is(bulwark.PathEnds, "y"), open: key, loose: true},
		{name: "three letters of the end", want: is(bulwark.PathEnds, "key"), open: key, loose: true},
		{name: "all of a short last name", want: is(bulwark.PathEnds, "/key"), open: key},
		{name: "four letters of the end", want: is(bulwark.PathEnds, ".pem"), open: pem},
		{name: "a text in the last name", want: is(bulwark.PathHas, "y_rs"), open: rsa},
		{name: "a text in another name", want: is(bulwark.PathHas, "x_rsa"), open: under},
		{name: "a text in a long name", want: is(bulwark.PathHas, "n_rsa"), open: long},
		{name: "a text in one that is longer", want: is(bulwark.PathHas, "n_rsa"), open: longer, loose: true},
		{name: "no text in a long name", want: is(bulwark.PathHas, "_rs"), open: rsa},
		{name: "a text that has nothing rare", want: is(bulwark.PathHas, "/key"), open: key},
		{name: "a path as it was given", want: given(is(bulwark.PathBegins, link)), open: link, loose: true},
		{name: "a path as it was given, not real", want: given(is(bulwark.PathBegins, "/tmp/../tmp")), open: "/tmp/../tmp/" + top + "/key", loose: true},
		{name: "the end of a path as it was given", want: given(is(bulwark.PathEnds, "/link")), open: link, loose: true},
		{name: "what climbs", want: climbs(bulwark.Where{Failed: bulwark.No}), open: dir + "/d/../key"},
		{name: "what climbs to a place", want: climbs(is(bulwark.PathIs, key)), open: dir + "/d/../key"},
		{name: "what climbs to a place with a text", want: climbs(is(bulwark.PathHas, "x_rsa")), open: dir + "/d/../x_rsa/file"},
	} {
		if testing.Short() && i%6 != 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			w := watch(t, &Sensor{Self: true}, bulwark.Interest{kindNamed("openat"): {c.want}})
			opened := func(name string) {
				fd, err := unix.Openat(unix.AT_FDCWD, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				unix.Close(fd)
			}
			opened(other)
			opened(c.open)
			w.find(t, c.open, func(e *bulwark.Event) bool { return e.Process.PID == os.Getpid() && text(e, "name") == c.open })
			others := 0
			for _, e := range w.all() {
				if e.Process.PID == os.Getpid() && text(&e, "name") == other {
					others++
				}
			}
			if others > 0 && !c.loose {
				t.Errorf("%s is given as well", other)
			}
		})
	}
}
