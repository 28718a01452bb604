package oci

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/source/image/internal/digest"
	"bulwark/source/image/internal/layer"
)

// Store is where manifests and blobs lie. What it gives is checked here.
type Store interface {
	// Manifest reads an index or a manifest, at most MaxManifest bytes of it.
	Manifest(ctx context.Context, d Descriptor) ([]byte, error)
	// Config reads a configuration, at most MaxConfig bytes of it.
	Config(ctx context.Context, d Descriptor) ([]byte, error)
	// Layer says how the stored bytes of a layer are read. It need not set Name, Digest,
	// DiffID and Size.
	Layer(d Descriptor) layer.Blob
}

// Partial is a [Store] that may lack manifests which its indexes list: engines and skopeo
// write the platforms that they have.
type Partial interface {
	Store
	Has(d Descriptor) bool // its manifest
}

// Image is an image that was found.
type Image struct {
	Ref                         string // as it was given
	Tag                         string // what an archive or layout calls its only image; empty where nothing does
	ManifestDigest, IndexDigest string // empty where there is none
	Annotations                 map[string]string
	Config                      []byte
	Layers                      []Stored // lowest first
}

// Stored is a layer as it is stored. See [bulwark.Layer] for Identity.
type Stored struct {
	Blob     layer.Blob
	Identity string
}

const (
	maxDepth       = 4    // of indexes in indexes
	maxDescriptors = 2000 // in all indexes together
)

