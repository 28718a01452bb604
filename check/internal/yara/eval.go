package yara

import (
	"encoding/binary"
	"fmt"

	"bulwark/check/internal/yara/elf"
	"bulwark/check/internal/yara/pattern"
)

// node is an expression made ready.
type node func(*evaluator) value

// evaluator evaluates the conditions of one file.
type evaluator struct {
	s       *Scanner
	steps   int64 // left for the rule
	vars    []value
	current int // the string that $ stands for
	run     pattern.Runner
	sums    map[sumKey]value
	elfSet  map[string]value
	entry   *value
	missed  bool // the whole file was asked for and is not there
}

type sumKey struct {
	name     string
	off, len int64
}

func (e *evaluator) begin(s *Scanner) {
	*e = evaluator{s: s, vars: e.vars, run: e.run}
	e.run.Work = maxSteps
}

// judge evaluates the condition of a rule.
func (e *evaluator) judge(r *Rule) bool {
	e.steps, e.missed = maxSteps, false
	v := r.condition(e)
	if e.steps < 0 {
		e.s.note(fmt.Sprintf("rule %s was not judged: its condition takes more than %d steps", r.Name, maxSteps))
		return false
	}
	if e.missed {
		e.s.note(fmt.Sprintf("rule %s asks for functions of the whole file, which are not defined for files of more than %d MB", r.Name, WholeFile>>20))
	}
	return v.truth()
}

// spend takes steps; it is false when there are none left.
func (e *evaluator) spend(n int64) bool {
	e.steps -= n
	return e.steps >= 0
}

// bytes gives a part of the file.
func (e *evaluator) bytes(off, n int64) ([]byte, bool) {
	s := e.s
	if off < 0 || n < 0 || off > s.size || n > s.size-off {
		return nil, false
	}
	if s.whole {
		return s.data.Bytes[off : off+n], true
	}
	if off+n <= int64(len(s.head)) {
		return s.head[off : off+n], true
	}
	e.missed = true
	return nil, false
}

// integerReader is one of uint8, int16be and so on.
type integerReader struct {
	size          int64
	big, unsigned bool
}

var readers = map[string]integerReader{
	"int8": {1, false, false}, "int16": {2, false, false}, "int32": {4, false, false},
	"uint8": {1, false, true}, "uint16": {2, false, true}, "uint32": {4, false, true},
	"int8be": {1, true, false}, "int16be": {2, true, false}, "int32be": {4, true, false},
	"uint8be": {1, true, true}, "uint16be": {2, true, true}, "uint32be": {4, true, true},
}

// read gives the integer at an offset.
func (e *evaluator) read(r integerReader, off int64) value {
	b, ok := e.bytes(off, r.size)
	if !ok {
		return value{}
	}
	return r.value(b)
}

// value reads the integer that b begins with.
func (r integerReader) value(b []byte) value {
	var order binary.ByteOrder = binary.LittleEndian
	if r.big {
		order = binary.BigEndian
	}
	switch r.size {
	case 1:
		return sign(int64(b[0]), int64(int8(b[0])), r.unsigned)
	case 2:
		n := order.Uint16(b)
		return sign(int64(n), int64(int16(n)), r.unsigned)
	}
	n := order.Uint32(b)
	return sign(int64(n), int64(int32(n)), r.unsigned)
}

func sign(u, s int64, unsigned bool) value {
	if unsigned {
		return intValue(u)
	}
	return intValue(s)
}

// matches are those of a string; a negative index is the one that $ stands for.
func (e *evaluator) matches(i int) []Match {
	if i < 0 {
		i = e.current
	}
	return e.s.hits[i].matches
}

// within counts the matches of a string that begin from lo to hi.
func (e *evaluator) within(i int, lo, hi value) (n int64) {
	if lo.k == undefined || hi.k == undefined {
		return 0
	}
	list := e.matches(i)
	from, to := search(list, lo.i), len(list)
	if hi.i < 1<<63-1 {
		to = search(list, hi.i+1)
	}
	return int64(max(0, to-from))
}

// search is the index of the first match from an offset on.
func search(list []Match, off int64) int {
	lo, hi := 0, len(list)
	for lo < hi {
		if mid := (lo + hi) / 2; list[mid].Offset < off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// found looks for an expression anywhere in a string.
func (e *evaluator) found(s string, n *pattern.Node) bool {
	d := pattern.Data{Bytes: []byte(s), Last: true}
	for at := range len(s) + 1 {
		if _, _, ok := e.run.Forward(n, d, at); ok {
			return true
		}
	}
	return false
}

// entrypoint is where in the file a program begins.
func (e *evaluator) entrypoint() value {
	if e.entry == nil {
		e.entry = &value{}
		if data, ok := e.bytes(0, e.s.size); ok {
			if off, ok := elf.Entry(data); ok {
				*e.entry = intValue(off)
			} else if off, ok := peEntry(data); ok {
				*e.entry = intValue(off)
			}
		}
	}
	return *e.entry
}
