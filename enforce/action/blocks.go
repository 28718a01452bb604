package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"bulwark"
)

// Fresh are the blocks of containers that will begin: what is denied to all but some. Those that turn out to be
// of the others are let go when that is known.
func (s *Set) Fresh() (list []bulwark.Block) {
	for _, d := range s.denials {
		if d.block.Deed == bulwark.DeedExecBelow || s.decideUnknown(d.rule) != d.entry || d.holds != nil && !d.holds(&unknown) {
			continue
		}
		b := d.block
		b.Scope = bulwark.Scope{New: true}
		list = append(list, b)
	}
	return list
}

// blocks are what holds for these containers, and for those that will begin.
func (s *Set) blocks(containers []*bulwark.Container) []bulwark.Block {
	list := s.Fresh()
	fresh := len(list) > 0
	containers = slices.Clone(containers)
	slices.SortFunc(containers, func(a, b *bulwark.Container) int { return cmp.Compare(a.Cgroup+a.ID, b.Cgroup+b.ID) })
	for _, c := range containers {
		if c.Cgroup == "" || c.Cgroup == "/" {
			continue
		}
		own := s.of(c)
		if len(own) == 0 && fresh {
			own = []bulwark.Block{{Deed: bulwark.DeedNone, Scope: bulwark.Scope{Path: c.Cgroup}}}
		}
		list = append(list, own...)
	}
	return list
}

// of are the blocks of one container.
func (s *Set) of(c *bulwark.Container) (list []bulwark.Block) {
	if s.spared(c) != "" {
		return nil
	}
	for _, d := range s.denials {
		if s.decide(d.rule, c) != d.entry || d.holds != nil && !d.holds(c) || d.block.Deed == bulwark.DeedExecBelow && c.PID == 0 {
			continue
		}
		b := d.block
		b.Scope = bulwark.Scope{Path: c.Cgroup, PID: c.PID}
		list = append(list, b)
	}
	return list
}

// Keeper holds containers to what is denied to them.
type Keeper struct {
	Set        *Set
	Guard      bulwark.Guard
	Containers func() []*bulwark.Container
	// Note tells what cannot be enforced for a container.
	Note func(text string)

	wake    chan struct{}
	sets    chan *Set
	last    []bulwark.Block
	noted   map[string]bool
	files   settling
	failed  int // since the blocks changed
	waiting bool
}

// Start puts in force what holds for containers that will begin. Its error wraps ErrUnsupported where that cannot be had.
func (k *Keeper) Start() error {
	k.wake, k.sets, k.noted = make(chan struct{}, 1), make(chan *Set, 1), map[string]bool{}
	k.last = k.Set.Fresh()
	return k.Guard.Load(k.last)
}

// Replace puts another set in force. What only the one before denied is let pass.
func (k *Keeper) Replace(s *Set) { k.sets <- s }

// Wake has it look at the containers again, now and a few times soon, since engines tell of a container little by little.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// soon is when containers are looked at after one has begun, step how often while an engine is not done with one, and
// always how often else.
var soon = []time.Duration{0, 5 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}

const (
	step   = 20 * time.Millisecond
	always = time.Second
)

// Run works until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	next, at := time.NewTimer(0), 0
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case k.Set = <-k.sets:
			clear(k.noted)
			at = 0
			next.Reset(soon[0])
		case <-k.wake:
			at = 0
			next.Reset(soon[0])
		case <-next.C:
			k.apply()
			switch at++; {
			case at < len(soon):
				next.Reset(soon[at])
			case k.waiting:
				next.Reset(step)
			default:
				next.Reset(always)
			}
		}
	}
}

func (k *Keeper) apply() {
	containers, waiting := k.files.settled(k.Containers())
	k.waiting = waiting
	blocks := k.Set.blocks(containers)
	if same := reflect.DeepEqual(blocks, k.last); same && k.failed == 0 || same && k.failed > mostTries {
		return
	} else if !same {
		k.failed = 0
	}
	k.last = blocks
	for range 3 {
		bad, err := k.load(blocks)
		if err == nil {
			return
		}
		k.failed++
		if blocks = without(blocks, bad); len(bad) == 0 {
			k.note("", err)
			return
		}
	}
}

// mostTries is how often what could not be put in force is tried again.
const mostTries = 20

// load puts blocks in force, or says which of them cannot be.
func (k *Keeper) load(blocks []bulwark.Block) (bad []int, err error) {
	if err = k.Guard.Load(blocks); err == nil {
		return nil, nil
	}
	for _, one := range parts(err) {
		var of *bulwark.BlockError
		if errors.As(one, &of) {
			bad = append(bad, of.Index)
			k.note(fmt.Sprint(blocks[of.Index].Rule, blocks[of.Index].Scope.Path), one)
		}
	}
	return bad, err
}

func parts(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

func without(blocks []bulwark.Block, bad []int) (list []bulwark.Block) {
	for i, b := range blocks {
		if !slices.Contains(bad, i) {
			list = append(list, b)
		}
	}
	return list
}

const mostNoted = 10000

func (k *Keeper) note(key string, err error) {
	if key != "" && (k.noted[key] || len(k.noted) > mostNoted) {
		return
	}
	k.noted[key] = true
	k.Note("not in force: " + strings.ReplaceAll(err.Error(), "\n", "; "))
}
