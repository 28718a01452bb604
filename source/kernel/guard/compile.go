//go:build linux && (amd64 || arm64)

package guard

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"bulwark"
)

// The bounds of the kernel's tables.
const (
	maxBlocks   = 4096 // different ones
	maxOfCgroup = 8
	maxRanges   = 16 // of ports, of one network
)

// plan is what a list of blocks asks of the hooks.
type plan struct {
	blocks    map[string]kernelBlock // by content: many cgroups share one
	scopes    map[uint64][]string    // the blocks of each cgroup
	newcomers []string               // those of containers that will begin
	egress    map[string]bool        // folders of cgroups whose packets are looked at
	hooks     map[hookKind]bool
	files     []fileScope
	at        int // index of the block that is added
}

// kernelBlock is a block as the programs have it.
type kernelBlock struct {
	rule string
	deed bulwark.Deed
	code uint32
	nets []network
}

// fileScope is whose executions fanotify asks about.
type fileScope struct {
	path  string // of the cgroup
	pid   int    // 0: the node
	drift string // by which rule; "": not asked
	below []folder
	asked []int // indices of the blocks
}

type folder struct {
	path, rule string
}

// compile says what the blocks ask of the hooks, or why that cannot be had.
func (g *Guard) compile(blocks []bulwark.Block) (*plan, error) {
	p := &plan{blocks: map[string]kernelBlock{}, scopes: map[uint64][]string{}, egress: map[string]bool{}, hooks: map[hookKind]bool{}}
	var errs []error
	for i, b := range blocks {
		p.at = i
		if err := g.add(p, b); err != nil {
			at := cmp.Or(b.Scope.Path, "?")
			if b.Scope.New {
				at = "containers that will begin"
			}
			errs = append(errs, &bulwark.BlockError{Index: i, Err: fmt.Errorf("rule %s: %s in %s: %w", b.Rule, b.Deed, at, err)})
		}
	}
	if len(p.blocks) > maxBlocks {
		errs = append(errs, fmt.Errorf("%d different blocks, at most %d: %w", len(p.blocks), maxBlocks, bulwark.ErrLimit))
	}
	if p.egress[g.node.unified] {
		p.egress = map[string]bool{g.node.unified: true} // it sees all packets, and would see some twice
	}
	return p, errors.Join(errs...)
}

// unable wraps ErrUnsupported with a reason.
func unable(why string) error { return fmt.Errorf("%s: %w", why, bulwark.ErrUnsupported) }

func (g *Guard) add(p *plan, b bulwark.Block) error {
	if g.node.pidsWhy != "" {
		return unable(g.node.pidsWhy)
	}
	if b.Scope.New {
		return g.addNew(p, b)
	}
	if b.Scope.Path == "" || b.Scope.Path[0] != '/' {
		return fmt.Errorf("a scope has the path of a cgroup: %w", bulwark.ErrMalformed)
	}
	return g.deed(p, b)
}

func (g *Guard) deed(p *plan, b bulwark.Block) error {
	switch b.Deed {
	case bulwark.DeedNone:
		return g.addNone(p, b)
	case bulwark.DeedExecBelow:
		return g.addBelow(p, b)
	case bulwark.DeedExecDrift:
		return g.addDrift(p, b)
	case bulwark.DeedExecMemory:
		return g.addKernel(p, b, hookExec, kernelBlock{code: codeMemory})
	case bulwark.DeedMine:
		if g.hooks.why[hookConnect] == "" && g.node.unified != "" {
			p.hooks[hookConnect] = true // it knows who sends
		}
		return g.addKernel(p, b, hookEgress, kernelBlock{code: codeMine})
	case bulwark.DeedConnect:
		return g.addConnect(p, b)
	}
	return unable("no hook stops it")
}

func (g *Guard) addConnect(p *plan, b bulwark.Block) error {
	list, code := b.Nets, uint32(codeConnect)
	if len(list) == 0 {
		list, code = b.Except, codeExcept
	} else if len(b.Except) > 0 {
		return fmt.Errorf("both nets and exceptions: %w", bulwark.ErrMalformed)
	}
	nets, err := cover(list)
	if err != nil {
		return err
	}
	if err := g.addKernel(p, b, hookConnect, kernelBlock{code: code, nets: nets}); err != nil {
		return err
	}
	return g.addKernel(p, b, hookEgress, kernelBlock{code: code, nets: nets})
}

