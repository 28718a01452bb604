// Package guard stops what must not happen: executing what was not in an image, below folders that hold no
// programs, or out of memory; connecting where nothing of a container has to go; talking to mining pools.
// It has three hooks: permission events of fanotify, programs on the unified hierarchy, and one where programs begin. None of
// them is pinned: what holds them is this process, and when it ends, however it ends, nothing is stopped any more.
//
// docs/blocking.md tells the ways round each of them.
package guard

import "bulwark"

// Info describes the guard.
func (*Guard) Info() bulwark.Info {
	return bulwark.Info{Name: "source/kernel/guard", Summary: "Stops executions and connections.", Version: 1,
		Needs: bulwark.Needs{Root: true, Linux: true}}
}

var _ bulwark.Guard = (*Guard)(nil)
