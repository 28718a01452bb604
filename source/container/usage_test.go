package container_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bulwark"
	"bulwark/source/container"
)

func TestUsage(t *testing.T) {
	const path = "/docker/abc"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  container.Usage
		ok    bool
	}{
		{"unified", map[string]string{"docker/abc/cgroup.procs": "1\n", "docker/abc/cpu.stat": "usage_usec 1500\nuser_usec 1\n", "docker/abc/memory.current": "4096\n"}, container.Usage{CPU: 1500 * time.Microsecond, Memory: 4096}, true},
		{"hybrid", map[string]string{"unified/docker/abc/cgroup.procs": "", "cpuacct/docker/abc/cpuacct.usage": "77\n", "memory/docker/abc/memory.usage_in_bytes": "8\n"}, container.Usage{CPU: 77, Memory: 8}, true},
		{"no controllers", map[string]string{"docker/abc/cgroup.procs": "1\n", "docker/abc/cpu.stat": "x\n"}, container.Usage{CPU: -1, Memory: -1}, true},
		{"nonsense", map[string]string{"docker/abc/cgroup.procs": "", "docker/abc/memory.current": "-5\n", "docker/abc/cpu.stat": "usage_usec 99999999999999999999\n"}, container.Usage{CPU: -1, Memory: -1}, true},
		{"gone", nil, container.Usage{CPU: -1, Memory: -1}, false},
	} {
		root := t.TempDir()
		for name, text := range tt.files {
			file := filepath.Join(root, "sys/fs/cgroup", name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, ok := container.New(container.Options{Root: root}).Usage(&bulwark.Container{Cgroup: path})
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v %v, want %+v %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
