package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bulwark"
)

// amount is how much there is of objects.
type amount struct {
	objects, values int
	bytes           int64
}

func (a *amount) add(line []byte) {
	a.objects++
	a.values += valuesIn(line)
	a.bytes += int64(len(line))
}

// most is what a whole cluster may have.
var most = amount{maxObjects, maxValues, maxLines}

// share is what one list has taken of it.
type share struct {
	r    *reading
	mine amount
}

// take counts a line. One list may have half of what the others leave: who may make as many
// objects of one kind as they like must not keep the others from being seen.
func (s *share) take(line []byte) error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	all, m := &s.r.taken, s.r.atMost
	all.add(line)
	s.mine.add(line)
	half := func(most, all, mine int64) bool { return mine > (most-(all-mine))/2 }
	if half(int64(m.objects), int64(all.objects), int64(s.mine.objects)) || half(int64(m.values), int64(all.values), int64(s.mine.values)) || half(m.bytes, all.bytes, s.mine.bytes) {
		return fmt.Errorf("there are more than the %d that were read: %w (choose with --namespaces)", s.mine.objects-1, bulwark.ErrLimit)
	}
	return nil
}

// errLong is why a list is given up whose pages do not end.
var errLong = fmt.Errorf("it does not end in a third of the time that is left: %w", bulwark.ErrUnavailable)

// inTime gives a list a third of the time that is left, so that one without end leaves the
// others theirs.
func inTime(ctx context.Context, read func(context.Context) error) error {
	end, ok := ctx.Deadline()
	if !ok {
		return read(ctx)
	}
	part, cancel := context.WithTimeoutCause(ctx, time.Until(end)/3, errLong)
	defer cancel()
	err := read(part)
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(part), errLong) {
		return errLong
	}
	return err
}
