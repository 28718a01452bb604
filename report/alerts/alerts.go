// Package alerts writes findings of running things for people to read as they happen: three lines at most for each, what, who,
// and why with how not to be told again.
package alerts

import (
	"fmt"
	"io"
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
	// Hint is how not to be told of a finding again, one line; nil: by a line of the exceptions file. It
	// may give "".
	Hint func(*bulwark.Finding) string
}

// New returns a handler that writes each finding and each note at once, by one call of w.
func New(w io.Writer, o Options) bulwark.Handler {
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Hint == nil {
		o.Hint = Except
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
	return []string{text.Cut(line+text.Clean(n.Text), h.o.Width)}
}

func (h *handler) finding(f *bulwark.Finding) []string {
	lines := []string{h.what(f)}
	if who := Who(f); who != "" {
		lines = append(lines, text.Cut("  "+who, h.o.Width))
	}
	if why := h.why(f); why != "" {
		lines = append(lines, "  "+why)
	}
	return lines
}

var colors = [...]string{"36", "36", "33", "31", "1;31"}

func (h *handler) what(f *bulwark.Finding) string {
	level := text.Pad(f.Severity.String(), 8)
	end := " [" + text.Clean(incident.Rule(f)) + "]"
	if f.Count > 1 {
		end += fmt.Sprintf(" ×%d", f.Count)
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
	add("image ", c.Image)
	add("of which no more is known: ", c.Missing)
}

// why gives the evidence as far as there is room for it, and the hint whole.
func (h *handler) why(f *bulwark.Finding) string {
	why := strings.Join(f.Evidence, "; ")
	if why == "" && f.Alert != nil {
		why = f.Alert.Output
	}
	if why = text.Clean(why); why != "" {
		why = "because: " + why
	}
	hint := text.Clean(h.o.Hint(f))
	if hint == "" {
		return text.Cut(why, max(0, h.o.Width-2))
	}
	hint = "expected? " + hint
	if why == "" {
		return hint
	}
	room := maxWhy
	if h.o.Width > 0 {
		room = max(40, h.o.Width-text.Width(hint)-5)
	}
	return text.Cut(why, room) + " | " + hint
}

// maxWhy is how much is told to a file.
const maxWhy = 1000

// Except is the command that adds a finding's rule and asset to the file that --exceptions reads. Where their texts could mean anything to a shell
// or to YAML it names the finding's key.
func Except(f *bulwark.Finding) string {
	what := `rule: "` + f.Rule + `"`
	switch {
	case plain(f.Rule) && plain(string(f.Asset)):
		what += `, asset: "` + string(f.Asset) + `"`
	case plain(f.Key):
		what = `key: "` + f.Key + `"`
	default:
		return ""
	}
	return `(test -s exceptions.yaml || echo exceptions:; echo '  - {` + what + `, reason: "why it is fine", owner: "'$USER'"}') >> exceptions.yaml`
}

// plain tells whether s has nothing that a shell within single quotes, YAML within double ones or a pattern takes for more.
func plain(s string) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_./:@", r):
		default:
			return false
		}
	}
	return s != ""
}
