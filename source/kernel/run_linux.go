//go:build amd64 || arm64

package kernel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/source/kernel/internal/types"
)

// Run gives what meets the interest: see [bulwark.Sensor]. A system call that this kernel does not have is left out.
func (s *Sensor) Run(ctx context.Context, want bulwark.Interest, ready func(), emit func([]bulwark.Event) error) error {
	if missing := missing(); missing != "" {
		return fmt.Errorf("seeing what the kernel does needs %s: %w", missing, bulwark.ErrUnsupported)
	}
	r := &run{Sensor: s, decoder: newDecoder(), until: math.MaxUint64}
	defer r.close()
	if err := r.load(newPlan(want)); err != nil {
		return err
	}
	s.mu.Lock()
	s.count = r.counts
	s.mu.Unlock()
	defer r.ended()
	ready()
	return r.loop(ctx, emit)
}

// run is one run of a sensor: what it holds of the kernel.
type run struct {
	*Sensor
	programs *ebpf.Collection
	links    []link.Link
	points   *points
	critical *ring
	volume   *ring
	decoder  *decoder
	until    uint64 // by the node's clock: what comes later is no matter
	groups   hierarchy
	dropped  [len(classes)]uint64
	bad      uint64        // records that could not be read
	missed   atomic.Uint64 // see interrupted
	asked    atomic.Int64
}

func (r *run) ended() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked.Store(0)
	r.last, r.count = r.counts(), nil
	for i := range classes {
		r.Sensor.lost[i] = r.decoder.lost(i)
	}
}

func (r *run) close() {
	r.detach()
	for _, m := range []*ring{r.critical, r.volume} {
		if m != nil {
			m.close()
		}
	}
	if r.programs != nil {
		r.programs.Close()
	}
}

func (r *run) load(p *plan) error {
	cache := types.Cache()
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = cache.Kernel() }) // meanwhile; who needs the types has the error
	defer reading.Wait()
	spec, err := loadSensor()
	if err != nil {
		return err
	}
	spec.Maps["critical"].MaxEntries = cmp.Or(r.Critical, 1<<22)
	volume := cmp.Or(r.Volume, 1<<23)
	spec.Maps["volume"].MaxEntries = volume
	if err := r.settle(spec); err != nil {
		return err
	}
	for name, v := range map[string]any{
		"climbs": p.paths.climbs, "given": p.paths.given, "deep": p.paths.deep, "everywhere": p.paths.everywhere, "having": p.paths.having,
		"mark": p.paths.mark, "starts": p.starts, "eitherports": p.either, "much": uint32(bits.Len32(volume/16) - 1),
	} {
		if err := spec.Variables[name].Set(v); err != nil {
			return err
		}
	}
	for name := range spec.Programs {
		if !p.uses(name) {
			delete(spec.Programs, name)
		}
	}
	if r.programs, err = collect(spec, cache); err != nil {
		return refused("loading the sensor's programs", err)
	}
	if err := p.tell(r.programs.Maps); err != nil {
		return fmt.Errorf("telling the kernel what is wanted: %w", err)
	}
	r.seedCgroups()
	if err := r.freeze(); err != nil {
		return err
	}
	if r.critical, err = openRing(r.programs.Maps["critical"]); err != nil {
		return err
	}
	if r.volume, err = openRing(r.programs.Maps["volume"]); err != nil {
		return err
	}
	err = r.attach(p)
	runtime.KeepAlive(cache) // who asks for types meanwhile gets them
	return err
}

// settle sets what the programs know of this machine.
func (r *run) settle(spec *ebpf.CollectionSpec) error {
	if !r.Self {
		if err := spec.Variables["own"].Set(uint32(os.Getpid())); err != nil {
			return err
		}
	}
	if err := spec.Variables["stack"].Set(uint32(max(16<<10, os.Getpagesize()))); err != nil { // arm64 has pages of 64 KB, too
		return err
	}
	host, err := hostMount()
	if err != nil {
		return err
	}
	if err := spec.Variables["host_mount"].Set(host); err != nil {
		return err
	}
	if r.groups, err = r.hierarchy(); err != nil {
		return err
	}
	if err := spec.Variables["v1_hierarchy"].Set(r.groups.id); err != nil {
		return err
	}
	return spec.Variables["v1_subsystem"].Set(r.groups.subsystem)
}

// hostMount is the number of the mount namespace that the node's own programs have.
func hostMount() (uint32, error) {
	var st unix.Stat_t
	err := unix.Stat("/proc/1/ns/mnt", &st)
	if err != nil {
		err = unix.Stat("/proc/self/ns/mnt", &st)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the mount namespace: %w", err)
	}
	return uint32(st.Ino), nil
}

func refused(what string, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%s: %w: %w", what, bulwark.ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// tell fills the maps.
func (p *plan) tell(maps map[string]*ebpf.Map) error {
	for nr, c := range p.calls {
		if err := maps["calls"].Put(nr, c); err != nil {
			return err
		}
	}
	for text, sets := range p.paths.begins {
		if err := maps["paths"].Put(keyOf(text), sets); err != nil {
			return err
		}
	}
	for text, sets := range p.paths.ends {
		if err := maps["ends"].Put(keyOf(text), sets); err != nil {
			return err
		}
	}
	for name, by := range map[string]*table{"heads": &p.paths.letters.heads, "firsts": &p.paths.letters.firsts, "seconds": &p.paths.letters.seconds, "tails": &p.paths.letters.tails} {
		for i, in := range by {
			if in == (sets{}) {
				continue
			}
			if err := maps[name].Put(uint32(i), in); err != nil {
				return err
			}
		}
	}
	for port, sets := range p.ports {
		if err := maps["ports"].Put(port, sets); err != nil {
			return err
		}
	}
	for n, sets := range p.nets {
		if err := maps["nets"].Put(netKey{uint32(n.Bits()), n.Addr().As16()}, sets); err != nil {
			return err
		}
	}
	return nil
}

var containerID = regexp.MustCompile(`[0-9a-f]{64}`)

// seedCgroups marks the control groups of containers that are there already.
func (r *run) seedCgroups() {
	if r.groups.root == "" {
		return
	}
	_ = filepath.WalkDir(r.groups.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || !containerID.MatchString(path) {
			return nil
		}
		var st unix.Stat_t
		if unix.Stat(path, &st) == nil {
			_ = r.programs.Maps["cgroups"].Put(st.Ino, uint8(1))
		}
		return nil
	})
}
