package proc

import (
	"bytes"
	"unique"
)

// Reader reads many processes, for one goroutine and at one time: it keeps texts and control groups that several have.
// Processes that it gives share lists, which are not to be changed.
type Reader struct {
	proc    FS
	room    []byte
	seen    map[string]string
	lists   map[string][]string
	cgroups map[string]uint64
}

// mostKept is how many texts, lists and control groups a reader keeps of each.
const mostKept = 4096

// NewReader returns a reader of a /proc.
func NewReader(of FS) *Reader {
	return &Reader{proc: of, room: make([]byte, 16<<10), seen: map[string]string{}, lists: map[string][]string{}, cgroups: map[string]uint64{}}
}

// text is kept once, however many have it.
func (r *Reader) text(b []byte) string {
	if s, ok := r.seen[string(b)]; ok {
		return s
	}
	s := unique.Make(string(b)).Value()
	if len(r.seen) < mostKept {
		r.seen[s] = s
	}
	return s
}

// list reads texts that end with zero bytes: 4 KB of them at most.
func (d folder) list(name string) []string {
	data, err := d.read(name, most)
	if err != nil || len(data) == 0 {
		return nil
	}
	if list, ok := d.lists[string(data)]; ok {
		return list
	}
	var list []string
	for part := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte{0}), []byte{0}) {
		list = append(list, d.text(part))
	}
	if len(d.lists) < mostKept {
		d.lists[string(data)] = list
	}
	return list
}
