package rules

import (
	"math/bits"
	"slices"

	"bulwark"
)

// kinds is a set of kinds of event.
type kinds []uint64

func noKinds() kinds { return make(kinds, len(eventNames)/64+1) }

func (s kinds) add(k bulwark.Kind)      { s[k/64] |= 1 << (k % 64) }
func (s kinds) has(k bulwark.Kind) bool { return s[k/64]&(1<<(k%64)) != 0 }

func (s kinds) and(t kinds) {
	for i := range s {
		s[i] &= t[i]
	}
}

func (s kinds) or(t kinds) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s kinds) len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s kinds) list() (list []bulwark.Kind) {
	for _, k := range bulwark.Kinds() {
		if s.has(k) {
			list = append(list, k)
		}
	}
	return list
}

// sourceKinds are those that events of a source have; nil: no event is of that source here.
func sourceKinds(source string) kinds {
	s := noKinds()
	switch source {
	case bulwark.SourceK8sAudit:
		s.add(bulwark.KindK8sAudit)
	case bulwark.SourceEngine:
		s.add(bulwark.KindEngine)
	case bulwark.SourceSyscall:
		for _, k := range bulwark.Kinds() {
			if k != bulwark.KindK8sAudit && k != bulwark.KindEngine {
				s.add(k)
			}
		}
	default:
		return nil
	}
	return s
}

// flood are kinds that a rule which names no kind does not want, as is Falco's way: those that happen all the time, system
// calls of which no more than the name is known, and what is no event of Falco's.
var flood = makeFlood()

func makeFlood() []bulwark.Kind {
	list := kindsNamed("read", "write", "close", "mmap", "mprotect", "ioctl", "setsockopt", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "splice", "sendfile")
	told := kindsNamed("procexit", "signaldeliver", "container")
	for _, k := range bulwark.Kinds() {
		if k.Syscall() && len(k.Params()) <= 1 || !k.Syscall() && !slices.Contains(told, k) && k != bulwark.KindK8sAudit && k != bulwark.KindEngine {
			list = append(list, k)
		}
	}
	return list
}
