package container

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bulwark"
)

// inspected is a container as Docker and Podman tell of it, and as Docker keeps it in files.
type inspected struct {
	ID, Name, Path, Image string
	Args                  []string
	Config                struct {
		Image  string
		Env    []string
		Labels map[string]string
	}
	State struct {
		Pid       int
		StartedAt time.Time
	}
	HostConfig              *hostConfig
	Mounts                  []mountPoint
	MountPoints             map[string]mountPoint // in files
	ImageName, ImageDigest  string                // Podman's
	ImageManifestDescriptor struct{ Digest string }
	NetworkSettings         struct {
		IPAddress string
		Networks  map[string]struct{ IPAddress string }
	}
}

type hostConfig struct {
	Privileged                    bool
	PidMode, IpcMode, NetworkMode string
}

type mountPoint struct {
	Type, Source, Destination, Mode, Propagation string
	RW                                           bool
}

// dockerHome finds the folder of Docker's data by the files that Docker mounts into each container.
func (r *reading) dockerHome(s *spec) {
	if !isID(r.c.ID) {
		return
	}
	for _, m := range s.Mounts {
		home, ok := strings.CutSuffix(m.Source, "/containers/"+r.c.ID+"/hostname")
		if ok && m.Destination == "/etc/hostname" && filepath.IsAbs(home) && strings.HasPrefix(r.root, home+"/") {
			r.engine("docker")
			r.dockerFiles(r.f.at(home))
			return
		}
	}
}

// docker reads what Docker keeps where it does usually.
func (r *reading) docker() {
	if r.c.Image == "" && isID(r.c.ID) && (r.c.Engine == "docker" || r.c.Engine == "") {
		r.dockerFiles(r.f.at("/var/lib/docker"))
	}
}

func (r *reading) dockerFiles(home string) {
	dir := filepath.Join(home, "containers", r.c.ID)
	if !exists(dir) {
		return
	}
	var d inspected
	if err := readJSON(filepath.Join(dir, "config.v2.json"), &d); err != nil {
		r.fail("Docker's config.v2.json", err)
		return
	}
	var h hostConfig
	if err := readJSON(filepath.Join(dir, "hostconfig.json"), &h); err == nil {
		d.HostConfig = &h
	}
	r.engine("docker")
	r.inspected(&d)
}

// inspected takes what an engine tells.
func (r *reading) inspected(d *inspected) {
	if d.ID != r.c.ID {
		r.why = append(r.why, "the engine told of another container")
		return
	}
	c := &r.c
	r.it.found = true
	c.Name = clip(strings.TrimPrefix(d.Name, "/"))
	r.image(cmp.Or(d.ImageName, d.Config.Image))
	c.ImageID = clip(cmp.Or(d.Image, c.ImageID))
	c.Digest = clip(cmp.Or(d.ImageDigest, d.ImageManifestDescriptor.Digest, c.Digest))
	c.Labels = pairs(d.Config.Labels)
	if d.Path != "" {
		c.Command = texts(append([]string{d.Path}, d.Args...))
	}
	if len(d.Config.Env) > 0 {
		c.Env = texts(d.Config.Env)
	}
	if d.State.Pid > 0 {
		c.PID = d.State.Pid
	}
	r.started(d.State.StartedAt)
	if h := d.HostConfig; h != nil {
		c.Privileged, c.HostPID, c.HostIPC, c.HostNetwork = h.Privileged, h.PidMode == "host", h.IpcMode == "host", h.NetworkMode == "host"
	}
	c.IP = clip(cmp.Or(d.NetworkSettings.IPAddress, c.IP))
	for _, n := range d.NetworkSettings.Networks {
		c.IP = cmp.Or(c.IP, clip(n.IPAddress))
	}
	r.mountPoints(d)
	r.podLabels()
}

func (r *reading) mountPoints(d *inspected) {
	all := d.Mounts
	for _, m := range d.MountPoints {
		all = append(all, m)
	}
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b mountPoint) int { return strings.Compare(a.Destination, b.Destination) })
	r.c.Mounts = nil
	for _, m := range all[:min(len(all), maxPairs)] {
		r.c.Mounts = append(r.c.Mounts, bulwark.Mount{Source: clip(m.Source), Dest: clip(m.Destination), Mode: clip(m.Mode), Write: m.RW, Propagation: clip(m.Propagation)})
	}
}

// podLabels takes the pod from the labels that Kubernetes gives.
func (r *reading) podLabels() {
	l := r.c.Labels
	if l["io.kubernetes.pod.name"] == "" {
		return
	}
	p := r.pod()
	p.Name, p.Namespace, p.UID = l["io.kubernetes.pod.name"], l["io.kubernetes.pod.namespace"], cmp.Or(l["io.kubernetes.pod.uid"], p.UID)
	p.Sandbox = cmp.Or(l["io.kubernetes.sandbox.id"], p.Sandbox)
	if l["io.kubernetes.docker.type"] == "podsandbox" {
		p.Sandbox = r.c.ID
	}
	r.c.Name = cmp.Or(l["io.kubernetes.container.name"], r.c.Name)
}
