package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// container takes a container as the Pod that would be the same:
//
//	Privileged, CapAdd, CapDrop, ReadonlyRootfs   the container's securityContext
//	User                                          runAsUser, runAsGroup; a name that is not root is runAsNonRoot
//	SecurityOpt, AppArmorProfile                  seccompProfile, appArmorProfile, seLinuxOptions, procMount, allowPrivilegeEscalation
//	PidMode, IpcMode, NetworkMode, UsernsMode     hostPID, hostIPC, hostNetwork, hostUsers, shareProcessNamespace
//	Mounts                                        hostPath and emptyDir volumes, mountPropagation
//	ports that are published                      ports with hostPort and hostIP
//	Memory, NanoCpus                              resources.limits
//	RestartPolicy, Sysctls, GroupAdd, health      restartPolicy, sysctls, supplementalGroups, livenessProbe
//
// All else that decides something stands below "engine", as the engine calls it.
func (r *reading) container(c *container, info *info) error {
	one := map[string]any{
		"name": c.name(), "image": c.Config.Image, "securityContext": c.security(info),
	}
	put(one, "command", texts(c.command()))
	put(one, "env", c.environment())
	put(one, "ports", c.ports())
	put(one, "resources", c.limits())
	put(one, "livenessProbe", c.probe())
	volumes, mounts := c.volumes()
	put(one, "volumeMounts", mounts)
	spec := map[string]any{"containers": []any{one}, "automountServiceAccountToken": false, "restartPolicy": c.restart()}
	put(spec, "volumes", volumes)
	c.namespaces(spec, info)
	put(spec, "securityContext", c.groups())
	if run := c.HostConfig.Runtime; run != "" && run != "runc" && run != "crun" && run != "oci" {
		spec["runtimeClassName"] = run
	}
	return r.add(map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": c.name()},
		"spec":     spec, "engine": c.rest(info),
	}, r.kind)
}

func (c *container) name() string {
	return cmp.Or(strings.TrimPrefix(c.Name, "/"), c.ID[:min(12, len(c.ID))])
}

// put sets a value that is not empty.
func put(m map[string]any, key string, v any) {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			return
		}
	case map[string]any:
		if len(v) == 0 {
			return
		}
	}
	m[key] = v
}

func texts(list []string) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func (c *container) command() []string {
	if c.Path == "" {
		return nil
	}
	return append([]string{c.Path}, c.Args...)
}

// environment gives the names of variables; their values stay where they are.
func (c *container) environment() []any {
	var list []any
	for _, e := range c.Config.Env {
		name, _, _ := strings.Cut(e, "=")
		list = append(list, map[string]any{"name": name})
	}
	return list
}

// ports are those that the engine publishes.
func (c *container) ports() []any {
	published := c.NetworkSettings.Ports
	if len(published) == 0 {
		published = c.HostConfig.PortBindings
	}
	var list []any
	for _, port := range slices.Sorted(maps.Keys(published)) {
		number, protocol, _ := strings.Cut(port, "/")
		n, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		for _, b := range published[port] {
			host, _ := strconv.Atoi(b.HostPort)
			list = append(list, map[string]any{"containerPort": n, "protocol": strings.ToUpper(cmp.Or(protocol, "tcp")), "hostPort": host, "hostIP": cmp.Or(b.HostIP, "0.0.0.0")})
		}
	}
	return list
}

func (c *container) limits() map[string]any {
	limits := map[string]any{}
	if c.HostConfig.Memory > 0 {
		limits["memory"] = strconv.FormatInt(c.HostConfig.Memory, 10)
	}
	if c.HostConfig.NanoCpus > 0 {
		limits["cpu"] = fmt.Sprintf("%dm", max(1, c.HostConfig.NanoCpus/1_000_000))
	} else if c.HostConfig.CPUQuota > 0 {
		limits["cpu"] = fmt.Sprintf("%dm", max(1, c.HostConfig.CPUQuota/100))
	}
	if len(limits) == 0 {
		return nil
	}
	return map[string]any{"limits": limits}
}

