//go:build amd64 || arm64

package kernel

import (
	"cmp"
	"errors"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/source/kernel/internal/types"
)

// raws are the programs at raw tracepoints.
var raws = map[string]uint32{
	"on_exec": evExec, "on_fork": evFork, "on_exit": evExit, "on_cgroup_made": evCgroupMade, "on_cgroup_gone": evCgroupGone,
	"on_signal": evSignal, "on_iouring": evIOURing, "on_rounding": evRounding,
}

// always are the raw tracepoints without which it is not known what is in a container.
var always = []string{"on_exec", "on_cgroup_made", "on_cgroup_gone"}

var rawNames = map[string]string{
	"on_exec": "sched_process_exec", "on_fork": "sched_process_fork", "on_exit": "sched_process_exit", "on_cgroup_made": "cgroup_mkdir",
	"on_cgroup_gone": "cgroup_rmdir", "on_signal": "signal_generate", "on_iouring": "io_uring_submit_req",
	"on_rounding": "x86_fpu_regs_deactivated", "on_state": "inet_sock_set_state",
}

func (p *plan) uses(program string) bool {
	if ev, raw := raws[program]; raw {
		return p.calls[ev] != nil || slices.Contains(always, program)
	}
	switch program {
	case "on_oom":
		return p.calls[evOOM] != nil
	case "on_close":
		return p.calls[evClose] != nil
	case "on_egress", "on_ingress", "on_state":
		return p.packets()
	}
	return true
}

// packets tells whether any event of packets is wanted, and may be had.
func (p *plan) packets() bool {
	return (p.calls[evPayload] != nil || p.calls[evDNS] != nil || p.calls[evFlow] != nil) && noPackets() == ""
}

func (r *run) attach(p *plan) error {
	for name, point := range rawNames {
		program := r.programs.Programs[name]
		if program == nil {
			continue
		}
		if name == "on_iouring" {
			point = requestPoint()
		}
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: point, Program: program})
		if errors.Is(err, unix.ENOENT) && !slices.Contains(always, name) {
			continue
		}
		if err != nil {
			return refused("attaching to raw tracepoint "+point, err)
		}
		r.links = append(r.links, l)
	}
	if err := r.attachPackets(p); err != nil {
		return err
	}
	return r.attachCalls(p)
}

// atOnce is how many tracepoints are attached at a time: while the kernel lets go of those of a run that ended, each
// waits.
const atOnce = 16

// attachCalls attaches to the tracepoints of calls. Those that the kernel does not have are left out.
func (r *run) attachCalls(p *plan) error {
	programs := map[string]*ebpf.Program{}
	for nr, c := range p.calls {
		if point, program := hook(nr, bulwark.Kind(c.Kind).String()); point != "" {
			programs[point] = r.programs.Programs[program]
		}
	}
	if len(programs) == 0 {
		return nil
	}
	tracing, err := openTracing()
	if err != nil {
		return refused("finding tracepoints", err)
	}
	defer tracing.close()
	if r.points, err = newPoints(len(programs)); err != nil {
		return refused("making room for tracepoints", err)
	}
	var all errgroup.Group
	all.SetLimit(atOnce)
	for point, program := range programs {
		all.Go(func() error {
			if err := r.points.attach(tracing, point, program.FD()); err != nil && !absent(err) {
				return refused("attaching", err)
			}
			return nil
		})
	}
	return all.Wait()
}

// hook is the tracepoint of a call, or of what else has a number, and the program that is for it; "": it has no tracepoint of its own.
func hook(nr uint32, name string) (point, program string) {
	switch {
	case nr == evClose:
		return "syscalls/sys_enter_close", "on_close"
	case nr == evOOM:
		return "oom/mark_victim", "on_oom"
	case nr >= calls:
		return "", ""
	case name == "clone" || name == "clone3" || name == "fork" || name == "vfork":
		return tracepoint(name), "on_exit_clone"
	case name == "execve" || name == "execveat":
		return tracepoint(name), "on_exit_exec"
	}
	return tracepoint(name), "on_exit_call"
}

// requestPoint is the raw tracepoint of requests of io_uring, which had another name before 6.4. Before 6.0 it did not give the
// request first: there it is not used.
func requestPoint() string {
	const now, before = "io_uring_submit_req", "io_uring_submit_sqe"
	types, err := types.Cache().Kernel()
	if err != nil {
		return now
	}
	var point *btf.Typedef
	if types.TypeByName("btf_trace_"+before, &point) != nil {
		return now
	}
	to, _ := point.Type.(*btf.Pointer)
	if to == nil {
		return now
	}
	proto, _ := to.Target.(*btf.FuncProto)
	if proto == nil || len(proto.Params) < 2 {
		return now
	}
	if p, ok := proto.Params[1].Type.(*btf.Pointer); ok {
		if s, ok := p.Target.(*btf.Struct); ok && s.Name == "io_kiocb" {
			return before
		}
	}
	return now
}

// attachPackets has the packets of all control groups looked at. Where there is no hierarchy of the second version,
// there are none to see: Abilities says so.
func (r *run) attachPackets(p *plan) error {
	root := unified()
	if !p.packets() || root == "" {
		return nil
	}
	for name, at := range map[string]ebpf.AttachType{"on_egress": ebpf.AttachCGroupInetEgress, "on_ingress": ebpf.AttachCGroupInetIngress} {
		l, err := link.AttachCgroup(link.CgroupOptions{Path: root, Attach: at, Program: r.programs.Programs[name]})
		if err != nil {
			return refused("attaching to the packets of control groups", err)
		}
		r.links = append(r.links, l)
	}
	return nil
}

// tracepoint is where a system call returns.
func tracepoint(name string) string {
	return "syscalls/sys_exit_" + cmp.Or(tracepointsHere[name], tracepoints[name], name)
}

// detach ends what the programs see: of tracepoints within seconds, see [points].
func (r *run) detach() {
	for _, l := range r.links {
		l.Close()
	}
	r.points.close()
	r.links, r.points = nil, nil
}
