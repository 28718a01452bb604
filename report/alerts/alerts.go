// Package alerts writes findings of running things for people to read as they happen: what, who, why, and how not to be told
// again. [Screen] shows them on a terminal that is drawn again.
package alerts

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/incident"
	"bulwark/report/internal/text"
)

// Format describes the format.
func Format() report.Format {
	return report.Format{Name: "text", Summary: "Findings as they happen, for people: what, who, why.", Extension: ".txt",
		New: func(w io.Writer, o report.Options) bulwark.Handler {
			return New(w, Options{Color: o.Color, Width: o.Width, Now: o.Now})
		}}
}

// Options is what the format may be told; the zero value suits a file.
type Options struct {
	Color bool
	Width int            // columns of the terminal; 0: as many as it takes
	Zone  *time.Location // that times are told in; nil: the machine's
	Now   time.Time      // when notes are told; zero: each time the clock's
	// Whole has every piece of evidence begin a line of its own, and none of them cut short.
	Whole bool
	// Hint is how not to be told of a finding again, a command on one line; nil: Suppress. It may give "".
	Hint func(*bulwark.Finding) string
}

// New returns a handler that writes each finding and each note at once, by one call of w.
func New(w io.Writer, o Options) bulwark.Handler {
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Hint == nil {
		o.Hint = Suppress
	}
	return &handler{w: w, o: o}
}

type handler struct {
	w io.Writer
	o Options
}

func (h *handler) Handle(r bulwark.Record) error {
	var lines []string
	switch {
	case r.Finding != nil && r.Finding.Exception == nil:
		lines = h.finding(r.Finding)
	case r.Note != nil:
		lines = h.note(r.Note)
	default:
		return nil
	}
	_, err := io.WriteString(h.w, strings.Join(lines, "\n")+"\n")
	return err
}

func (h *handler) clock(at time.Time) string {
	if at.IsZero() {
		at = h.o.Now
	}
	if at.IsZero() {
		at = time.Now()
	}
	return at.In(h.o.Zone).Format("15:04:05.000")
}

func (h *handler) note(n *bulwark.Note) []string {
	line := h.clock(time.Time{}) + " note     " + text.Clean(n.Plugin) + ": "
	if n.Path != "" {
		line += text.Clean(n.Path) + ": "
	}
	return h.wrap("", line+text.Clean(n.Text), mostLines)
}

func (h *handler) finding(f *bulwark.Finding) []string {
	lines := []string{h.what(f)}
	if who := Who(f); who != "" {
		lines = append(lines, h.wrap("  ", who, mostLines)...)
	}
	if f.Count > 1 {
		return lines // it was told before
	}
	if h.o.Whole {
		lines = append(lines, h.whole(f)...)
	} else if why := h.why(f); why != "" {
		lines = append(lines, h.wrap("  ", why, mostLines)...)
	}
	if hint := text.Clean(h.o.Hint(f)); hint != "" {
		lines = append(lines, "  expected? "+hint) // never cut: it is for copying
	}
	return lines
}

// mostLines is how many lines of a terminal one part of a finding takes.
const mostLines = 3

// wrap gives a text in as many lines as a terminal needs for it, and at most that many, the first one behind an indent.
func (h *handler) wrap(indent, s string, most int) []string {
	var lines []string
	for ; ; indent = "    " {
		room := h.o.Width - len(indent)
		if h.o.Width <= 0 || text.Width(s) <= room || len(lines) == most-1 {
			return append(lines, indent+text.Cut(s, max(0, room)))
		}
		at := breakAt(s, room)
		lines, s = append(lines, indent+strings.TrimRight(s[:at], " ")), strings.TrimLeft(s[at:], " ")
	}
}

// breakAt is where s is divided so that what is before takes at most n columns: behind a blank where there is one.
func breakAt(s string, n int) int {
	end, used := 0, 0
	for i, r := range s {
		if used += text.Width(string(r)); used > max(n, 2) {
			break
		}
		end = i + len(string(r))
	}
	if blank := strings.LastIndexByte(s[:end], ' '); blank > end/2 {
		return blank + 1
	}
	return end
}

var colors = [...]string{"36", "36", "33", "31", "1;31"}

