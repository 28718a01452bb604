package reason

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// on names the ports of an answer.
func (a *Answer) on() string {
	switch {
	case a.Ports.All():
		return "any port"
	case !a.Rest:
		return a.Ports.String()
	}
	protocols := a.most()
	switch len(protocols) {
	case 0:
		return a.Ports.String()
	case 3:
		return "any other port"
	}
	return "any other port of " + strings.Join(protocols, ", ")
}

// most are the protocols that the answer speaks of when it speaks of most ports of each: the
// others are named then. Else there are none.
func (a *Answer) most() []string {
	var names []string
	count := map[string]int{}
	for proto, ends := range a.Ports.Spans() {
		name := proto.String()
		if count[name] == 0 {
			names = append(names, name)
		}
		count[name] += int(ends[1]) - int(ends[0]) + 1
	}
	for _, n := range count {
		if n <= 1<<15 {
			return nil
		}
	}
	return names
}

// Text is the answers for people.
func Text(list []Answer) string {
	var b strings.Builder
	for i := range list {
		a := &list[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		verdict := "closed"
		if a.Allowed {
			verdict = "open"
		}
		fmt.Fprintf(&b, "%s => %s on %s: %s\n", line(a.From), line(a.To), a.on(), verdict)
		for _, w := range a.When {
			fmt.Fprintf(&b, "  %s\n", line(w))
		}
		for _, r := range a.Through {
			fmt.Fprintf(&b, "  through: %s\n", r.text())
		}
		for k := range a.Sides {
			a.Sides[k].text(&b, a.Allowed)
		}
	}
	return b.String()
}

// text writes a side: what to change only where that turns the outcome.
func (s *Side) text(b *strings.Builder, open bool) {
	verdict := "dropped"
	if s.Allowed {
		verdict = "let through"
	}
	of := map[string]string{"egress": "sent by ", "ingress": "received by ", "mesh": "the mesh before "}[s.Direction]
	fmt.Fprintf(b, "  %s (%s%s): %s: %s\n", s.Direction, of, line(s.Of), verdict, line(s.Why))
	for _, r := range s.Reasons {
		fmt.Fprintf(b, "    %s\n", r.text())
	}
	if s.Change == "" || s.Allowed != open {
		return
	}
	fmt.Fprintf(b, "    %s\n", line(s.Change))
	for _, l := range s.Add {
		fmt.Fprintf(b, "      %s\n", line(l))
	}
}

// text is the reason in a line.
func (r *Reason) text() string {
	var words []string
	for _, w := range []string{r.Policy, r.Rule, r.Text} {
		if w != "" {
			words = append(words, line(w))
		}
	}
	return strings.Join(words, " ") + r.at()
}

func (r *Reason) at() string {
	switch {
	case r.File == "":
		return ""
	case r.Line == 0:
		return " (" + line(r.File) + ")"
	}
	return fmt.Sprintf(" (%s:%d)", line(r.File), r.Line)
}

// line makes control and direction characters harmless; names have no line ends.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, s)
}

// place is a reason as JSON has it.
type place struct {
	Text   string `json:"text"`
	Policy string `json:"policy"`
	Rule   string `json:"rule,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

func places(list []Reason) []place {
	out := make([]place, len(list))
	for i, r := range list {
		out[i] = place(r)
	}
	return out
}

// JSON writes the answers as a list.
func JSON(w io.Writer, list []Answer) error {
	type side struct {
		Direction string  `json:"direction"`
		Of        string  `json:"of"`
		Allowed   bool    `json:"allowed"`
		Why       string  `json:"why"`
		Reasons   []place `json:"reasons"`
		Change    string  `json:"change,omitempty"`
		Add       string  `json:"add,omitempty"`
	}
	type answer struct {
		From    string   `json:"src"`
		To      string   `json:"dst"`
		Conn    string   `json:"conn"`
		Allowed bool     `json:"allowed"`
		When    []string `json:"conditions,omitempty"`
		Through []place  `json:"through,omitempty"`
		Sides   []side   `json:"sides"`
	}
	out := make([]answer, len(list))
	for i, a := range list {
		out[i] = answer{From: a.From, To: a.To, Conn: a.Ports.String(), Allowed: a.Allowed, When: a.When, Through: places(a.Through), Sides: []side{}}
		for _, s := range a.Sides {
			out[i].Sides = append(out[i].Sides, side{s.Direction, s.Of, s.Allowed, s.Why, places(s.Reasons), s.Change, strings.Join(s.Add, "\n")})
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
