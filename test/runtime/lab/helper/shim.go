//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// shim takes out of a container's configuration what this machine's root may not give, then becomes runc.
func shim() error {
	file := option(os.Args, "--process", "-p") // of exec
	if b := option(os.Args, "--bundle", "-b"); b != "" {
		file = filepath.Join(b, "config.json")
	}
	if file != "" {
		if err := mend(file); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	runc := os.Getenv("LAB_RUNC")
	if runc == "" {
		runc = "/usr/sbin/runc"
	}
	return unix.Exec(runc, append([]string{"runc"}, os.Args[1:]...), os.Environ())
}

func option(args []string, names ...string) string {
	for i, a := range args {
		if slices.Contains(names, a) && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

func mend(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(b, &spec); err != nil {
		return err
	}
	process, ok := spec["process"].(map[string]any)
	if !ok {
		process = spec
	}
	caps, _ := process["capabilities"].(map[string]any)
	if lacks() {
		delete(process, "rlimits")
		for kind, list := range caps {
			l, _ := list.([]any)
			caps[kind] = slices.DeleteFunc(l, func(c any) bool { return c == "CAP_SYS_RESOURCE" })
		}
	}
	if b, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o600)
}

// lacks tells that CAP_SYS_RESOURCE is not among what may be given.
func lacks() bool {
	n, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, unix.CAP_SYS_RESOURCE, 0, 0, 0)
	return err == nil && n == 0 || strings.Contains(os.Getenv("LAB_STRIP"), "resource")
}
