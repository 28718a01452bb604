package engine

import (
	"strconv"
	"strings"
)

// security is the container's securityContext.
func (c *container) security(info *info) map[string]any {
	h := &c.HostConfig
	m := map[string]any{"privileged": h.Privileged, "readOnlyRootFilesystem": h.ReadonlyRootfs, "allowPrivilegeEscalation": true}
	caps := map[string]any{}
	put(caps, "add", capabilities(h.CapAdd))
	put(caps, "drop", capabilities(h.CapDrop))
	put(m, "capabilities", caps)
	c.user(m)
	if _, ok := info.option("no-new-privileges"); ok && !h.Privileged {
		m["allowPrivilegeEscalation"] = false
	}
	m["seccompProfile"] = map[string]any{"type": "RuntimeDefault"}
	if profile, ok := info.option("seccomp"); profile == "profile=unconfined" || !ok && len(info.SecurityOptions) > 0 {
		m["seccompProfile"] = map[string]any{"type": "Unconfined"}
	}
	if c.AppArmorProfile == "unconfined" && !h.Privileged {
		m["appArmorProfile"] = map[string]any{"type": "Unconfined"}
	}
	if h.MaskedPaths != nil && len(*h.MaskedPaths) == 0 && !h.Privileged {
		m["procMount"] = "Unmasked"
	}
	for _, o := range h.SecurityOpt {
		c.option(m, o)
	}
	return m
}

// option takes one of --security-opt, which are written with = or :.
func (c *container) option(m map[string]any, option string) {
	name, value, _ := strings.Cut(strings.Replace(option, ":", "=", 1), "=")
	switch name {
	case "no-new-privileges":
		m["allowPrivilegeEscalation"] = value == "false"
	case "seccomp":
		kind := map[string]any{"type": "Localhost", "localhostProfile": "given"}
		if value == "unconfined" {
			kind = map[string]any{"type": "Unconfined"}
		} else if value == "builtin" {
			kind = map[string]any{"type": "RuntimeDefault"}
		}
		m["seccompProfile"] = kind
	case "apparmor":
		if value == "unconfined" {
			m["appArmorProfile"] = map[string]any{"type": "Unconfined"}
		}
	case "label":
		kind, what, _ := strings.Cut(strings.Replace(value, ":", "=", 1), "=")
		if kind == "disable" {
			m["seLinuxOptions"] = map[string]any{"type": "spc_t"}
		} else if kind == "type" {
			m["seLinuxOptions"] = map[string]any{"type": what}
		}
	case "systempaths":
		if value == "unconfined" {
			m["procMount"] = "Unmasked"
		}
	case "unmask":
		m["procMount"] = "Unmasked" // Podman's
	}
}

// user sets who the container's first process is.
func (c *container) user(m map[string]any) {
	user, group, _ := strings.Cut(c.Config.User, ":")
	id, err := strconv.Atoi(user)
	switch {
	case user == "" || user == "root":
		m["runAsUser"] = 0
	case err == nil:
		m["runAsUser"] = id
	default:
		m["runAsNonRoot"] = true
	}
	if id > 0 || err != nil && user != "" && user != "root" {
		m["runAsNonRoot"] = true
	}
	if n, err := strconv.Atoi(group); err == nil {
		m["runAsGroup"] = n
	}
}

func capabilities(list []string) []any {
	var out []any
	for _, c := range list {
		out = append(out, strings.TrimPrefix(strings.ToUpper(c), "CAP_"))
	}
	return out
}
