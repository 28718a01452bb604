package lockfile

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
)

// checked is a reader that also judges the structure of the whole document: what was
// read before a fault is kept.
func checked(check func([]byte) error, read reader) reader {
	return func(ctx context.Context, name string, content []byte) ([]declared, error) {
		list, err := read(ctx, name, content)
		if errors.Is(err, bulwark.ErrLimit) {
			return list, err
		}
		if fault := check(content); fault != nil {
			return list, fault
		}
		return list, err
	}
}

// isJSON tells the first fault of a JSON document.
func isJSON(content []byte) error {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if json.Valid(content) {
		return nil
	}
	var value any // what is not valid is not decoded
	err := json.Unmarshal(content, &value)
	if fault := (*json.SyntaxError)(nil); errors.As(err, &fault) {
		before := content[:min(int(fault.Offset), len(content))]
		return lang.Malformed("line %d: %w", 1+bytes.Count(before, []byte("\n")), fault)
	}
	return lang.Malformed("%w", err)
}

// isJSONC does the same where a comma may stand before a closing bracket.
func isJSONC(content []byte) error {
	strict := bytes.Clone(content)
	comma := -1 // the last one, when nothing but blanks stands behind it
	for i := 0; i < len(strict); i++ {
		switch c := strict[i]; c {
		case '"':
			i += max(quoteEnd(strict[i:]), 1) - 1
			comma = -1
		case ',':
			comma = i
		case ' ', '\t', '\r', '\n':
		case '}', ']':
			if comma >= 0 {
				strict[comma] = ' '
			}
			comma = -1
		default:
			comma = -1
		}
	}
	return isJSON(strict)
}

// isXML tells the first fault of an XML document, which has that root, and no text beside
// the elements of its lists.
func isXML(root, list string) func([]byte) error {
	return func(content []byte) error {
		d := newXML(content)
		for depth, roots, inList := 0, 0, -1; ; {
			token, err := d.Token()
			switch t := token.(type) {
			case xml.StartElement:
				if depth == 0 && (t.Name.Local != root || roots > 0) {
					err = errors.New("not one element " + root)
				}
				if depth, roots = depth+1, roots+1; t.Name.Local == list {
					inList = depth
				}
			case xml.EndElement:
				if depth == inList {
					inList = -1
				}
				depth--
			case xml.CharData:
				text := bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\xef\xbb\xbf")))
				if (depth == 0 || depth == inList) && len(text) > 0 {
					err = errors.New("text where elements belong")
				}
			}
			line, _ := d.InputPos()
			switch {
			case err == io.EOF && roots > 0:
				return nil
			case err != nil:
				return lang.Malformed("line %d: %w", line, err)
			}
		}
	}
}

func newXML(content []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // names and versions are ASCII
	return d
}

// eachLine tells the first line that is none of the format. Blank lines and those that
// start with the comment mark are.
func eachLine(comment string, good func(line string) bool) func([]byte) error {
	return func(content []byte) error {
		n := 0
		for line := range lines(content) {
			n++
			if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, comment) && !good(line) {
				return lang.Malformed("line %d is none of the format", n)
			}
		}
		return nil
	}
}

// gradleLine: "group:artifact:version=configuration,...", or "empty=".
func gradleLine(line string) bool {
	what, _, ok := strings.Cut(line, "=")
	return ok && (what == "empty" || strings.Count(what, ":") == 2)
}

// gemLine: headings in capitals, below them "key: value" or "name (version)".
func gemLine(line string) bool {
	if line[0] != ' ' {
		return strings.Trim(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") == ""
	}
	return strings.Count(line, "(") == strings.Count(line, ")")
}

// yarnLine: keys end with a colon, texts with their quote.
func yarnLine(line string) bool {
	closed := strings.Count(line, `"`)%2 == 0
	return closed && (line[0] == ' ' || strings.HasSuffix(line, ":"))
}

// cabalLine: "field: value", which goes on over lines that are indented; any.name goes
// with its version.
func cabalLine(line string) bool {
	field := line[0] == ' ' || line[0] == '\t'
	if before, _, ok := strings.Cut(line, ":"); ok && !field {
		field = strings.IndexFunc(before, func(r rune) bool { return r > 'z' || !bare(byte(r)) }) < 0
	}
	_, pin, named := strings.Cut(line, "any.")
	_, version, pinned := strings.Cut(pin, " ==")
	return field && (!named || pinned && version != "") && !strings.ContainsAny(line, "[{")
}

// isMix tells whether a mapping of Elixir ends, and nothing follows it.
func isMix(content []byte) error {
	content = bytes.TrimSpace(content)
	rest, ok := bytes.CutPrefix(content, []byte("%"))
	if !ok || len(rest) == 0 || rest[0] != '{' || flowEnd(rest) != len(rest) {
		return lang.Malformed("not one mapping")
	}
	return nil
}
