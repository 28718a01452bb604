package rules

import (
	"fmt"
	"slices"
	"strings"

	"bulwark/detect/rules/internal/lang"
)

// gone are fields that Falco calls deprecated, with what they are now.
var gone = map[string]string{
	"evt.dir":          "always <, as calls are seen when they return",
	"evt.latency":      "never there, as calls are seen when they return",
	"evt.latency.s":    "never there, as calls are seen when they return",
	"evt.latency.ns":   "never there, as calls are seen when they return",
	"evt.wait_latency": "never there, as calls are seen when they return",

	"evt.latency.human": "never there, as calls are seen when they return",
}

// look looks for what is odd in a check.
func (c *compiler) look(left *term, e *lang.Check) {
	c.lookGone(e.Left)
	if e.Right != nil {
		c.lookGone(e.Right)
		return
	}
	document := left.field != nil && (strings.HasPrefix(left.field.Name, "ka.") || strings.HasPrefix(left.field.Name, "jevt."))
	for _, v := range e.Values {
		if document && v.Text == "<NA>" && equates(e.Op) {
			c.note(v.Pos, "LOAD_UNSAFE_NA_CHECK", "<NA> is a text, which no field is: exists tells whether there is a value")
		}
		if e.Op == lang.Regex && plain(v.Text) {
			c.note(v.Pos, lang.CodeOdd, "the regex %s is a plain text: =, contains, startswith or endswith is quicker", visible(v.Text))
		}
		c.lookValue(v)
	}
}

func equates(op lang.Op) bool {
	return op == lang.Eq || op == lang.NotEq || op == lang.In || op == lang.Intersects || op == lang.PMatch
}

func (c *compiler) note(at lang.Pos, code, format string, args ...any) {
	c.odd = append(c.odd, oddity{at, code, fmt.Sprintf(format, args...)})
}

func (c *compiler) lookGone(t lang.Term) {
	switch t := t.(type) {
	case *lang.Field:
		if is := gone[t.Name]; is != "" {
			c.note(t.Pos, lang.CodeDeprecated, "%s is deprecated: it is %s", t.Name, is)
		}
	case *lang.Call:
		for _, a := range t.Args {
			c.lookGone(a)
		}
	}
}

// lookValue tells of a value that is the name of a field, or a transformer of one.
func (c *compiler) lookValue(v lang.Value) {
	if !strings.ContainsAny(v.Text, ".(") {
		return
	}
	text := v.Text
	if strings.ContainsAny(text, " \t\r\n") {
		text = strings.Join(strings.Fields(text), "")
	}
	if lang.IsCall(text) {
		c.note(v.Pos, lang.CodeOdd, "%s is compared with as a text; a transformer has neither quotes nor blanks", visible(v.Text))
		return
	}
	name, arg, has := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	if _, _, known := lookup(name); !known {
		return
	}
	if f, _, err := bindField(name, arg, has); err == nil && (f.Source == "" || f.Source == c.source) {
		c.note(v.Pos, lang.CodeOdd, "%s is the name of a field, and compared with as a text; val(%s) is the field", visible(v.Text), text)
	}
}

// plain tells whether a regular expression says no more than a text that begins, ends or is somewhere.
func plain(s string) bool {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "^"), "$")
	for _, any := range []string{".*", ".+", ".?"} {
		if cut, ok := strings.CutPrefix(s, any); ok {
			s = cut
			break
		}
	}
	if n := len(s) - 2; n >= 0 && slices.Contains([]string{".*", ".+", ".?"}, s[n:]) {
		s = s[:n]
	}
	return !strings.ContainsAny(s, `.+*?^$()[]{}|\`)
}
