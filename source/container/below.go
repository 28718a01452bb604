package container

import "strings"

// place is where something is that has no id of its own: below what may be a container.
type place struct {
	above  *item // nil: below none, surely
	cgroup uint64
}

// container tells whether it is known to be one; of one whose name may be a container's files tell.
func (it *item) container() bool { return it != nil && it.now.Load() != nil }

// above is the lowest of the cgroups above a path whose name tells a container, or may do so; nil where there is none. What is made
// below a container belongs to it, whatever name it is given.
func (f *Finder) above(path string) *item {
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
		it := f.named[path[:i]]
		if it == nil || it.ended.Load() {
			continue
		}
		select {
		case <-it.known:
			if !it.container() {
				continue
			}
		default:
		}
		return it
	}
	return nil
}

// below has an item be what it is below, where that is a container. wait: that is not known yet.
func (f *Finder) below(it *item) (is, wait bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	above := it.above
	for above.into != nil {
		above = above.into
	}
	if !above.container() {
		select {
		case <-above.known:
			return false, false
		default:
			return false, true
		}
	}
	if f.cgroups[it.cgroup] == it {
		f.cgroups[it.cgroup] = above
		above.refs++
		if !it.ended.Load() {
			above.live++
		}
	}
	f.drop(it)
	it.into = above
	it.now.Store(above.now.Load())
	it.settle()
	return true, false
}
