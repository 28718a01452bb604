package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/report/internal/text"
)

// Screen is what a terminal shows of a node that is watched, at one time.
type Screen struct {
	Node    string
	Up      time.Duration // since it is watched
	Events  uint64
	Rate    float64 // events a second
	Dropped uint64
	Told    map[bulwark.Severity]int
	Rows    []Row
	Alerts  []*bulwark.Finding // the newest first
	Notes   []Said             // the newest first
	Zone    *time.Location     // that times are told in; nil: the machine's
	Color   bool
}

// Row is a container, or the node outside of them.
type Row struct {
	Name, Image string
	Rate        float64 // events a second
	Events      uint64
	Alerts      int
	CPU         float64 // per cent of one processor; negative: not known
	Memory      int64   // bytes; negative: not known
}

// Said is a note, and when it was told.
type Said struct {
	At   time.Time
	Text string
}

// Lines draws the screen for a terminal of that size: never more lines, none wider, and nothing in them that a terminal
// obeys but colours.
func (s *Screen) Lines(width, height int) []string {
	width, height = max(width, 20), max(height, 4)
	lines := []string{s.head(width), s.second(width)}
	below := s.below(width)
	rows := s.rows(width, max(2, height-len(lines)-1-min(len(below), max(4, height/2))))
	lines = append(append(lines, rows...), "")
	lines = append(lines, below[:min(len(below), max(0, height-len(lines)))]...)
	return lines[:min(len(lines), height)]
}

func (s *Screen) head(width int) string {
	left, right := "bulwark watch: "+text.Clean(s.Node)+", for "+s.Up.Truncate(time.Second).String(), "q ends"
	left = text.Cut(left, max(1, width-len(right)-1))
	return s.paint("1", left+strings.Repeat(" ", max(1, width-text.Width(left)-len(right)))+right)
}

func (s *Screen) second(width int) string {
	var told []string
	for _, level := range bulwark.Severities() {
		if n := s.Told[level]; n > 0 {
			told = append(told, fmt.Sprint(n, " ", level))
		}
	}
	alerts := "none"
	if len(told) > 0 {
		alerts = strings.Join(told, ", ")
	}
	line := text.Cut(fmt.Sprintf("%s events/s, %s in all, %s dropped; alerts: %s", amount(s.Rate), thousands(s.Events), thousands(s.Dropped), alerts), width)
	if s.Dropped > 0 {
		return s.paint("33", line)
	}
	return line
}

// Columns behind the name and the image.
const figures = "  EVENTS/S    EVENTS  ALERTS   CPU %    MEMORY"

// rows are the containers, those with alerts and then the busiest first, in at most so many lines.
func (s *Screen) rows(width, most int) []string {
	list := slices.Clone(s.Rows)
	slices.SortStableFunc(list, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Events, a.Events), strings.Compare(a.Name, b.Name))
	})
	room := max(10, width-len(figures))
	name, image := (room+1)/2-1, room/2
	if room < 30 { // the image is what can be missed
		name, image = room-1, 0
	}
	lines := []string{s.paint("7", text.Cut(text.Pad("CONTAINER", name+1)+text.Pad(text.Cut("IMAGE     ", image), image)[:image]+figures, width))}
	for i, r := range list {
		if len(lines) == most-1 && i < len(list)-1 {
			lines = append(lines, text.Cut(fmt.Sprintf("and %d more", len(list)-i), width))
			break
		}
		line := text.Pad(text.Cut(text.Clean(r.Name), name), name+1)
		if image > 0 {
			line += text.Pad(text.Middle(text.Clean(r.Image), image), image)
		}
		line += fmt.Sprintf("%10s%10s%8d%8s%10s", amount(r.Rate), thousands(r.Events), r.Alerts, percent(r.CPU), size(r.Memory))
		if line = text.Cut(line, width); r.Alerts > 0 {
			line = s.paint("31", line)
		}
		lines = append(lines, line)
	}
	return lines
}

// below are alerts and notes, the newest first.
func (s *Screen) below(width int) []string {
	h := &handler{o: Options{Color: s.Color && width >= 80, Width: width, Zone: cmp.Or(s.Zone, time.Local)}}
	lines := []string{"Newest alerts:"}
	if len(s.Alerts) == 0 {
		lines[0] = "No alerts."
	}
	for _, f := range s.Alerts {
		what := h.what(f)
		if !h.o.Color {
			what = text.Cut(what, width)
		}
		lines = append(lines, what, text.Cut("  "+Who(f), width))
	}
	notes := s.Notes[:min(len(s.Notes), 3)]
	if len(notes) == 0 {
		return lines
	}
	var said []string
	for _, n := range notes {
		said = append(said, text.Cut(h.clock(n.At)+" note: "+text.Clean(n.Text), width))
	}
	return append(said, lines...)
}

func (s *Screen) paint(color, line string) string {
	if !s.Color {
		return line
	}
	return "\x1b[" + color + "m" + line + "\x1b[0m"
}

// amount is a figure a second.
func amount(x float64) string {
	if x > 0 && x < 10 {
		return fmt.Sprintf("%.1f", x)
	}
	return thousands(uint64(max(x, 0)))
}

func thousands(n uint64) string {
	if n >= 1e8 {
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(x float64) string {
	if x < 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", x)
}

func size(n int64) string {
	if n < 0 {
		return "-"
	}
	if n >= 1e9 {
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
