//go:build linux && (amd64 || arm64)

package guard

import (
	"io"
	"os"
	"strconv"
	"strings"
)

// mount is a line of mountinfo.
type mount struct {
	id          uint64
	device      string // "0:45": of its superblock, which no other has
	root, point string
	kind        string
	upper       string // of an overlay
}

const maxMountinfo = 16 << 20

// readMounts are the mounts that a process sees; none when it has gone.
func readMounts(pid string) []mount {
	f, err := os.Open("/proc/" + pid + "/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMountinfo))
	if err != nil {
		return nil
	}
	return parseMounts(string(b))
}

func parseMounts(text string) []mount {
	var list []mount
	for line := range strings.Lines(text) {
		if m, ok := parseMount(strings.TrimSuffix(line, "\n")); ok {
			list = append(list, m)
		}
	}
	return list
}

func parseMount(line string) (m mount, ok bool) {
	head, tail, ok := strings.Cut(line, " - ")
	at, what := strings.Split(head, " "), strings.Split(tail, " ")
	if !ok || len(at) < 6 || len(what) < 3 {
		return m, false
	}
	id, err := strconv.ParseUint(at[0], 10, 64)
	if err != nil || !strings.HasPrefix(at[4], "/") {
		return m, false
	}
	m = mount{id: id, device: at[2], root: unescape(at[3]), point: unescape(at[4]), kind: what[0]}
	for option := range strings.SplitSeq(what[2], ",") {
		if dir, ok := strings.CutPrefix(option, "upperdir="); ok && m.kind == "overlay" {
			m.upper = unescape(dir)
		}
	}
	return m, true
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

// holding is the mount that a path is in: the last of those with the longest mount point.
func holding(list []mount, path string) (best mount, ok bool) {
	for _, m := range list {
		if below(path, m.point) && (!ok || len(m.point) >= len(best.point)) {
			best, ok = m, true
		}
	}
	return best, ok
}