func (h *handler) what(f *bulwark.Finding) string {
	level := text.Pad(f.Severity.String(), 8)
	end := " [" + text.Cut(text.Clean(incident.Rule(f)), h.o.Width/3) + "]"
	if f.Count > 1 {
		end += fmt.Sprintf(" ×%d so far", f.Count)
	}
	start := h.clock(f.Time) + " "
	title := f.Title
	if title == "" {
		title = incident.Rule(f)
	}
	room := 0
	if h.o.Width > 0 {
		room = max(16, h.o.Width-text.Width(start+level+" "+end))
	}
	if h.o.Color {
		level = "\x1b[" + colors[min(max(f.Severity, 0), 4)] + "m" + level + "\x1b[0m"
	}
	return start + level + " " + text.Cut(text.Clean(title), room) + end
}

// Who says whose doing it was, on one line without control characters: the process and those that made it, the nearest first, the
// user, container, pod and image.
func Who(f *bulwark.Finding) string {
	var b strings.Builder
	if p := f.Process; p != nil {
		fmt.Fprintf(&b, "%s (%d)", text.Cut(text.Clean(incident.Command(p)), 120), p.PID)
		for i := range p.Parents {
			if i == maxParents {
				b.WriteString(" < …")
				break
			}
			b.WriteString(" < " + text.Cut(text.Clean(p.Parents[i].Name), 32))
		}
		b.WriteString(", user " + text.Clean(incident.User(p)))
		if p.TTY {
			b.WriteString(" (tty)")
		}
	}
	where(&b, f)
	return b.String()
}

const maxParents = 4

func where(b *strings.Builder, f *bulwark.Finding) {
	add := func(word, value string) {
		if value == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(word + text.Clean(value))
	}
	c := f.Container
	switch {
	case c == nil && f.Process == nil:
		add("", f.Subject)
		return
	case c == nil:
		add("", "on the node")
		return
	case c.ID == "":
		add("container unknown: ", c.Missing)
		return
	case c.Name == "":
		add("container ", incident.Short(c.ID))
	default:
		add("container ", c.Name+" "+incident.Short(c.ID))
	}
	switch {
	case c.Pod != "" && c.Namespace != "":
		add("pod ", c.Namespace+"/"+c.Pod)
	default:
		add("pod ", c.Pod)
	}
	switch {
	case c.Image != "":
		add("image ", c.Image)
		add("not all is known of it: ", c.Missing)
	default:
		add("image unknown: ", cmp.Or(c.Missing, "its runtime keeps none"))
	}
}

// why is the evidence, or what the rule says.
func (h *handler) why(f *bulwark.Finding) string {
	why := strings.Join(f.Evidence, "; ")
	if why == "" && f.Alert != nil {
		why = f.Alert.Output
	}
	if why = text.Clean(why); why == "" {
		return ""
	}
	return text.Cut("because: "+why, maxWhy)
}

// maxWhy is how much is told to a file.
const maxWhy = 1000

// whole is all of the evidence, piece by piece.
func (h *handler) whole(f *bulwark.Finding) []string {
	pieces := f.Evidence
	if len(pieces) == 0 && f.Alert != nil {
		pieces = []string{f.Alert.Output}
	}
	var lines []string
	for i, piece := range pieces {
		if i == 0 {
			piece = "because: " + piece
		}
		lines = append(lines, h.wrap("  ", text.Clean(piece), math.MaxInt)...)
	}
	return lines
}

// Suppress is the command that has watch tell no more of a finding's rule in its asset. Where their texts could mean anything
// to a shell it names the finding's key.
func Suppress(f *bulwark.Finding) string {
	switch {
	case plain(f.Rule) && plain(string(f.Asset)):
		return "bulwark watch suppress " + f.Rule + " " + shortAsset(string(f.Asset))
	case plain(f.Key):
		return "bulwark watch suppress key:" + f.Key[:min(len(f.Key), 16)]
	}
	return ""
}

// shortAsset is as much of an asset's id as people give of one.
func shortAsset(id string) string {
	for _, prefix := range []string{"image:sha256:", "host:"} {
		if hex, ok := strings.CutPrefix(id, prefix); ok && len(hex) >= 32 && strings.Trim(hex, "0123456789abcdef") == "" {
			return id[:len(prefix)+12]
		}
	}
	return id
}

// plain tells whether s has nothing that a shell, YAML or a pattern takes for more, and is no flag.
func plain(s string) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_./:@", r):
		default:
			return false
		}
	}
	return s != "" && s[0] != '-'
}
