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
		if ok && !r.header(name, bytes.TrimSpace(value)) {
			return LoadTrusted(data)
		}
	}
	return r, nil
}

// header sets a field; false: it is written in a way that is not known here. Fields that are
// read later are passed over.
func (r *Rule) header(name, value []byte) (ok bool) {
	switch string(name) {
	case "id":
		r.ID, ok = scalar(string(value))
	case "path":
		r.Path, ok = scalar(string(value))
	case "anchors":
		r.Anchors, ok = flow(string(value))
	case "foldCase":
		r.FoldCase, ok = truth(value)
	case "configOnly":
		r.ConfigOnly, ok = truth(value)
	case "generic":
		r.Generic, ok = truth(value)
	case "personal":
		r.Personal, ok = truth(value)
	case "before":
		r.Before, ok = number(value)
	case "after":
		r.After, ok = number(value)
	default:
		ok = true
	}
	return ok
}

func truth(s []byte) (value, ok bool) {
	value = string(s) == "true"
	return value, value || string(s) == "false"
}

func number(s []byte) (int, bool) {
	n, err := strconv.Atoi(string(s))
	return n, err == nil
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