// Resolve finds the one image among roots that runs on the platform.
func Resolve(ctx context.Context, s Store, roots []Descriptor, p Platform) (*Image, error) {
	r := resolver{store: s, wanted: p}
	if err := r.expand(ctx, roots, "", 0); err != nil {
		return nil, err
	}
	r.present()
	c, err := r.choose(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.load(ctx, s); err != nil {
		return nil, err
	}
	m := &Image{
		ManifestDigest: c.desc.Digest, IndexDigest: c.index, Config: c.raw,
		Annotations: c.doc.Annotations,
	}
	for _, l := range c.doc.Layers {
		if err := digest.Check(l.Digest); err != nil {
			return nil, fmt.Errorf("layer: %w", err)
		}
		if l.Size < 0 {
			return nil, fmt.Errorf("layer %s of %d bytes: %w", l.Digest, l.Size, bulwark.ErrMalformed)
		}
		b := s.Layer(l)
		b.Digest, b.Size = l.Digest, l.Size
		if l.isForeign() {
			b.Open = foreign(b.Open)
		}
		m.Layers = append(m.Layers, Stored{b, l.Digest})
	}
	return m, nil
}

type resolver struct {
	store  Store
	wanted Platform
	seen   int
	found  []*candidate
}

// candidate is a manifest that may be the one. doc and raw are set once it is loaded.
type candidate struct {
	desc  Descriptor
	index string // digest of the outermost index that led here
	doc   *document
	raw   []byte // the configuration
}

// expand collects the manifests that descriptors lead to.
func (r *resolver) expand(ctx context.Context, list []Descriptor, index string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("image indexes nested more than %d deep: %w", maxDepth, bulwark.ErrLimit)
	}
	if r.seen += len(list); r.seen > maxDescriptors {
		return fmt.Errorf("more than %d manifests: %w", maxDescriptors, bulwark.ErrLimit)
	}
	for _, d := range list {
		if err := r.add(ctx, d, index, depth); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) add(ctx context.Context, d Descriptor, index string, depth int) error {
	if d.isAttestation() {
		return nil
	}
	if !d.isIndex() && (depth > 0 || d.MediaType != "") {
		r.found = append(r.found, &candidate{desc: d, index: index})
		return nil
	}
	doc, err := manifest(ctx, r.store, d)
	if err != nil {
		return err
	}
	if !doc.isIndex() {
		r.found = append(r.found, &candidate{desc: d, index: index, doc: doc})
		return nil
	}
	if index == "" {
		index = d.Digest
	}
	return r.expand(ctx, doc.Manifests, index, depth+1)
}

// present forgets manifests that the store lacks, unless it lacks all of them: then the
// error tells which.
func (r *resolver) present() {
	s, ok := r.store.(Partial)
	if !ok {
		return
	}
	here := slices.DeleteFunc(slices.Clone(r.found), func(c *candidate) bool {
		return digest.Check(c.desc.Digest) == nil && !s.Has(c.desc)
	})
	if len(here) > 0 {
		r.found = here
	}
}

// manifest reads a document and checks it against its descriptor.
func manifest(ctx context.Context, s Store, d Descriptor) (*document, error) {
	what := "manifest " + d.Digest
	b, err := verified(ctx, s.Manifest, d, MaxManifest, what)
	if err != nil {
		return nil, err
	}
	return parseDocument(b, what)
}

func verified(ctx context.Context, get func(context.Context, Descriptor) ([]byte, error), d Descriptor, most int64, what string) ([]byte, error) {
	if err := digest.Check(d.Digest); err != nil {
		return nil, fmt.Errorf("%.100q: %w", what, err)
	}
	if d.Size > most {
		return nil, fmt.Errorf("%s is larger than %d bytes: %w", what, most, bulwark.ErrLimit)
	}
	b, err := get(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	// A reference by digest claims no size.
	if d.Size >= 0 && int64(len(b)) != d.Size {
		return nil, fmt.Errorf("%s has %d bytes instead of %d: %w", what, len(b), d.Size, bulwark.ErrUntrusted)
	}
	return b, digest.Bytes(b, d.Digest, what)
}

// load reads manifest and configuration of a candidate.
func (c *candidate) load(ctx context.Context, s Store) (err error) {
	if c.raw != nil {
		return nil
	}
	if c.doc == nil {
		if c.doc, err = manifest(ctx, s, c.desc); err != nil {
			return err
		}
	}
	if c.doc.isIndex() {
		return fmt.Errorf("manifest %s is an index: %w", c.desc.Digest, bulwark.ErrMalformed)
	}
	if err := c.doc.checkImage(); err != nil {
		return fmt.Errorf("manifest %s: %w", c.desc.Digest, err)
	}
	c.raw, err = verified(ctx, s.Config, *c.doc.Config, MaxConfig, "configuration "+c.doc.Config.Digest)
	return err
}

// platform of a candidate: its descriptor tells, else its configuration does.
func (c *candidate) platform(ctx context.Context, s Store) (Platform, error) {
	if p := c.desc.Platform; p != nil && p.Architecture != "" {
		return *p, nil
	}
	if err := c.load(ctx, s); err != nil {
		return Platform{}, err
	}
	var cfg config
	err := decode(c.raw, &cfg, "configuration")
	return cfg.Platform, err
}

func (r *resolver) choose(ctx context.Context) (*candidate, error) {
	open := r.wanted == Platform{}
	if open && len(r.found) == 1 {
		return r.found[0], nil
	}
	platforms := make([]Platform, len(r.found))
	for i, c := range r.found {
		var err error
		// What is no image has no platform either.
		if platforms[i], err = c.platform(ctx, r.store); err != nil && (len(r.found) == 1 || !errors.Is(err, bulwark.ErrUnsupported)) {
			return nil, err
		}
	}
	wanted := []Platform{r.wanted}
	if open {
		wanted = local
	}
	for _, w := range wanted {
		for i, p := range platforms {
			if p.runs(w) {
				return r.found[i], nil
			}
		}
	}
	return nil, r.missing(platforms)
}

func (r *resolver) missing(have []Platform) error {
	if len(have) == 0 {
		return fmt.Errorf("the index holds no image: %w", bulwark.ErrNotFound)
	}
	var names []string
	for _, p := range have {
		if n := fmt.Sprintf("%.60q", p.String()); !slices.Contains(names, n) && len(names) < 30 {
			names = append(names, n)
		}
	}
	return fmt.Errorf("no image for platform %s, there is %s (choose one with --platform): %w",
		wantedName(r.wanted), strings.Join(names, ", "), bulwark.ErrNotFound)
}

func wantedName(p Platform) string {
	if p == (Platform{}) {
		p = local[0]
	}
	return p.String()
}