// addKernel asks for a block of the kernel's programs.
func (g *Guard) addKernel(p *plan, b bulwark.Block, hook hookKind, k kernelBlock) error {
	if why := g.hooks.why[hook]; why != "" {
		return unable(why)
	}
	if g.node.unified == "" {
		return unable("the unified hierarchy of cgroups (v2) is not mounted")
	}
	dir, id := g.node.unified, uint64(0)
	if !b.Scope.New {
		var ok bool
		if dir, id, ok = g.node.cgroup(b.Scope.Path); !ok || b.Scope.Cgroup != 0 && id != b.Scope.Cgroup {
			return nil // it has gone
		}
	}
	k.rule, k.deed = b.Rule, b.Deed
	key := k.key()
	p.blocks[key] = k
	p.hooks[hook] = true
	if hook == hookExec && g.hooks.why[hookDeny] == "" {
		p.hooks[hookDeny] = true // then nothing has to be killed
	}
	if hook == hookEgress {
		p.egress[dir] = true
	}
	list := p.scopes[id]
	if b.Scope.New {
		list = p.newcomers
	}
	if slices.Contains(list, key) {
		return nil
	}
	if len(list) == maxOfCgroup {
		return fmt.Errorf("more than %d blocks of one cgroup: %w", maxOfCgroup, bulwark.ErrLimit)
	}
	if list = append(list, key); b.Scope.New {
		p.newcomers = list
	} else {
		p.scopes[id] = list
	}
	return nil
}

// addNew asks for a block of the containers that will begin.
func (g *Guard) addNew(p *plan, b bulwark.Block) error {
	if why := g.hooks.why[hookNew]; why != "" {
		return unable(why)
	}
	p.hooks[hookNew] = true
	switch b.Deed {
	case bulwark.DeedExecDrift:
		return g.addKernel(p, b, hookExec, kernelBlock{code: codeDrift})
	case bulwark.DeedExecBelow:
		return unable("folders are watched for the node, or for a container that runs (a process of it is needed)")
	}
	b.Scope.Path = "/"
	return g.deed(p, b)
}

// addNone takes a container out of what holds for those that will begin.
func (g *Guard) addNone(p *plan, b bulwark.Block) error {
	_, id, ok := g.node.cgroup(b.Scope.Path)
	if ok && p.scopes[id] == nil && (b.Scope.Cgroup == 0 || id == b.Scope.Cgroup) {
		p.scopes[id] = []string{}
	}
	return nil
}

// addDrift asks fanotify, which denies, where it is one container's; what slips by, and what containers
// to come do, is killed where it begins.
func (g *Guard) addDrift(p *plan, b bulwark.Block) error {
	if b.Scope.PID == 0 {
		if filepath.Clean(b.Scope.Path) == "/" {
			return unable("what is not in an image can be told of containers only")
		}
		return g.addKernel(p, b, hookExec, kernelBlock{code: codeDrift})
	}
	if g.node.execWhy != "" {
		return unable(g.node.execWhy)
	}
	if gone(b.Scope) {
		return nil
	}
	if why := whyNoDrift(b.Scope.PID); why != "" {
		return unable(why)
	}
	p.scope(b.Scope).drift = b.Rule
	if g.hooks.why[hookExec] != "" || g.node.unified == "" {
		return nil
	}
	return g.addKernel(p, b, hookExec, kernelBlock{code: codeDrift})
}

func whyNoDrift(pid int) string {
	root, ok := holding(mountsOf(strconv.Itoa(pid)), "/")
	if !ok || root.Type != "overlay" || root.Upper() == "" {
		return "the root of the container is no overlay (" + cmp.Or(root.Type, "unknown") + "): what its image had cannot be told from what was written since"
	}
	if _, err := os.Lstat(root.Upper()); err != nil {
		return "the layer that the container writes to cannot be read: " + err.Error()
	}
	return ""
}

func (g *Guard) addBelow(p *plan, b bulwark.Block) error {
	if g.node.execWhy != "" {
		return unable(g.node.execWhy)
	}
	if b.Scope.PID == 0 && filepath.Clean(b.Scope.Path) != "/" {
		return unable("folders are watched for the node, or for a container that runs (a process of it is needed)")
	}
	if len(b.Below) == 0 {
		return fmt.Errorf("no folder: %w", bulwark.ErrMalformed)
	}
	if b.Scope.PID != 0 && gone(b.Scope) {
		return nil
	}
	s := p.scope(b.Scope)
	for _, f := range b.Below {
		if !filepath.IsAbs(f) {
			return fmt.Errorf("folder %q: %w", f, bulwark.ErrMalformed)
		}
		s.below = append(s.below, folder{filepath.Clean(f), b.Rule})
	}
	return nil
}

// gone tells whether the process is no longer, or is another's by now.
func gone(s bulwark.Scope) bool { return !inScope(strconv.Itoa(s.PID), s.Path) }

func (p *plan) scope(s bulwark.Scope) *fileScope {
	i := slices.IndexFunc(p.files, func(f fileScope) bool { return f.path == s.Path && f.pid == s.PID })
	if i < 0 {
		i = len(p.files)
		p.files = append(p.files, fileScope{path: s.Path, pid: s.PID})
	}
	p.files[i].asked = append(p.files[i].asked, p.at)
	return &p.files[i]
}
