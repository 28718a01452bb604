package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bulwark/internal/need"
)

// Runc runs containers without any engine.
type Runc struct {
	binary, dir string
	root        []byte
}

// NewRunc makes the root file system of its containers.
func NewRunc(t testing.TB) *Runc {
	t.Helper()
	need.Root(t)
	dir := scratch(t)
	return &Runc{binary: need.Tool(t, "runc"), dir: dir, root: rootFS(t, Helper(t, dir)).Bytes()}
}

// Bundle makes a container's folder. What the default of runc allows is what it is allowed.
func (r *Runc) Bundle(t testing.TB, command ...string) (name, dir string) {
	t.Helper()
	name = "lab-" + random()
	dir = filepath.Join(r.dir, name)
	unpack(t, bytes.NewReader(r.root), filepath.Join(dir, "rootfs"))
	r.configure(t, dir, "rootfs", command)
	return name, dir
}

// Quick makes a function that runs a command in a container with the given name to its end, as quickly as can be: all of
// them have one root file system, which they only read.
func (r *Runc) Quick(t testing.TB) func(name string, command ...string) error {
	t.Helper()
	shared := filepath.Join(r.dir, "shared")
	unpack(t, bytes.NewReader(r.root), shared)
	spec := r.spec(t)
	return func(name string, command ...string) error {
		dir := filepath.Join(r.dir, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := write(spec, dir, shared, command); err != nil {
			return err
		}
		out, err := exec.Command(r.binary, "run", "-b", dir, name).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
		return nil
	}
}

// spec is what runc takes for granted.
func (r *Runc) spec(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command(r.binary, "spec", "-b", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (r *Runc) configure(t testing.TB, dir, root string, command []string) {
	t.Helper()
	if err := write(r.spec(t), dir, root, command); err != nil {
		t.Fatal(err)
	}
}

// write writes a container's configuration.
func write(from []byte, dir, root string, command []string) error {
	var spec map[string]any
	if err := json.Unmarshal(from, &spec); err != nil {
		return err
	}
	process := spec["process"].(map[string]any)
	process["args"], process["terminal"] = command, false
	delete(process, "rlimits")
	spec["root"].(map[string]any)["path"] = root
	b, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600)
}

// Run runs a shell script in a container of its own to its end.
func (r *Runc) Run(t testing.TB, script string) *Result {
	t.Helper()
	name, dir := r.Bundle(t, "/bin/sh", "-c", script)
	defer exec.Command(r.binary, "delete", "-f", name).Run()
	cmd := exec.Command(r.binary, "run", "-b", dir, name)
	dies(cmd)
	out, err := cmd.CombinedOutput()
	res := &Result{ID: name, Name: name, Output: string(out)}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		res.Code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return res
}

// Start starts a container that runs the command until the test ends.
func (r *Runc) Start(t testing.TB, command ...string) (name string) {
	t.Helper()
	name, dir := r.Bundle(t, command...)
	cmd := exec.Command(r.binary, "run", "-b", dir, name)
	dies(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command(r.binary, "delete", "-f", name).Run()
		cmd.Wait()
	})
	return name
}
