package advisory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/advisory/internal/file"
)

// BuildOptions says what to build from. Each source is a folder, a file or a URL; empty:
// none. OSV holds <Ecosystem>/all.zip (the layout of OSV's bucket); plain .json
// files (a record, or a list of them), zips and folders of them are taken as well.
type BuildOptions struct {
	OSV, KEV, EPSS, EOL string
	Feeds               []string     // more records, as OSV; of addresses one file each
	Now                 time.Time    // the time of building; the same input and Now give the same bytes
	Progress            func(string) // told what was read; may be nil
	Warn                func(string) // told what was left out, and why; nil: Progress is
}

func (o *BuildOptions) warn(format string, args ...any) {
	if o.Warn == nil {
		o.say(format, args...)
		return
	}
	o.Warn(fmt.Sprintf(format, args...))
}

func (o *BuildOptions) say(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

// Build compiles a database and puts it at out in one step: a reader sees the old one
// or the new one. A record that cannot be read is skipped and counted; when none can be
// read, the error wraps [bulwark.ErrMalformed].
func Build(ctx context.Context, o BuildOptions, out string) error {
	if o.OSV == "" && o.KEV == "" && o.EPSS == "" && o.EOL == "" {
		return fmt.Errorf("building an advisory database from nothing: %w", bulwark.ErrNotFound)
	}
	fetched, err := fetchSources(ctx, &o, out)
	if err != nil {
		return err
	}
	defer os.RemoveAll(fetched)
	spill, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".tmp-spill-*")
	if err != nil {
		return fmt.Errorf("building %s: %w", out, err)
	}
	defer os.Remove(spill.Name())
	defer spill.Close()
	w, err := file.Create(out, formatVersion)
	if err != nil {
		return fmt.Errorf("building %s: %w", out, err)
	}
	defer w.Abort()
	b := builder{options: o, spill: spill, w: w}
	if err := b.run(ctx); err != nil {
		return fmt.Errorf("building %s: %w", out, err)
	}
	return nil
}

// builder holds what the steps of a build pass on.
type builder struct {
	options BuildOptions
	spill   *os.File
	w       *file.Writer

	refs       []ref    // records, sorted by id
	names      []string // of ecosystems, by the number that refs use
	sources    []bulwark.DataSource
	live       int
	cold       section
	dictionary section
	records    section
	vectors    section
	cves       table
	naming     section
	kev        table
	epss       section
	products   section
	purls      section
	ecosystems []ecosystem
	coldAt     []coldPlace
}

func (b *builder) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		b.readOSV, b.writeCold, b.writeRecords, b.writeEcosystems, b.writeKEV, b.writeEPSS, b.writeEOL,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.w.Commit(b.directory())
}

// directory encodes what readDirectory reads.
func (b *builder) directory() []byte {
	var e file.Encoder
	e.Int(b.options.Now.Unix())
	e.Uint(uint64(b.live))
	e.Uint(uint64(len(b.sources)))
	for _, s := range b.sources {
		e.String(s.Name)
		e.Uint(uint64(s.Records))
		e.Time(s.Newest)
	}
	put := func(s section) {
		e.Uint(uint64(s.n))
		e.Uint(s.offsets)
		e.Uint(s.start)
	}
	for _, s := range []section{b.records, b.vectors, b.cold, b.dictionary, b.naming, b.epss, b.products, b.purls} {
		put(s)
	}
	for _, t := range []table{b.cves, b.kev} {
		e.Uint(uint64(t.n))
		e.Uint(t.keys)
		e.Uint(t.values)
		e.Uint(uint64(t.width))
	}
	e.Uint(uint64(len(b.ecosystems)))
	for _, eco := range b.ecosystems {
		e.String(eco.name)
		put(eco.section)
	}
	return e.B
}

// lister writes a section item by item.
type lister struct {
	w       *file.Writer
	start   uint64
	offsets file.Encoder
	n       int
}

func (b *builder) list() *lister { return &lister{w: b.w, start: b.w.Offset()} }

func (l *lister) add(item []byte) {
	l.offsets.Uint32(uint32(l.w.Offset() - l.start))
	l.w.Write(item)
	l.n++
}

// end writes the offsets. A section is at most 4 GB long.
func (l *lister) end() (section, error) {
	if l.w.Offset()-l.start > 1<<32-1 {
		return section{}, fmt.Errorf("advisories need more than 4 GB: %w", bulwark.ErrLimit)
	}
	l.offsets.Uint32(uint32(l.w.Offset() - l.start))
	s := section{l.n, l.w.Offset(), l.start}
	l.w.Write(l.offsets.B)
	return s, nil
}

