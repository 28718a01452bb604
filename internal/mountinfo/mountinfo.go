// Package mountinfo reads what the kernel tells of mounts:
// https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html.
package mountinfo

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"bulwark/internal/limit"
)

// Mount is one line.
type Mount struct {
	ID      uint64
	Device  string // "0:45": of its file system, which no other has
	Root    string // what of the file system is mounted
	Point   string // where, seen from the root of the process: an absolute path
	Type    string
	Options string // of the file system, joined with commas and escaped
}

// Option is what an option of the file system is set to.
func (m Mount) Option(name string) (value string, ok bool) {
	for option := range strings.SplitSeq(m.Options, ",") {
		if value, ok := strings.CutPrefix(option, name+"="); ok {
			return unescape(value), true
		}
	}
	return "", false
}

// Upper is the folder that what is written to an overlay goes to; "": it is no overlay, or read-only.
func (m Mount) Upper() string {
	if m.Type != "overlay" {
		return ""
	}
	upper, _ := m.Option("upperdir")
	return upper
}

// maxBytes is enough for thousands of containers; the lines of a container's overlay name all its layers.
const maxBytes = 16 << 20

// Read gives the mounts in their order. What is no line of mountinfo is passed over. Of more than 16 MiB it gives those that
// begin it, and an error that wraps [bulwark.ErrLimit].
func Read(r io.Reader) ([]Mount, error) {
	text, err := limit.ReadAll(r, maxBytes, "mountinfo")
	var list []Mount
	for line := range bytes.Lines(text) {
		line, whole := bytes.CutSuffix(line, []byte("\n"))
		if !whole && err != nil {
			break
		}
		if m, ok := parse(string(line)); ok { // not of text: a mount that is kept keeps no more than its line
			list = append(list, m)
		}
	}
	return list, err
}

// ReadFile is [Read] of a file: "/proc/self/mountinfo".
func ReadFile(path string) ([]Mount, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f)
}

// parse splits at each space, since the source of a mount may be empty.
func parse(line string) (m Mount, ok bool) {
	at := strings.Split(line, " ")
	if len(at) < 6 || !strings.HasPrefix(at[4], "/") {
		return m, false
	}
	id, err := strconv.ParseUint(at[0], 10, 64)
	end := slices.Index(at[6:], "-") // of the optional fields
	if err != nil || end < 0 {
		return m, false
	}
	what := at[6+end+1:]
	if len(what) < 3 {
		return m, false
	}
	return Mount{ID: id, Device: at[2], Root: unescape(at[3]), Point: unescape(at[4]), Type: unescape(what[0]), Options: what[2]}, true
}

// unescape undoes \040 and its like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
