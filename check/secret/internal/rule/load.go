package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"bulwark"
)

// Load reads one rule from YAML, its cases included. A field that is not known, a rule
// that can find nothing and an expression that does not compile are errors wrapping
// bulwark.ErrMalformed.
func Load(data []byte) (*Rule, error) {
	r, err := parse(data)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.valid(), r.Compile()); err != nil {
		return nil, err
	}
	return r, nil
}

// LoadTrusted reads a rule that a test has loaded before: it compiles nothing and
// leaves out the cases, which come last in the file.
func LoadTrusted(data []byte) (*Rule, error) {
	if i := bytes.Index(data, []byte("\ncases:")); i >= 0 {
		data = data[:i+1]
	}
	return parse(data)
}

func parse(data []byte) (*Rule, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	r := &Rule{}
	if err := d.Decode(r); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("secret rule: %w: %w", bulwark.ErrMalformed, err)
	}
	return r, nil
}

// valid says what is wrong with a rule, expressions aside.
func (r *Rule) valid() error {
	malformed := func(what string) error {
		return fmt.Errorf("secret rule %.64q: %s: %w", r.ID, what, bulwark.ErrMalformed)
	}
	before, after := r.Span()
	switch {
	case r.ID == "" || r.Title == "":
		return malformed("no id or no title")
	case r.Severity == bulwark.SeverityUnknown:
		return malformed("no severity")
	case len(r.Anchors) == 0 && (r.Pattern != "" || r.Path == ""):
		return malformed("no anchors")
	case len(r.Anchors) > 0 && r.Pattern == "":
		return malformed("no pattern")
	case slices.Contains(r.Anchors, ""):
		return malformed("an empty anchor")
	case r.Check != "" && Checks[r.Check] == nil:
		return malformed("no check is called " + r.Check)
	case before < 0 || before > MaxBefore || after < 0 || after > MaxAfter:
		return malformed("window out of bounds")
	}
	return nil
}

// Valid says what is wrong with a rule that was not made by Load; nil when nothing is.
func (r *Rule) Valid() error { return errors.Join(r.valid(), r.Compile()) }
