//go:build linux && (amd64 || arm64)

package guard

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/source/kernel/internal/types"
)

// hookKind is where programs are attached.
type hookKind int

// The hooks.
const (
	hookConnect hookKind = iota
	hookEgress
	hookExec
	hookDeny
	hookNew
	hookKinds
)

// What the programs call deeds.
const (
	codeDrift = 1 + iota
	codeMemory
	codeConnect
	codeExcept
	codeMine
)

// programsOf are the programs of each hook.
var programsOf = [hookKinds][]string{
	hookConnect: {"connect4", "connect6", "sendmsg4", "sendmsg6"},
	hookEgress:  {"egress"},
	hookExec:    {"executed"},
	hookDeny:    {"check"},
	hookNew:     {"made", "gone"},
}

// hooks are the loaded programs, and what is attached.
type hooks struct {
	node     *node
	why      [hookKinds]string // why a hook cannot be had; "": it can
	maps     map[string]*ebpf.Map
	programs map[string]*ebpf.Program

	now    *plan
	ids    map[string]uint32 // of the blocks that are in force
	next   uint32
	names  names
	links  map[string]link.Link // by hook and folder
	reader *reader
}

// loadHooks loads what this kernel takes; it leaves nothing attached.
func loadHooks(n *node, tell func(bulwark.Decision)) *hooks {
	h := &hooks{node: n, now: &plan{}, ids: map[string]uint32{}, links: map[string]link.Link{}, programs: map[string]*ebpf.Program{}}
	err := h.loadAll()
	if err == nil {
		h.reader, err = read(h.maps["decisions"], &h.names, tell)
	}
	if err != nil {
		for k := range h.why {
			h.why[k] = err.Error()
		}
	}
	return h
}

func (h *hooks) loadAll() error {
	spec, err := loadPrograms()
	if err != nil {
		return fmt.Errorf("reading the programs: %w", err)
	}
	if err := h.setConstants(spec); err != nil {
		return err
	}
	shared := spec.Copy()
	shared.Programs = nil
	tables, err := ebpf.NewCollection(shared)
	if err != nil {
		return fmt.Errorf("making the tables of the programs: %w", err)
	}
	h.maps = tables.Maps
	options := ebpf.CollectionOptions{MapReplacements: maps.Clone(tables.Maps), Cache: types.Cache()}
	if overlay, err := options.Cache.Module("overlay"); err == nil {
		options.Programs.ExtraRelocationTargets = []*btf.Spec{overlay}
	}
	for k, names := range programsOf {
		if h.why[k] = h.node.without(hookKind(k)); h.why[k] != "" {
			continue
		}
		if err := h.loadSome(spec, names, options); err != nil {
			h.why[k] = err.Error()
		}
	}
	if h.why[hookDeny] == "" {
		h.why[hookDeny] = h.tryDeny()
	}
	return nil
}

// tryDeny says why the program of BPF LSM cannot be attached, which is not known before it is: on arm64 Linux loads it and
// attaches none before 6.4. "": it can. No cgroup has a block yet: meanwhile nothing is denied.
func (h *hooks) tryDeny() string {
	l, err := link.AttachLSM(link.LSMOptions{Program: h.programs["check"]})
	if err != nil {
		return "the kernel attaches no programs of BPF LSM: " + err.Error()
	}
	l.Close()
	return ""
}

// setConstants tells the programs who is never stopped, and what the node's own files are.
func (h *hooks) setConstants(spec *ebpf.CollectionSpec) error {
	var st unix.Stat_t
	if err := unix.Stat("/proc/1/ns/mnt", &st); err != nil {
		if err = unix.Stat("/proc/self/ns/mnt", &st); err != nil {
			return fmt.Errorf("asking for the node's mount namespace: %w", err)
		}
	}
	return errors.Join(spec.Variables["self"].Set(uint32(os.Getpid())), spec.Variables["node_mnt_ns"].Set(uint32(st.Ino)))
}

func (h *hooks) loadSome(all *ebpf.CollectionSpec, names []string, options ebpf.CollectionOptions) error {
	spec := all.Copy()
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return !slices.Contains(names, name) })
	c, err := ebpf.NewCollectionWithOptions(spec, options)
	if err != nil {
		return err
	}
	for name, p := range c.Programs {
		h.programs[name] = p
		delete(c.Programs, name)
	}
	c.Close()
	return nil
}

// Close detaches everything and frees it.
func (h *hooks) Close() error {
	var errs []error
	for _, l := range h.links {
		errs = append(errs, l.Close())
	}
	if h.reader != nil {
		errs = append(errs, h.reader.Close())
	}
	for _, p := range h.programs {
		errs = append(errs, p.Close())
	}
	for _, m := range h.maps {
		errs = append(errs, m.Close())
	}
	h.links, h.programs, h.maps = nil, nil, nil
	return errors.Join(errs...)
}

// load puts a plan in force, or the one before again.
func (h *hooks) load(p *plan) error {
	if h.maps == nil {
		return nil // the plan asks for nothing: compile refused the rest
	}
	err := h.apply(p)
	if err == nil {
		h.drop(p)
		return nil
	}
	h.scopesOf(h.now)
	h.drop(h.now)
	return err
}

