//go:build linux

package response

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
	"bulwark/internal/mountinfo"
)

// group is the folder of a container's cgroup in a hierarchy that can freeze it.
type group struct {
	dir     string
	unified bool
}

// find gives the cgroup with that path: in the unified hierarchy, or where the kernel has it, in that of the freezer.
// Processes are in both, and a hybrid node may have the path in one only.
func (r *Responder) find(path string) ([]group, error) {
	clean := filepath.Clean("/" + path)
	if clean == "/" {
		return nil, fmt.Errorf("cgroup %q is the whole node: %w", path, bulwark.ErrUnsupported)
	}
	var list []group
	for _, g := range r.roots() {
		g.dir = filepath.Join(g.dir, clean)
		if _, err := os.Stat(filepath.Join(g.dir, g.file())); err == nil {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b group) int {
		switch {
		case a.unified == b.unified:
			return 0
		case a.unified:
			return -1
		}
		return 1
	})
	if len(list) == 0 && len(r.roots()) == 0 {
		return nil, fmt.Errorf("freezing %s: there is neither cgroup v2 nor the freezer of v1: %w", path, bulwark.ErrUnsupported)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("cgroup %s: %w", path, bulwark.ErrNotFound)
	}
	return list, nil
}

func (g group) file() string {
	if g.unified {
		return "cgroup.freeze"
	}
	return "freezer.state"
}

func (g group) write(frozen bool) error {
	text := map[[2]bool]string{{true, true}: "1", {true, false}: "0", {false, true}: "FROZEN", {false, false}: "THAWED"}[[2]bool{g.unified, frozen}]
	return os.WriteFile(filepath.Join(g.dir, g.file()), []byte(text), 0)
}

// frozen tells whether all that is in it stands still.
func (g group) frozen() bool {
	if !g.unified {
		b, err := os.ReadFile(filepath.Join(g.dir, "freezer.state"))
		return err == nil && strings.TrimSpace(string(b)) == "FROZEN"
	}
	b, err := os.ReadFile(filepath.Join(g.dir, "cgroup.events"))
	return err == nil && strings.Contains(string(b), "frozen 1")
}

// roots are the hierarchies that can freeze.
func (r *Responder) roots() []group {
	mounts, _ := mountinfo.ReadFile("/proc/self/mountinfo")
	var list []group
	for _, m := range mounts {
		freezer := m.Type == "cgroup" && slices.Contains(strings.Split(m.Options, ","), "freezer")
		if m.Root == "/" && (m.Type == "cgroup2" || freezer) {
			list = append(list, group{m.Point, m.Type == "cgroup2"})
		}
	}
	return list
}

// Freeze stops all processes of a cgroup and of those below it, until Thaw: they stay as they are, for whoever looks into what
// happened. It returns when they stand still.
func (r *Responder) Freeze(ctx context.Context, path string) error {
	groups, err := r.find(path)
	if err != nil {
		return err
	}
	if err := r.notOwn(path); err != nil {
		return err
	}
	// One after the other, the unified one first: what the freezer of v1 holds never comes to where the other one stops it.
	for _, g := range groups {
		if err := g.stop(ctx); err != nil {
			return errors.Join(fmt.Errorf("freezing %s: %w", path, err), r.Thaw(path))
		}
	}
	return nil
}

// stop freezes all that is in it.
func (g group) stop(ctx context.Context) error {
	err := g.write(true)
	for err == nil && !g.frozen() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
		if !g.unified { // a fork may have slipped through: it has to be told again
			err = g.write(true)
		}
	}
	return err
}

func all(groups []group, is func(group) bool) bool {
	return !slices.ContainsFunc(groups, func(g group) bool { return !is(g) })
}

// notOwn refuses the cgroup that bulwark is in.
func (r *Responder) notOwn(path string) error {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	clean := filepath.Clean("/" + path)
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && (parts[2] == clean || strings.HasPrefix(parts[2], clean+"/")) {
			return fmt.Errorf("cgroup %s is bulwark's own: %w", path, bulwark.ErrUnsupported)
		}
	}
	return nil
}

// Thaw lets what was frozen go on.
func (r *Responder) Thaw(path string) error {
	groups, err := r.find(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range groups {
		errs = append(errs, g.write(false))
	}
	return errors.Join(errs...)
}

// KillContainer kills all processes of a cgroup and of those below it. They are frozen first, so that none gets
// away by forking; the dead are told of.
func (r *Responder) KillContainer(ctx context.Context, path string) ([]Victim, error) {
	if err := r.Freeze(ctx, path); err != nil {
		return nil, fmt.Errorf("killing: %w", err)
	}
	groups, err := r.find(path)
	if err != nil {
		return nil, err
	}
	var dead []Victim
	seen := map[int]bool{}
	for _, g := range groups {
		for _, pid := range g.processes() {
			if h, err := hold(pid); err == nil && !seen[pid] {
				seen[pid] = true
				dead = append(dead, h.Victim)
				err = unix.PidfdSendSignal(h.fd, unix.SIGKILL, nil, 0)
				unix.Close(h.fd)
				if err != nil && !errors.Is(err, unix.ESRCH) {
					return dead, errors.Join(fmt.Errorf("killing process %d: %w", pid, err), r.Thaw(path))
				}
			}
		}
	}
	if err := r.Thaw(path); err != nil && !errors.Is(err, bulwark.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
		return dead, fmt.Errorf("letting the killed end: %w", err) // v1: the frozen do not die
	}
	return dead, nil
}

// processes are those of the cgroup and of all below it; they stand still, so there are no more.
func (g group) processes() []int {
	var list []int
	filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		b, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		for word := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
				list = append(list, pid)
			}
		}
		return nil
	})
	return list
}
