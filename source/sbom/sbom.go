// Package sbom reads a software bill of materials as a target: CycloneDX in JSON and
// XML, SPDX 2 and 3 in JSON. It understands how Syft, Trivy and bulwark itself tell
// what the formats have no field for.
package sbom

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bulwark"
	"bulwark/internal/limit"
)

// What a document may cost.
const (
	maxDocument = 256 << 20 // bytes
	maxElement  = 16 << 20  // bytes of one component or package, with all that is nested in it
	maxPackages = 100_000
)

// Source opens documents.
type Source struct {
	Stdin io.Reader // read for "-"; nil: os.Stdin
}

var _ bulwark.Source = (*Source)(nil)

// New returns a source that reads standard input for "-".
func New() *Source { return &Source{} }

// Open reads the document in the file ref. Its target has an inventory and no layers.
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	if ref == "-" {
		if s.Stdin == nil {
			return Read(ctx, os.Stdin, "standard input")
		}
		return Read(ctx, s.Stdin, "standard input")
	}
	f, err := os.Open(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening SBOM %s: %w", ref, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("opening SBOM: %w", err)
	}
	defer f.Close() // read only
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening SBOM: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("opening SBOM %s: it is a folder: %w", ref, bulwark.ErrUnsupported)
	}
	if info.Size() > maxDocument {
		return nil, fmt.Errorf("SBOM %s has %d bytes, more than the %d that one may have: %w", ref, info.Size(), maxDocument, bulwark.ErrLimit)
	}
	return Read(ctx, f, ref)
}

// Read reads a document of at most 256 MB that a person calls name. The error wraps
// [bulwark.ErrMalformed], [bulwark.ErrLimit] or [bulwark.ErrUnsupported].
func Read(ctx context.Context, r io.Reader, name string) (*bulwark.Target, error) {
	d := newDocument()
	br := bufio.NewReaderSize(&reader{ctx: ctx, r: limit.Reader(r, maxDocument, "the SBOM")}, 64<<10)
	if err := d.read(br); err != nil {
		return nil, fmt.Errorf("reading SBOM %s: %w", name, classify(err))
	}
	d.addSubject()
	return d.target(name), nil
}

// reader ends when the context does.
type reader struct {
	ctx context.Context // of the one call that made it
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// classify makes an error of a decoder one of ours.
func classify(err error) error {
	for _, ours := range []error{bulwark.ErrLimit, bulwark.ErrMalformed, bulwark.ErrUnsupported, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ours) {
			return err
		}
	}
	var (
		syntax *json.SyntaxError
		typ    *json.UnmarshalTypeError
		xmlErr *xml.SyntaxError
		path   *fs.PathError
	)
	if errors.As(err, &path) && !errors.As(err, &syntax) && !errors.As(err, &typ) && !errors.As(err, &xmlErr) {
		return err
	}
	return fmt.Errorf("%w: %w", bulwark.ErrMalformed, err)
}

func (d *document) read(br *bufio.Reader) error {
	head, err := br.Peek(4 << 10)
	if err != nil && err != io.EOF && len(head) == 0 {
		return err
	}
	if bom := []byte("\xef\xbb\xbf"); bytes.HasPrefix(head, bom) {
		if _, err := br.Discard(len(bom)); err != nil {
			return err
		}
		head = head[len(bom):]
	}
	switch start := bytes.TrimLeft(head, " \t\r\n"); {
	case bytes.HasPrefix(start, []byte("{")):
		return d.json(br)
	case bytes.HasPrefix(start, []byte("<")):
		return d.xml(br)
	case bytes.HasPrefix(start, []byte("SPDXVersion:")):
		return fmt.Errorf("SPDX as tags and values; give it as JSON: %w", bulwark.ErrUnsupported)
	}
	return fmt.Errorf("it is neither JSON nor XML: %w", bulwark.ErrMalformed)
}

// IsSBOM tells whether a document that begins with head, of 4 KB or so, looks like one
// that this package is meant for.
func IsSBOM(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	has := func(s string) bool { return bytes.Contains(head, []byte(s)) }
	switch {
	case bytes.HasPrefix(head, []byte("{")):
		return has(`"bomFormat"`) || has("cyclonedx.org/schema/bom") || has(`"spdxVersion"`) || has(`"SPDXID"`) || has("spdx.org/rdf/3")
	case bytes.HasPrefix(head, []byte("<")):
		return has("cyclonedx.org/schema/bom/")
	}
	return bytes.HasPrefix(head, []byte("SPDXVersion:"))
}

// target is what was read, ready to be looked at.
func (d *document) target(name string) *bulwark.Target {
	short := name
	if short != "standard input" {
		short = filepath.ToSlash(name)
	}
	t := &bulwark.Target{
		Asset:     bulwark.Asset{ID: bulwark.AssetID("file:" + short), Kind: "sbom", Name: name},
		Inventory: d.inventory(),
	}
	if d.describes != "" {
		t.Asset.Labels = map[string]string{"describes": strings.ToValidUTF8(d.describes, "")}
	}
	t.Notes = d.notes()
	return t
}
