package mountinfo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

const text = `1046 1030 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/var/lib/a\040b\054c/upper,workdir=/w
1050 1046 0:55 / /dev/shm rw,nosuid shared:4 master:1 - tmpfs shm rw,size=65536k

broken
x 1 0:1 / / rw - a b c
1 1 0:1 / relative rw - a b c
2 1 0:1 / /short - a b c
3 1 0:1 / /untyped rw - a
-1 1 0:1 / /negative rw - a b c
1055 1046 0:60 net:[4026531840] /run/a\011b\012c rw - nsfs  rw
1060 1046 8:1 /var\134x /volume\04 rw - ext4 /dev/sda1 rw,upperdir=/not,x=\777`

var want = []Mount{
	{ID: 1046, Device: "0:52", Root: "/", Point: "/", Type: "overlay", Options: `rw,lowerdir=/l1:/l2,upperdir=/var/lib/a\040b\054c/upper,workdir=/w`},
	{ID: 1050, Device: "0:55", Root: "/", Point: "/dev/shm", Type: "tmpfs", Options: "rw,size=65536k"},
	{ID: 1055, Device: "0:60", Root: "net:[4026531840]", Point: "/run/a\tb\nc", Type: "nsfs", Options: "rw"},
	{ID: 1060, Device: "8:1", Root: `/var\x`, Point: `/volume\04`, Type: "ext4", Options: `rw,upperdir=/not,x=\777`},
}

func TestRead(t *testing.T) {
	list, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOptions(t *testing.T) {
	if upper := want[0].Upper(); upper != "/var/lib/a b,c/upper" {
		t.Errorf("what is written goes to %q", upper)
	}
	if upper := want[3].Upper(); upper != "" {
		t.Errorf("what is no overlay writes to %q", upper)
	}
	for name, value := range map[string]string{"upperdir": "/not", "x": `\777`} {
		if got, ok := want[3].Option(name); got != value || !ok {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	for _, name := range []string{"rw", "dir", "upperdi", ""} {
		if got, ok := want[3].Option(name); ok {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestBudget holds that what is read of too much is whole lines.
func TestBudget(t *testing.T) {
	one := "7 1 0:1 / /a rw - tmpfs x " + strings.Repeat("o", 1<<20) + "\n"
	list, err := Read(strings.NewReader(strings.Repeat(one, 17)))
	if !errors.Is(err, bulwark.ErrLimit) || len(list) != 15 {
		t.Errorf("%d mounts, %v", len(list), err)
	}
	if n := len(list[14].Options); n != 1<<20 {
		t.Errorf("the last one's options have %d bytes", n)
	}
}

func TestReadFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mountinfo")
	if _, err := ReadFile(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := ReadFile(file)
	if diff := cmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// FuzzRead holds that what the kernel escapes comes back, whatever else is there.
func FuzzRead(f *testing.F) {
	f.Add(text, "/", "/a b", "tmpfs", "/x,y=z")
	f.Add(`1 2 0:52 / /a\040b rw - overlay overlay rw,upperdir=/x\`, "net:[1]", "/#", "fuse.x y", "\t\n\\")
	escape := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`, "#", `\043`, ",", `\054`, "=", `\075`)
	f.Fuzz(func(t *testing.T, others, root, point, kind, upper string) {
		line := fmt.Sprintf("7 1 0:9 %s /%s rw shared:1 - %s  rw,upperdir=%s", escape.Replace(root), escape.Replace(point), escape.Replace(kind), escape.Replace(upper))
		list, err := Read(strings.NewReader(others + "\n" + line + "\n"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%d mounts, %v", len(list), err)
		}
		for _, m := range list {
			if !strings.HasPrefix(m.Point, "/") {
				t.Errorf("the mount point %q is not absolute", m.Point)
			}
		}
		m := list[len(list)-1]
		got, _ := m.Option("upperdir")
		if m.ID != 7 || m.Root != root || m.Point != "/"+point || m.Type != kind || got != upper {
			t.Errorf("%s\nis %+v, upper %q", line, m, got)
		}
	})
}
