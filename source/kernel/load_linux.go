//go:build amd64 || arm64

package kernel

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sync/errgroup"
)

// collect makes the maps, and loads the programs several at a time: the kernel checks each one by itself, which takes most of
// a start.
func collect(spec *ebpf.CollectionSpec, cache *btf.Cache) (*ebpf.Collection, error) {
	types, err := own(cache)
	if err != nil {
		return nil, err
	}
	tables := *spec
	tables.Programs = nil
	all, err := ebpf.NewCollection(&tables)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(spec.Programs))
	for name := range spec.Programs {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { // the longest first
		return cmp.Compare(len(spec.Programs[b].Instructions), len(spec.Programs[a].Instructions))
	})
	programs := make([]*ebpf.Program, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		g.Go(func() (err error) {
			if programs[i], err = program(spec.Programs[name], all.Maps, ebpf.ProgramOptions{KernelTypes: types}); err != nil {
				return fmt.Errorf("program %s: %w", name, err)
			}
			return nil
		})
	}
	err = g.Wait()
	for i, name := range names {
		if programs[i] != nil {
			all.Programs[name] = programs[i]
		}
	}
	if err != nil {
		all.Close()
		return nil, err
	}
	return all, nil
}

// program loads one that uses the maps. The specification is no longer of use then.
func program(spec *ebpf.ProgramSpec, maps map[string]*ebpf.Map, o ebpf.ProgramOptions) (*ebpf.Program, error) {
	for i := range spec.Instructions {
		at := &spec.Instructions[i]
		if !at.IsLoadFromMap() || at.Reference() == "" {
			continue
		}
		if err := at.AssociateMap(maps[at.Reference()]); err != nil {
			return nil, fmt.Errorf("map %s: %w", at.Reference(), err)
		}
	}
	return ebpf.NewProgramWithOptions(spec, o)
}

// own are the types of the kernel without those of its modules, which may be a hundred; nil: modules are asked, too. What the
// programs know of is the kernel's own, but for unix sockets, which were a module on some.
func own(cache *btf.Cache) (*btf.Spec, error) {
	types, err := cache.Kernel()
	if err != nil {
		return nil, fmt.Errorf("reading the kernel's types: %w", err)
	}
	if _, err := types.AnyTypeByName("unix_sock"); err != nil {
		return nil, nil
	}
	return types, nil
}
