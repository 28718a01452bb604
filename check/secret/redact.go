package secret

import (
	"slices"
	"strings"

	"bulwark/internal/telling"
)

const hidden = "(not shown: it may hold a secret)"

// Redact takes the values that the rules find out of texts of an image's configuration or
// history, which reports show as they are: all of a text that is too long or has a value in
// another form than plain, what looks like one by where it stands, and all texts when the rules cannot be read.
func (c *Check) Redact(texts []string) []string {
	out := slices.Clone(texts)
	rules, err := c.rules()
	var g grams
	for i, t := range out {
		if err != nil || len(t) > longestSetting {
			out[i] = hidden
		}
		g.add(out[i])
	}
	if err != nil {
		return out
	}
	e := buildFor(&g, rules, c.month)
	var s scan
	for i, t := range out {
		if t != "" {
			out[i] = telling.Mask(s.redact(e, t))
		}
	}
	return out
}

func (s *scan) redact(e *engine, text string) string {
	s.begin(e, "", int64(len(text)))
	s.place = place{settings: true}
	s.write([]byte(text))
	s.search(len(s.buf))
	for _, found := range leading(s.found) {
		if found.form != plain && !strings.Contains(text, string(found.value)) {
			return hidden
		}
		text = strings.ReplaceAll(text, string(found.value), "***")
	}
	return text
}
