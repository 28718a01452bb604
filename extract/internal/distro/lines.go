package distro

import (
	"bufio"
	"errors"
	"io"

	"bulwark/internal/limit"
)

// Lines reads text line by line in constant memory: of a line longer than 64 KB only
// the front is seen, 64 KB at most.
type Lines struct {
	// Line is the current line without its end; valid until the next Next.
	Line []byte
	// Cut is true when the line was longer than what Line holds.
	Cut bool
	// Err is why reading ended early; it wraps ErrLimit when the text is too long.
	Err error

	r *bufio.Reader
}

const maxLine = 64 << 10

// NewLines reads at most most bytes of r, which is said to hold size; what names it in
// an error.
func NewLines(r io.Reader, size, most int64, what string) *Lines {
	buffer := min(max(size, 0), maxLine-1) + 1
	return &Lines{r: bufio.NewReaderSize(limit.Reader(r, most, what), int(buffer))}
}

// Next goes to the next line.
func (l *Lines) Next() bool {
	if l.Err != nil {
		return false
	}
	line, err := l.r.ReadSlice('\n')
	l.Line, l.Cut = line, errors.Is(err, bufio.ErrBufferFull)
	if l.Cut {
		l.Line, err = append([]byte(nil), line...), nil
		for more := true; more; {
			_, err = l.r.ReadSlice('\n')
			more = errors.Is(err, bufio.ErrBufferFull)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.Err = err
	}
	if n := len(l.Line); n > 0 && l.Line[n-1] == '\n' {
		l.Line = l.Line[:n-1]
	} else if n == 0 {
		return false
	}
	if n := len(l.Line); n > 0 && l.Line[n-1] == '\r' {
		l.Line = l.Line[:n-1]
	}
	return true
}
