//go:build linux && (amd64 || arm64)

package guard

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMounts(t *testing.T) {
	text := `1046 1030 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/var/lib/a\040b/upper,workdir=/w
1050 1046 0:55 / /dev/shm rw,nosuid shared:4 master:1 - tmpfs shm rw,size=65536k
broken
x 1 0:1 / / rw - a b c
1060 1046 8:1 /var\134x /volume rw - ext4 /dev/sda1 rw,upperdir=/not
`
	want := []mount{
		{id: 1046, device: "0:52", root: "/", point: "/", kind: "overlay", upper: "/var/lib/a b/upper"},
		{id: 1050, device: "0:55", root: "/", point: "/dev/shm", kind: "tmpfs"},
		{id: 1060, device: "8:1", root: `/var\x`, point: "/volume", kind: "ext4"},
	}
	got := parseMounts(text)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mount{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for path, id := range map[string]uint64{"/": 1046, "/dev/shm/x": 1050, "/dev/shmx": 1046, "/volume": 1060} {
		if m, ok := holding(got, path); !ok || m.id != id {
			t.Errorf("%s is in %d, want %d", path, m.id, id)
		}
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add(`1 2 0:52 / /a\040b rw - overlay overlay rw,upperdir=/x\`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMounts(text) {
			if m.id == 0 && m.kind == "" && m.point == "" {
				t.Skip()
			}
		}
	})
}
