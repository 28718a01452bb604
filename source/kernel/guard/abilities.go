//go:build linux && (amd64 || arm64)

package guard

import (
	"cmp"

	"golang.org/x/sys/unix"

	"bulwark"
)

const byLSM = "BPF LSM bprm_check_security"

// Abilities are what can be stopped here: see [bulwark.Guard].
func (g *Guard) Abilities() []bulwark.Ability {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.prepare()
	}
	if g.closed {
		return nil
	}
	unified := ""
	if g.node.unified == "" {
		unified = "the unified hierarchy of cgroups (v2) is not mounted"
	}
	hook := func(kinds ...hookKind) string {
		why := cmp.Or(g.node.pidsWhy, unified)
		for _, k := range kinds {
			why = cmp.Or(why, g.hooks.why[k])
		}
		return why
	}
	files := cmp.Or(g.node.pidsWhy, g.node.execWhy)
	return []bulwark.Ability{
		{Name: "deny " + string(bulwark.DeedExecDrift), By: "fanotify, of a container that runs", Why: files},
		{Name: "kill " + string(bulwark.DeedExecDrift), By: "raw tracepoint sched_process_exec", Why: hook(hookExec)},
		{Name: "deny " + string(bulwark.DeedExecBelow), By: "fanotify", Why: files},
		{Name: "kill " + string(bulwark.DeedExecMemory), By: "raw tracepoint sched_process_exec", Why: hook(hookExec)},
		{Name: "deny " + string(bulwark.DeedExecDrift), By: byLSM, Why: hook(hookDeny)},
		{Name: "deny " + string(bulwark.DeedExecMemory), By: byLSM, Why: hook(hookDeny)},
		{Name: "deny " + string(bulwark.DeedConnect), By: "cgroup connect, sendmsg and egress hooks", Why: cmp.Or(noPackets(), hook(hookConnect, hookEgress))},
		{Name: "hold containers to it from before their first process", By: "raw tracepoint cgroup_mkdir", Why: hook(hookNew)},
		{Name: "cut " + string(bulwark.DeedMine), By: "cgroup egress hook", Why: cmp.Or(noPackets(), hook(hookEgress))},
	}
}

// noPackets says why programs of control groups cannot be attached, though all else may be; "": they can.
func noPackets() string {
	h, d := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	if err := unix.Capget(&h, &d[0]); err != nil {
		return "its capabilities cannot be told: " + err.Error()
	}
	if d[0].Effective&(1<<unix.CAP_NET_ADMIN|1<<unix.CAP_SYS_ADMIN) == 0 {
		return "needs CAP_NET_ADMIN"
	}
	return ""
}
