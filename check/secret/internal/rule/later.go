package rule

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// LoadLater reads of a rule that a test has loaded before what the search for its anchors
// needs: ID, Anchors, FoldCase, ConfigOnly, Generic, Personal, Path, Before, After. The rest
// is read by Complete: of the hundreds of rules a scan needs a few.
//
// It knows one way to write those fields, each on a line of its own; a rule that is written
// otherwise is read whole.
func LoadLater(data []byte) (*Rule, error) {
	r := &Rule{later: data}
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(line, []byte("cases:")) {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(": "))
		if ok && headers[string(name)] && !r.header(string(name), string(bytes.TrimSpace(value))) {
			return LoadTrusted(data)
		}
	}
	return r, nil
}

// headers are the fields that are read before the others.
var headers = map[string]bool{
	"id": true, "path": true, "anchors": true, "foldCase": true, "configOnly": true,
	"generic": true, "personal": true, "before": true, "after": true,
}

// header sets a field; false: it is written in a way that is not known here.
func (r *Rule) header(name, value string) (ok bool) {
	switch name {
	case "id":
		r.ID, ok = scalar(value)
	case "path":
		r.Path, ok = scalar(value)
	case "anchors":
		r.Anchors, ok = flow(value)
	case "foldCase":
		r.FoldCase, ok = value == "true", value == "true" || value == "false"
	case "configOnly":
		r.ConfigOnly, ok = value == "true", value == "true" || value == "false"
	case "generic":
		r.Generic, ok = value == "true", value == "true" || value == "false"
	case "personal":
		r.Personal, ok = value == "true", value == "true" || value == "false"
	case "before":
		n, err := strconv.Atoi(value)
		r.Before, ok = n, err == nil
	case "after":
		n, err := strconv.Atoi(value)
		r.After, ok = n, err == nil
	}
	return ok
}

// scalar reads one in single quotes, or a plain one of letters, digits and "-".
func scalar(s string) (string, bool) {
	if len(s) >= 2 && s[0] == '\'' {
		text, rest, ok := quoted(s)
		return text, ok && rest == ""
	}
	for _, c := range []byte(s) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return "", false
		}
	}
	return s, s != ""
}

// quoted reads a text in single quotes, in which two of them stand for one, and gives what follows.
func quoted(s string) (text, rest string, ok bool) {
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			out.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			out.WriteByte('\'')
			i++
			continue
		}
		return out.String(), s[i+1:], true
	}
	return "", "", false
}

// flow reads a list in brackets of such scalars.
func flow(s string) ([]string, bool) {
	s, ok := strings.CutPrefix(s, "[")
	if !ok || !strings.HasSuffix(s, "]") {
		return nil, false
	}
	s = s[:len(s)-1]
	out := []string{}
	for s != "" {
		var item string
		if s[0] == '\'' {
			if item, s, ok = quoted(s); !ok {
				return nil, false
			}
		} else {
			item, s, _ = strings.Cut(s, ",")
			if item, ok = scalar(strings.TrimSpace(item)); !ok {
				return nil, false
			}
			s = "," + s
		}
		out = append(out, item)
		s = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(s, " "), ","), " ")
	}
	return out, true
}

// complete reads the rest of a rule that LoadLater began.
func (r *Rule) complete() error {
	if r.later == nil {
		return nil
	}
	whole, err := LoadTrusted(r.later)
	if err != nil {
		return fmt.Errorf("secret rule %s: %w", r.ID, err)
	}
	r.Title, r.Reason, r.FalsePositives, r.Severity = whole.Title, whole.Reason, whole.FalsePositives, whole.Severity
	r.References, r.Tags, r.Pattern, r.Group = whole.References, whole.Tags, whole.Pattern, whole.Group
	r.Entropy, r.Check, r.AnyContext, r.Doubtful, r.Least = whole.Entropy, whole.Check, whole.AnyContext, whole.Doubtful, whole.Least
	r.Allow = append(whole.Allow, r.Allow...)
	return nil
}