// table writes sorted keys and their values.
func (b *builder) table(rows []row, width int) table {
	t := table{n: len(rows), keys: b.w.Offset(), width: width}
	var e file.Encoder
	for _, r := range rows {
		e.Uint32(r.key)
	}
	b.w.Write(e.B)
	t.values = b.w.Offset()
	e.B = e.B[:0]
	for _, r := range rows {
		e.B = append(e.B, r.value[:width]...)
	}
	b.w.Write(e.B)
	return t
}

func (b *builder) source(name string, records int, newest time.Time) {
	b.sources = append(b.sources, bulwark.DataSource{Name: name, Records: records, Newest: newest})
	date := "no date"
	if !newest.IsZero() {
		date = newest.Format(time.DateOnly)
	}
	b.options.say("%s: %d records, newest %s", name, records, date)
}

// plausible tells whether a date may be taken for the age of data.
func (b *builder) plausible(t time.Time) bool {
	return t.Year() >= 1990 && t.Before(b.options.Now.Add(24*time.Hour))
}

// withSource opens a source that is a file or a folder that holds it.
func withSource(path string, patterns []string, read func(io.Reader) error) error {
	name, err := findSource(path, patterns)
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// The names that sources have in a folder; of several the last one counts.
var (
	kevNames  = []string{"kev.json", "known_exploited_vulnerabilities.json"}
	epssNames = []string{"epss_scores-*.csv.gz", "epss_scores-*.csv", "epss.csv.gz", "epss.csv"}
	eolNames  = []string{"eol.json"}
)

func findSource(path string, patterns []string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: %w", path, bulwark.ErrNotFound)
	}
	if err != nil || !info.IsDir() {
		return path, err
	}
	for _, p := range patterns {
		if found, _ := filepath.Glob(filepath.Join(globless.Replace(path), p)); len(found) > 0 {
			return slices.Max(found), nil
		}
	}
	return "", fmt.Errorf("%s in %s: %w", patterns[0], path, bulwark.ErrNotFound)
}

// globless quotes what a folder's own name must not mean to Glob.
var globless = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func (b *builder) writeKEV(context.Context) error {
	if b.options.KEV == "" {
		return nil
	}
	return withSource(b.options.KEV, kevNames, func(r io.Reader) error {
		rows, newest, err := parseKEV(r)
		if err != nil {
			return err
		}
		b.kev = b.table(rows, kevWidth)
		b.source("kev", len(rows), newest)
		return nil
	})
}

func (b *builder) writeEPSS(context.Context) error {
	if b.options.EPSS == "" {
		return nil
	}
	return withSource(b.options.EPSS, epssNames, func(r io.Reader) error {
		rows, newest, err := parseEPSS(r)
		if err != nil {
			return err
		}
		if b.epss, err = b.epssBlocks(rows); err != nil {
			return err
		}
		b.source("epss", len(rows), newest)
		return nil
	})
}

func (b *builder) writeEOL(context.Context) error {
	if b.options.EOL == "" {
		return nil
	}
	return withSource(b.options.EOL, eolNames, func(r io.Reader) error {
		data, err := parseEOL(r)
		if err != nil {
			return err
		}
		if err := b.writeProducts(data); err != nil {
			return err
		}
		if data.newest.IsZero() {
			for _, p := range data.products {
				for _, rel := range p.Releases {
					if t := rel.LatestReleased; t.After(data.newest) && b.plausible(t) {
						data.newest = t
					}
				}
			}
		}
		b.source("eol", data.releases, data.newest)
		return nil
	})
}

func (b *builder) writeProducts(data *eolData) (err error) {
	number := map[string]uint64{}
	l := b.list()
	for i := range data.products {
		number[data.products[i].Name] = uint64(i)
		l.add(encodeProduct(&data.products[i]))
	}
	if b.products, err = l.end(); err != nil {
		return err
	}
	purls := make([]string, 0, len(data.purls))
	for p := range data.purls {
		purls = append(purls, p)
	}
	slices.Sort(purls)
	l = b.list()
	for _, p := range purls {
		var e file.Encoder
		e.String(p)
		e.Uint(number[data.purls[p]])
		l.add(e.B)
	}
	b.purls, err = l.end()
	return err
}
