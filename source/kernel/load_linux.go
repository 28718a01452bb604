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
	options := ebpf.CollectionOptions{MapReplacements: all.Maps, Cache: cache, Programs: ebpf.ProgramOptions{KernelTypes: types}}
	programs := make([]*ebpf.Program, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		g.Go(func() (err error) {
			programs[i], err = program(spec, name, options)
			return err
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

// program loads one alone.
func program(spec *ebpf.CollectionSpec, name string, o ebpf.CollectionOptions) (*ebpf.Program, error) {
	one := ebpf.CollectionSpec{Maps: spec.Maps, Programs: map[string]*ebpf.ProgramSpec{name: spec.Programs[name]}, Types: spec.Types, ByteOrder: spec.ByteOrder}
	c, err := ebpf.NewCollectionWithOptions(&one, o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.DetachProgram(name), nil
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
