package profile

import (
	"encoding/json"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark"
	"bulwark/detect/profile"
	"bulwark/internal/need"
	"bulwark/test/runtime/lab"
)

// TestInUse holds that the packages of an image whose files a container loaded are in use, and others are not.
func TestInUse(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs containers: not in a short run")
	}
	need.Root(t)
	want := map[string]bool{"perl-base": true, "libc6": true, "libcrypt1": true, "gzip": false, "findutils": false, "sed": false}
	archive := debian(t, slices.Sorted(maps.Keys(want))...)
	docker, program, folder := lab.StartDocker(t), lab.Program(t), t.TempDir()
	image := docker.Load(t, archive)
	w := lab.StartWatch(t, program, "--learn", folder)
	command := []string{"perl", "-e", "use strict; print qq(done\\n)"}
	run(t, docker, lab.Options{Image: image}, command...).Done(t)
	w.Stop()
	all, err := profile.Folder(folder, func(file string, err error) { t.Error(file, err) })
	if err != nil {
		t.Fatal(err)
	}
	var p *profile.Profile
	for _, one := range all {
		if one.Loaded["/usr/bin/perl"] != "" {
			p = one
		}
	}
	if p == nil {
		t.Fatalf("perl was not learned: %v", all)
	}
	o := held(t, p)
	o.Image = image
	run(t, docker, o, command...).Done(t)
	if r := run(t, docker, o, "perl", "-e", "mkdir q(/x) or die; print qq(done\\n)"); strings.Contains(r.Output, "done") {
		t.Errorf("a call that was not made works: %s", r.Output)
	}
	for _, enough := range []bool{false, true} {
		if enough {
			p.Seconds, p.Starts = int64(2*profile.EnoughTime/time.Second), 2
			if err := p.Write(folder, profile.FileName(p.Key())); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(program, "scan", "tar:"+archive, "--in-use", folder, "-f", "json", "--no-cache", "--offline", "--cache-dir", t.TempDir()).Output()
		if err != nil {
			t.Fatal(err)
		}
		var report bulwark.Report
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, pkg := range report.Packages {
			is := want[pkg.Name]
			found = append(found, pkg.Name)
			if known := is || enough; (pkg.InUse != nil) != known || known && *pkg.InUse != is {
				t.Errorf("enough %v: %s is in use: %v, want %v", enough, pkg.Name, pkg.InUse, is)
			}
		}
		if slices.Sort(found); !slices.Equal(found, slices.Sorted(maps.Keys(want))) {
			t.Errorf("the image has %v", found)
		}
		told := false
		for _, n := range report.Notes {
			told = told || strings.Contains(n.Text, "too short a time")
		}
		if told == enough {
			t.Errorf("enough %v: notes %v", enough, report.Notes)
		}
	}
}

// run runs a command in a container of its own to its end.
func run(t *testing.T, docker *lab.Docker, o lab.Options, command ...string) *lab.Result {
	t.Helper()
	r := docker.Create(t, o, command...)
	docker.Start(t, r)
	docker.Wait(t, r)
	docker.Remove(r.ID)
	return r
}
