package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Runc runs containers without any engine.
type Runc struct {
	binary, dir string
	root        []byte
}

// NewRunc makes the root file system of its containers.
func NewRunc(t testing.TB) *Runc {
	t.Helper()
	AsRoot(t)
	dir := scratch(t)
	return &Runc{binary: Tool(t, "runc"), dir: dir, root: rootFS(t, Helper(t, dir)).Bytes()}
}

// Bundle makes a container's folder. What the default of runc allows is what it is allowed.
func (r *Runc) Bundle(t testing.TB, command ...string) (name, dir string) {
	t.Helper()
	name = "lab-" + random()
	dir = filepath.Join(r.dir, name)
	unpack(t, bytes.NewReader(r.root), filepath.Join(dir, "rootfs"))
	if out, err := exec.Command(r.binary, "spec", "-b", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file := filepath.Join(dir, "config.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	process := spec["process"].(map[string]any)
	process["args"], process["terminal"] = command, false
	delete(process, "rlimits")
	if b, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, dir
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
