//go:build amd64 || arm64

package kernel

import (
	"fmt"
	"io"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"bulwark"
	"bulwark/source/kernel/internal/types"
)

// Processes tell which processes there are. The zero one is ready; it may be asked by several at a time.
type Processes struct {
	mu sync.Mutex
	it *link.Iter
}

// List gives the processes of this node, threads of the kernel among them, with all that the kernel knows of each: what /proc has
// but their texts (the path, arguments, environment and folder), for a tenth of the time. It wraps ErrUnsupported where
// the kernel does not tell (before Linux 5.8).
func (p *Processes) List() ([]bulwark.Process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return nil, err
	}
	from, err := p.it.Open()
	if err != nil {
		return nil, fmt.Errorf("asking the kernel for its processes: %w", err)
	}
	defer from.Close()
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, fmt.Errorf("reading the kernel's processes: %w", err)
	}
	list := make([]bulwark.Process, 0, len(data)/taskBytes)
	for ; len(data) >= taskBytes; data = data[taskBytes:] {
		list = append(list, task(data[:taskBytes]))
	}
	return list, nil
}

const taskBytes = processBytes + 8

// task is a record of bpf/tasks.c.
func task(b []byte) bulwark.Process {
	p := bulwark.Process{Cgroup: order.Uint64(b[processBytes:]), Before: true}
	r := reader{b: b[1:processBytes]}
	r.process(&p)
	return p
}

// Close lets go of what List holds; it may be asked again.
func (p *Processes) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.it != nil {
		p.it.Close()
		p.it = nil
	}
}

func (p *Processes) open() error {
	if p.it != nil {
		return nil
	}
	spec, err := loadProcesses()
	if err != nil {
		return err
	}
	clear(spec.Maps) // it needs nothing of what it shares with others
	clear(spec.Variables)
	all, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: types.Cache()})
	if err != nil {
		return refused("loading the program that lists processes", err)
	}
	defer all.Close()
	it, err := link.AttachIter(link.IterOptions{Program: all.Programs["each"]})
	if err != nil {
		return refused("listing processes", err)
	}
	p.it = it
	return nil
}
