//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
)

// TestRoundAndRound goes through small rings many times: records that begin at the end of one and go on at its start are whole, too.
func TestRoundAndRound(t *testing.T) {
	const rounds, each = 60, 15
	var mu sync.Mutex
	var seen []string
	w := watchWith(t, &Sensor{Self: true, Critical: 1 << 14, Volume: 1 << 14}, kinds("unlinkat"), func(list []bulwark.Event) {
		mu.Lock()
		defer mu.Unlock()
		for i := range list {
			if path, ok := list[i].Arg("name"); ok && strings.HasPrefix(string(path.Text), "/nowhere/") {
				seen = append(seen, string(path.Text))
			}
		}
	})
	var made []string
	for i := range rounds {
		for j := range each {
			made = append(made, fmt.Sprintf("/nowhere/%d/%d/%s", i, j, strings.Repeat("x", (i*7+j*13)%190)))
			if err := unix.Unlinkat(unix.AT_FDCWD, made[len(made)-1], 0); err == nil {
				t.Fatalf("%s was there", made[len(made)-1])
			}
		}
		late := time.Now().Add(10 * time.Second)
		for all := false; !all; time.Sleep(time.Millisecond) {
			mu.Lock()
			all = len(seen) >= len(made)
			mu.Unlock()
			if time.Now().After(late) {
				t.Fatalf("of %d calls %d are seen", len(made), len(seen))
			}
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for i := range max(len(made), len(seen)) {
		if i >= len(made) || i >= len(seen) || made[i] != seen[i] {
			t.Fatalf("%d calls made, %d seen; the first that differs is the %d-th: %q, made %q", len(made), len(seen), i+1, seen[i:min(i+1, len(seen))], made[i:min(i+1, len(made))])
		}
	}
}