// apply adds what the plan has more; nothing that was stopped is let pass on the way.
func (h *hooks) apply(p *plan) error {
	for _, key := range slices.Sorted(maps.Keys(p.blocks)) {
		if _, ok := h.ids[key]; ok {
			continue
		}
		if err := h.addBlock(key, p.blocks[key]); err != nil {
			return fmt.Errorf("rule %s: %w", p.blocks[key].rule, err)
		}
	}
	if err := h.scopesOf(p); err != nil {
		return err
	}
	return h.attach(p)
}

func (h *hooks) scopesOf(p *plan) error {
	fresh := h.scope(p, p.newcomers)
	fresh.Fresh = 1
	if err := h.maps["newcomers"].Put(uint32(0), fresh); err != nil {
		return fmt.Errorf("blocking in containers that will begin: %w", err)
	}
	for _, cgroup := range h.fresh() {
		if p.scopes[cgroup] == nil {
			h.maps["scopes"].Update(cgroup, fresh, ebpf.UpdateExist) // unless it has gone
		}
	}
	for cgroup, keys := range p.scopes {
		if err := h.maps["scopes"].Put(cgroup, h.scope(p, keys)); err != nil {
			return fmt.Errorf("blocking in cgroup %d: %w", cgroup, err)
		}
	}
	return nil
}

func (h *hooks) scope(p *plan, keys []string) programsScope {
	v := programsScope{N: uint32(len(keys))}
	for i, key := range keys {
		v.Block[i], v.Deed[i] = h.ids[key], p.blocks[key].code
	}
	return v
}

// fresh are the cgroups that began since, and that no plan knows yet.
func (h *hooks) fresh() (list []uint64) {
	var cgroup uint64
	var v programsScope
	for it := h.maps["scopes"].Iterate(); it.Next(&cgroup, &v); {
		if v.Fresh != 0 {
			list = append(list, cgroup)
		}
	}
	return list
}

// attach makes the links that the plan needs. A link ends with this process; kernels that have none are
// refused, since what they attach instead would stay.
func (h *hooks) attach(p *plan) error {
	if p.hooks[hookConnect] {
		for name, at := range map[string]ebpf.AttachType{"connect4": ebpf.AttachCGroupInet4Connect, "connect6": ebpf.AttachCGroupInet6Connect,
			"sendmsg4": ebpf.AttachCGroupUDP4Sendmsg, "sendmsg6": ebpf.AttachCGroupUDP6Sendmsg} {
			if err := h.attachTo(h.node.unified, name, at); err != nil {
				return err
			}
		}
	}
	for dir := range p.egress {
		if err := h.attachTo(dir, "egress", ebpf.AttachCGroupInetEgress); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for name, at := range map[string]string{"executed": "sched_process_exec", "made": "cgroup_mkdir", "gone": "cgroup_rmdir"} {
		if !p.wants(h.node, name) || h.links[name] != nil {
			continue
		}
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: at, Program: h.programs[name]})
		if err != nil {
			return fmt.Errorf("attaching to %s: %w", at, err)
		}
		h.links[name] = l
	}
	if p.hooks[hookDeny] && h.links["check"] == nil {
		l, err := link.AttachLSM(link.LSMOptions{Program: h.programs["check"]})
		if err != nil {
			return fmt.Errorf("attaching to bprm_check_security: %w", err)
		}
		h.links["check"] = l
	}
	return nil
}

func (h *hooks) attachTo(dir, name string, at ebpf.AttachType) error {
	key := name + " " + dir
	if h.links[key] != nil {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("attaching to a cgroup: %w", err)
	}
	defer f.Close()
	l, err := link.AttachRawLink(link.RawLinkOptions{Target: int(f.Fd()), Program: h.programs[name], Attach: at})
	if err != nil {
		return fmt.Errorf("attaching %s to %s: %w", name, dir, err)
	}
	h.links[key] = l
	return nil
}

// drop takes away what is in force and not in the plan.
func (h *hooks) drop(p *plan) {
	var cgroup uint64
	var v programsScope
	var gone []uint64
	for it := h.maps["scopes"].Iterate(); it.Next(&cgroup, &v); {
		if p.scopes[cgroup] == nil && (v.Fresh == 0 || len(p.newcomers) == 0) {
			gone = append(gone, cgroup)
		}
	}
	for _, id := range gone {
		h.maps["scopes"].Delete(id)
	}
	for key, l := range h.links {
		if !p.wants(h.node, key) {
			l.Close()
			delete(h.links, key)
		}
	}
	for key, id := range h.ids {
		if _, ok := p.blocks[key]; !ok {
			h.removeBlock(key, id)
		}
	}
	h.now = p
}

// wants tells whether the plan needs a link.
func (p *plan) wants(n *node, key string) bool {
	switch key {
	case "executed":
		return p.hooks[hookExec]
	case "check":
		return p.hooks[hookDeny]
	case "made", "gone":
		return p.hooks[hookNew]
	}
	for dir := range p.egress {
		if key == "egress "+dir {
			return true
		}
	}
	return p.hooks[hookConnect] && key[:len("egress")] != "egress"
}

// count is what the programs decided, and what of it was not told.
func (h *hooks) count() bulwark.Count {
	c := bulwark.Count{Class: "decisions"}
	if h.maps == nil {
		return c
	}
	var seen, lost []uint64
	if h.maps["counts"].Lookup(uint32(0), &seen) != nil || h.maps["counts"].Lookup(uint32(1), &lost) != nil {
		return c
	}
	for i := range seen {
		c.Seen += seen[i]
		c.Dropped += lost[i]
	}
	c.Sent = c.Seen - c.Dropped
	return c
}
