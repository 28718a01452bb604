// Package names has the names of numbers that system calls are given and return, as rules write them. Each set of names
// is a table in a file of its own.
package names

import (
	"strconv"
	"strings"
)

// name is one number, or the bits of a flag, with what it is called.
type name struct {
	value int64
	text  string
}

// set is the names of one kind of number. Of flags several may be set at once; they are told in the order of the
// table, and the bits of one that was told are not told again.
type set struct {
	flags bool
	names []name
	low   int64 // bits that hold a number instead of flags: where none of them is set, zero is told
	zero  string
}

var sets = map[string]*set{
	"open": &open, "resolve": &resolve, "exec": &exec, "clone": &clone, "domain": &domain, "sock": &sock, "level": &level,
	"sockopt": &sockopt, "shutdown": &shutdown, "rename": &rename, "unlink": &unlink, "link": &link, "chmod": &chmod,
	"mount": &mount, "umount": &umount, "ptrace": &ptrace, "bpf": &bpf, "module": &module, "prctl": &prctl,
	"memfd": &memfd, "prot": &prot, "mmap": &mmap, "io_uring": &ioUring,
}

// Known tells whether there is such a set.
func Known(of string) bool { return sets[of] != nil }

// Text is what a number of the set is called: flags joined by a stroke, a number that has no name in decimal, and
// flags without a name in hexadecimal.
func Text(of string, v int64) string {
	s := sets[of]
	if s == nil {
		return strconv.FormatInt(v, 10)
	}
	if !s.flags {
		return s.one(v)
	}
	return s.all(v)
}

func (s *set) one(v int64) string {
	for _, n := range s.names {
		if n.value == v {
			return n.text
		}
	}
	return strconv.FormatInt(v, 10)
}

func (s *set) all(v int64) string {
	var told []string
	if s.zero != "" && v&s.low == 0 {
		told = append(told, s.zero)
	}
	for _, n := range s.names {
		if n.value != 0 && v&n.value == n.value {
			told = append(told, n.text)
			v &^= n.value
		}
	}
	if len(told) == 0 {
		return "0"
	}
	return strings.Join(told, "|")
}

// Bits are those of which one or more is set in every number of the set whose text contains part. Where that cannot
// be told by bits, ok is false.
func Bits(of, part string) (bits int64, ok bool) {
	s := sets[of]
	if s == nil || part == "" || strings.Contains(part, "|") || part == "0" || s.zero != "" && strings.Contains(s.zero, part) {
		return 0, false
	}
	for _, n := range s.names {
		if !strings.Contains(n.text, part) {
			continue
		}
		if n.value == 0 {
			return 0, false
		}
		bits |= n.value
	}
	if !s.flags && strings.Trim(part, "-0123456789") == "" {
		return 0, false // a number without a name is told by its digits
	}
	return bits, bits != 0
}
