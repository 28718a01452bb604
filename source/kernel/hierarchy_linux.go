//go:build amd64 || arm64

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"bulwark/source/kernel/internal/types"
)

// hierarchy is the one whose control groups events are told by: that of the second version, or where there is none that of
// memory, in which every engine has its containers.
type hierarchy struct {
	root      string // "": there is none at all
	id        uint32 // 0: that of the second version
	subsystem uint32 // of the first version: its place in a task's list, from 1
}

const olderRoot = "/sys/fs/cgroup/memory"

func (s *Sensor) hierarchy() (hierarchy, error) {
	if root := unified(); root != "" && !s.older {
		return hierarchy{root: root}, nil
	}
	table, err := os.ReadFile("/proc/cgroups")
	if err != nil {
		return hierarchy{}, nil
	}
	id := hierarchyOf(string(table), "memory")
	if _, err := os.Stat(filepath.Join(olderRoot, "cgroup.procs")); err != nil || id == 0 {
		return hierarchy{}, nil
	}
	at, err := subsystemPlace("memory_cgrp_id")
	if err != nil {
		return hierarchy{}, fmt.Errorf("finding control groups of the first version: %w", err)
	}
	return hierarchy{root: olderRoot, id: id, subsystem: at + 1}, nil
}

// hierarchyOf reads /proc/cgroups: the number of the hierarchy that has the controller; 0: none of the first version.
func hierarchyOf(table, controller string) uint32 {
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) < 4 || words[0] != controller || words[3] == "0" {
			continue
		}
		if n, err := strconv.ParseUint(words[1], 10, 32); err == nil {
			return uint32(n)
		}
	}
	return 0
}

// subsystemPlace is a number that depends on how the kernel was built.
func subsystemPlace(name string) (uint32, error) {
	types, err := types.Cache().Kernel()
	if err != nil {
		return 0, err
	}
	var list *btf.Enum
	if err := types.TypeByName("cgroup_subsys_id", &list); err != nil {
		return 0, err
	}
	for _, v := range list.Values {
		if v.Name == name && v.Value < 14 {
			return uint32(v.Value), nil
		}
	}
	return 0, fmt.Errorf("the kernel has no %s", name)
}

// unified is where the control groups of the second version are; "": nowhere.
func unified() string {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var st unix.Statfs_t
		if unix.Statfs(root, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			return root
		}
	}
	return ""
}
