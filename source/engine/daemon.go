package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/source/internal/engineapi"
)

// daemon takes the engine itself, as an object of the kind Engine.
func (r *reading) daemon(v *version, i *info, bridge *network) {
	_, userns := i.option("userns")
	_, rootless := i.option("rootless")
	_, nnp := i.option("no-new-privileges")
	seccomp, hasSeccomp := i.option("seccomp")
	_, apparmor := i.option("apparmor")
	_, selinux := i.option("selinux")
	if !hasSeccomp && len(i.SecurityOptions) > 0 {
		seccomp = "none"
	}
	values := map[string]any{
		"apiVersion": "engine/v1", "kind": "Engine", "metadata": map[string]any{"name": r.kind},
		"version": v.Version, "api": v.APIVersion, "kernel": v.Kernel, "system": i.OperatingSystem,
		"storage": i.Driver, "log": i.LoggingDriver, "cgroup": i.CgroupVersion, "cgroupDriver": i.CgroupDriver, "runtime": i.DefaultRuntime,
		"liveRestore": i.LiveRestoreEnabled, "experimental": i.ExperimentalBuild, "seccomp": strings.TrimPrefix(seccomp, "profile="),
		"userns": userns, "rootless": rootless, "noNewPrivileges": nnp, "apparmor": apparmor, "selinux": selinux,
		"swarm": i.Swarm.LocalNodeState == "active", "authorization": texts(i.Plugins.Authorization), "insecureRegistries": texts(i.insecure()),
		"known": i.Driver != "", "open": slices.ContainsFunc(i.Warnings, func(w string) bool { return strings.Contains(w, "API is accessible on") }),
	}
	if v, ok := bridge.Options["com.docker.network.bridge.enable_icc"]; ok {
		values["icc"] = v == "true"
	}
	if r.kind == "docker" && (r.config != "" || r.usual) {
		r.files(values)
	}
	if err := r.add(values, ""); err != nil {
		r.note("%v", err)
	}
}

// insecure are the registries that are spoken to without TLS. This machine itself always is.
func (i *info) insecure() []string {
	var list []string
	for _, cidr := range i.RegistryConfig.InsecureRegistryCIDRs {
		if cidr != "127.0.0.0/8" && cidr != "::1/128" {
			list = append(list, cidr)
		}
	}
	for name, c := range i.RegistryConfig.IndexConfigs {
		if !c.Secure {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// settings are the parts of daemon.json that are looked at. Others may hold passwords of a
// proxy, and are not kept.
var settings = []string{
	"icc", "userns-remap", "live-restore", "userland-proxy", "log-driver", "log-level", "iptables", "ip6tables", "insecure-registries", "experimental", "hosts",
	"tls", "tlsverify", "authorization-plugins", "default-ulimits", "storage-driver", "seccomp-profile", "no-new-privileges", "cgroup-parent", "selinux-enabled",
	"default-cgroupns-mode", "content-trust", "default-runtime", "allow-nondistributable-artifacts",
}

// files adds what the engine's files say: its settings, and who may read and write them.
func (r *reading) files(values map[string]any) {
	file := r.config
	if file == "" {
		file = "/etc/docker/daemon.json"
		values["files"] = modes([]string{"/etc/docker", file, engineapi.UsualDocker, "/run/containerd/containerd.sock"})
	}
	f, err := os.Open(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		values["config"] = map[string]any{}
		return
	case err != nil:
		r.note("its settings could not be read: %v", err)
		return
	}
	defer f.Close()
	data, err := limit.ReadAll(f, 1<<20, file)
	if err == nil {
		var config *kube.Node
		if config, err = kube.ParseJSON(data); err == nil {
			values["config"] = chosen(config)
			return
		}
	}
	r.note("its settings in %s: %v", file, err)
}

func chosen(config *kube.Node) map[string]any {
	m := map[string]any{}
	for _, name := range settings {
		if config.Has(name) {
			m[name] = config.Get(name)
		}
	}
	return m
}

// modes are who owns files, and what others may do with them.
func modes(files []string) []any {
	var list []any
	for _, file := range files {
		st, err := os.Stat(file)
		if err != nil {
			continue
		}
		m := map[string]any{"path": file, "mode": fmt.Sprintf("%04o", st.Mode().Perm())}
		if uid, gid, ok := owner(st); ok {
			m["uid"], m["gid"] = uid, gid
		}
		list = append(list, m)
	}
	return list
}
