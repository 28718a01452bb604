package object

import (
	"cmp"
	"slices"
	"strings"

	"bulwark"
)

// leastSize is smaller than any program that brings its runtime along.
const leastSize = 64 << 10

// passed are endings of files that are large, many, and never an executable's.
var passed = []string{".js", ".json", ".html", ".txt", ".gz", ".a", ".go", ".h", ".jar", ".py", ".mo", ".xz", ".map", ".ts"}

// Maybe tells by its description whether a file may be a large executable, whatever its
// name and mode: an image may keep its programs anywhere.
func Maybe(f *bulwark.FileInfo) bool {
	return f.Size >= leastSize && !slices.ContainsFunc(passed, func(end string) bool { return strings.HasSuffix(f.Base, end) })
}

// Start decides by the header, and the first HeadSize bytes, whether an executable is of
// interest: it gives what takes all of its bytes, those included, or nil. What it gives
// returns [bulwark.ErrSkip] when it needs no more. The bytes are lent for the call.
type Start func(f File, head []byte) func([]byte) error

// Head is a writer that collects the head of a file and passes on executables; all
// others are skipped after their first bytes. A damaged one is skipped as well.
type Head struct {
	size  int64
	start Start
	head  []byte
	feed  func([]byte) error
}

// NewHead gives a writer for a file of that size.
func NewHead(size int64, start Start) *Head { return &Head{size: size, start: start} }

// Write implements io.Writer.
func (h *Head) Write(p []byte) (int, error) {
	if h.feed != nil {
		return len(p), h.feed(p)
	}
	if len(h.head) == 0 && len(p) >= 4 && !Is(p) {
		return len(p), bulwark.ErrSkip
	}
	want := int(min(h.size, HeadSize))
	if len(h.head) == 0 && len(p) >= want {
		return len(p), h.begin(p[:want], p[want:])
	}
	n := min(len(p), want-len(h.head))
	h.head = append(h.head, p[:n]...)
	if len(h.head) < want {
		return len(p), nil
	}
	head := h.head
	h.head = nil
	return len(p), h.begin(head, p[n:])
}

// begin has the whole head, and what followed it in the same piece.
func (h *Head) begin(head, rest []byte) error {
	f, err := Parse(head)
	if err != nil {
		return bulwark.ErrSkip
	}
	if h.feed = h.start(f, head); h.feed == nil {
		return bulwark.ErrSkip
	}
	if err := h.feed(head); err != nil {
		return err
	}
	return h.feed(rest)
}

// Constants are the regions that hold constants and data, by offset and without
// overlap, whatever the header claims. Old linkers map constants together with code:
// where no region holds constants alone, code is among them.
func (f *File) Constants() []Region {
	alone := slices.ContainsFunc(f.Regions, func(r Region) bool { return !r.Exec && !r.Writable })
	var regions []Region
	end := int64(0)
	for _, r := range f.Regions {
		if alone && r.Exec || r.End() <= end {
			continue
		}
		if r.Off < end {
			r.Off, r.Size = end, r.End()-end
		}
		regions, end = append(regions, r), r.End()
	}
	return regions
}

func byOffset(a, b Region) int { return cmp.Compare(a.Off, b.Off) }
