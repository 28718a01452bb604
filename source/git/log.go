package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"bulwark"
)

// point is a commit in the log; or what a reference names that is no commit.
type point struct {
	id   id
	tree id
	when int64 // not before that of any parent, whatever the clocks said
	// tip is zero for a commit. Of a tree or blob that a reference names tree is the id.
	tip   kind
	after int32 // how many are after its parents, that is: it comes later than these
}

// log lists the commits that tips lead to.
type log struct {
	ctx     context.Context
	store   *store
	shallow map[id]bool
	points  []point
	parents [][]int32 // of the points; nil when there is none
	places  map[id]int32
	lost    []error // commits that could not be read
	lenient bool    // missing commits do not matter: reflogs outlive what they name
}

const (
	maxCommits = 10_000_000
	maxTags    = 20 // tags of tags
)

// tip adds what an object leads to. by has the tag that named it, if one did.
func (l *log) tip(o id, by point, tags int) error {
	if _, ok := l.places[o]; ok {
		return nil
	}
	x, err := l.store.open(o)
	if err != nil {
		return err
	}
	switch x.kind {
	case commitKind:
		return l.add(o)
	case tagKind:
		data, err := x.all()
		if err != nil {
			return err
		}
		to, made, err := parseTag(data)
		if err == nil && tags >= maxTags {
			err = fmt.Errorf("a tag of a tag, more than %d times: %w", maxTags, bulwark.ErrLimit)
		}
		if err != nil {
			return err
		}
		return l.tip(to, point{id: o, when: made}, tags+1)
	}
	l.places[o] = int32(len(l.points))
	if by.id == (id{}) {
		by.id = o
	}
	l.points = append(l.points, point{id: by.id, tree: o, when: by.when, tip: x.kind})
	l.parents = append(l.parents, nil)
	return nil
}

// add adds a commit and those before it.
func (l *log) add(tip id) error {
	todo := []int32{}
	enter := func(o id) (int32, error) {
		if n, ok := l.places[o]; ok {
			return n, nil
		}
		if len(l.points) >= maxCommits {
			return 0, fmt.Errorf("more than %d commits: %w", maxCommits, bulwark.ErrLimit)
		}
		n := int32(len(l.points))
		l.places[o] = n
		l.points, l.parents = append(l.points, point{id: o}), append(l.parents, nil)
		todo = append(todo, n)
		return n, nil
	}
	if _, err := enter(tip); err != nil {
		return err
	}
	for len(todo) > 0 {
		if l.ctx.Err() != nil {
			return context.Cause(l.ctx)
		}
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		o := l.points[n].id
		c, err := l.read(o)
		if err != nil {
			if !l.lenient || !errors.Is(err, bulwark.ErrNotFound) {
				l.lost = append(l.lost, err)
			}
			continue
		}
		l.points[n].tree, l.points[n].when = c.tree, c.when
		if l.shallow[o] {
			continue
		}
		for _, p := range c.parents {
			m, err := enter(p)
			if err != nil {
				return err
			}
			l.parents[n] = append(l.parents[n], m)
		}
	}
	return nil
}

func (l *log) read(o id) (commit, error) {
	k, data, err := l.store.read(o)
	if err == nil && k != commitKind {
		err = fmt.Errorf("object %s is a %s and no commit: %w", o, k, bulwark.ErrMalformed)
	}
	if err != nil {
		return commit{}, err
	}
	return parseCommit(data)
}

// inOrder gives the points that could be read, each after its parents, and else by the
// committers' clocks.
func (l *log) inOrder() []point {
	l.settle()
	l.parents, l.places = nil, nil
	l.points = slices.DeleteFunc(l.points, func(p point) bool { return p.tree == id{} })
	slices.SortFunc(l.points, func(a, b point) int { return cmp.Or(cmp.Compare(a.when, b.when), cmp.Compare(a.after, b.after)) })
	return l.points
}

// settle visits every point after its parents, to number them and to put right clocks
// that ran ahead.
func (l *log) settle() {
	type frame struct{ point, next int32 }
	entered := make([]bool, len(l.points))
	number := int32(0)
	var stack []frame
	for first := range l.points {
		if !entered[first] {
			entered[first] = true
			stack = append(stack, frame{point: int32(first)})
		}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			p := &l.points[top.point]
			parents := l.parents[top.point]
			if int(top.next) < len(parents) {
				next := parents[top.next]
				top.next++
				if !entered[next] {
					entered[next] = true
					stack = append(stack, frame{point: next})
				}
				continue
			}
			for _, n := range parents {
				p.when = max(p.when, l.points[n].when)
			}
			p.after = number
			number++
			stack = stack[:len(stack)-1]
		}
	}
}
