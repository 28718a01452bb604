package network

import (
	"fmt"
	"slices"

	"bulwark/kube"
)

const (
	maxProblems  = 20     // of one object that are told
	manyProblems = 1000   // from here on each object has one
	allProblems  = 10_000 // of policies that are told
)

// problem notes what is wrong with an object: so many times, then no more.
func (r *reader) problem(o *kube.Object, path []any, format string, a ...any) {
	r.wrong++
	r.mistake(o, path, format, a...)
}

// mistake is problem for what refuses nothing.
func (r *reader) mistake(o *kube.Object, path []any, format string, a ...any) {
	if r.lacks(o, path, format, a...) {
		r.e.Problems[len(r.e.Problems)-1].Mistake = true
	}
}

// lacks notes what the answer lacks of an object that is as it should be: so many times, then no
// more, and it is false.
func (r *reader) lacks(o *kube.Object, path []any, format string, a ...any) bool {
	if o != r.about {
		r.about, r.told, r.most = o, 0, maxProblems
		if len(r.e.Problems) > manyProblems {
			r.most = 1
		}
	}
	r.told++
	return r.told <= r.most && r.note(o, path, format, a...)
}

// note notes what the reader of an answer must know of an object that is as it should be. It is
// false when so much is noted that this is not.
func (r *reader) note(o *kube.Object, path []any, format string, a ...any) bool {
	if r.reading && len(r.e.Problems) >= allProblems {
		if r.untold++; r.untold == 1 {
			r.silent = o
		}
		return false
	}
	r.e.Problems = append(r.e.Problems, Problem{Object: o, Path: slices.Clone(path), Text: fmt.Sprintf(format, a...)})
	return true
}

// refuse is problem for what no API server takes.
func (r *reader) refuse(o *kube.Object, path []any, format string, a ...any) {
	r.refused = true
	r.problem(o, path, format, a...)
}
