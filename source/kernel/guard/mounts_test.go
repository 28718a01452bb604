//go:build linux && (amd64 || arm64)

package guard

import (
	"testing"

	"bulwark/internal/mountinfo"
)

func TestHolding(t *testing.T) {
	list := []mountinfo.Mount{{ID: 1046, Point: "/"}, {ID: 1050, Point: "/dev/shm"}, {ID: 1060, Point: "/volume"}, {ID: 1061, Point: "/volume"}, {ID: 1062, Point: "/dev"}}
	for path, id := range map[string]uint64{"/": 1046, "/dev/shm/x": 1050, "/dev/shmx": 1062, "/volume": 1061, "/volumes": 1046} {
		if m, ok := holding(list, path); !ok || m.ID != id {
			t.Errorf("%s is in %d, want %d", path, m.ID, id)
		}
	}
	if m, ok := holding(list[1:], "/etc"); ok {
		t.Errorf("/etc is in %+v", m)
	}
}
