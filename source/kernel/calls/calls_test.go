package calls

import (
	"strings"
	"testing"
)

// TestNames holds the table of names to what is known of it.
func TestNames(t *testing.T) {
	names := parseNames(table)
	if table == "" {
		t.Skip("this architecture has no table")
	}
	seen := map[string]int{}
	for nr, name := range names {
		if name == "" {
			continue
		}
		if old, twice := seen[name]; twice {
			t.Errorf("%s is %d and %d", name, old, nr)
		}
		seen[name] = nr
	}
	for _, name := range strings.Fields("read write openat execve clone3 newfstatat mmap fchmodat2 io_uring_enter exit_group mseal") {
		if _, ok := seen[name]; !ok {
			t.Errorf("%s has no number", name)
		}
	}
	if seen["clone3"] != 435 || seen["mseal"] != 462 || names[compat] != Compat {
		t.Errorf("clone3 %d, mseal %d", seen["clone3"], seen["mseal"])
	}
	if got := capabilities[21]; got != "CAP_SYS_ADMIN" || len(capabilities) != 41 {
		t.Errorf("21 is %s of %d", got, len(capabilities))
	}
}