func (c *container) probe() map[string]any {
	h := c.Config.Healthcheck
	if h == nil || len(h.Test) == 0 || h.Test[0] == "NONE" {
		return nil
	}
	return map[string]any{"exec": map[string]any{"command": texts(h.Test)}}
}

func (c *container) restart() string {
	switch c.HostConfig.RestartPolicy.Name {
	case "always", "unless-stopped":
		return "Always"
	case "on-failure":
		return "OnFailure"
	}
	return "Never"
}

// volumes are what is mounted: folders of the host and volumes of the engine.
func (c *container) volumes() (volumes, mounts []any) {
	for i, m := range c.Mounts {
		name := "mount-" + strconv.Itoa(i)
		v := map[string]any{"name": name, "emptyDir": map[string]any{}}
		if m.Type == "bind" {
			v = map[string]any{"name": name, "hostPath": map[string]any{"path": m.Source}}
		}
		at := map[string]any{"name": name, "mountPath": m.Destination}
		if !m.RW {
			at["readOnly"] = true
		}
		switch m.Propagation {
		case "shared", "rshared":
			at["mountPropagation"] = "Bidirectional"
		case "slave", "rslave":
			at["mountPropagation"] = "HostToContainer"
		}
		volumes, mounts = append(volumes, v), append(mounts, at)
	}
	return volumes, mounts
}

// namespaces says which of the host's, or of another container, the container is in.
func (c *container) namespaces(spec map[string]any, info *info) {
	h := &c.HostConfig
	spec["hostPID"], spec["hostIPC"], spec["hostNetwork"] = h.PidMode == "host", h.IpcMode == "host", h.NetworkMode == "host"
	if strings.HasPrefix(h.PidMode, "container:") {
		spec["shareProcessNamespace"] = true
	}
	_, remapped := info.option("userns")
	_, rootless := info.option("rootless")
	switch {
	case h.UsernsMode == "host" && !rootless:
		spec["hostUsers"] = true
	case remapped, rootless, h.UsernsMode != "" && h.UsernsMode != "host":
		spec["hostUsers"] = false
	}
}

func (c *container) groups() map[string]any {
	m := map[string]any{}
	var groups, sysctls []any
	for _, g := range c.HostConfig.GroupAdd {
		if n, err := strconv.Atoi(g); err == nil {
			groups = append(groups, n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.HostConfig.Sysctls)) {
		sysctls = append(sysctls, map[string]any{"name": name, "value": c.HostConfig.Sysctls[name]})
	}
	put(m, "supplementalGroups", groups)
	put(m, "sysctls", sysctls)
	return m
}

// rest is what a Pod cannot say.
func (c *container) rest(info *info) map[string]any {
	h := &c.HostConfig
	m := map[string]any{
		"id": c.ID, "image": c.Image, "network": h.NetworkMode, "uts": h.UTSMode, "cgroupns": h.CgroupnsMode, "cgroup": info.CgroupVersion, "cgroupParent": h.CgroupParent,
		"restart": h.RestartPolicy.Name, "retries": h.RestartPolicy.MaximumRetryCount, "cpuShares": h.CPUShares,
		"log": h.LogConfig.Type, "publishAll": h.PublishAllPorts, "oomKillDisable": h.OomKillDisable, "securityOpt": texts(kinds(h.SecurityOpt)),
	}
	if h.PidsLimit != nil {
		m["pidsLimit"] = *h.PidsLimit
	}
	var devices, limits []any
	for _, d := range h.Devices {
		devices = append(devices, map[string]any{"path": d.PathOnHost, "may": d.CgroupPermissions})
	}
	for _, u := range h.Ulimits {
		limits = append(limits, map[string]any{"name": u.Name, "soft": u.Soft, "hard": u.Hard})
	}
	put(m, "devices", devices)
	put(m, "ulimits", limits)
	put(m, "deviceRules", texts(h.DeviceCgroupRules))
	return m
}

// kinds are security options without what they hold: a whole seccomp profile, at worst.
func kinds(options []string) []string {
	var list []string
	for _, o := range options {
		if len(o) > 100 {
			o, _, _ = strings.Cut(o, "=")
		}
		list = append(list, o)
	}
	return list
}
