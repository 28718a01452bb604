// Package secret finds credentials in files of any size as their bytes stream by, and in
// an image's configuration.
//
// One set of literals, the anchors of all rules, is looked for at once, each as it is,
// in UTF-16, in base 64 and with the escapes of URLs and JSON. Where one stands, the rule's
// expression is tried on a window around it. What matches must then pass the rule's checksum,
// the doubts that its context raises (placeholders, documentation, samples, what
// packages ship for their tests), and its entropy.
//
// What is packed is looked at as well: ZIP (jar, war), tar, gzip, zstd, bzip2 and xz, in each
// other, as internal/archive bounds it; there is one note on a file of which something was
// not looked at. Secrets alone are looked for so: check/malware judges files where they would
// run, and nothing runs in an archive.
//
// A value never leaves the process: a finding shows its first four and last two
// characters at most and nothing of a weak one, and has a hash of it only when guessing
// cannot find the value from the hash.
package secret

import (
	"encoding/binary"
	"hash/crc32"
	"io/fs"
	"slices"
	"sync"
	"time"

	"bulwark"
	"bulwark/check/secret/internal/rule"
	"bulwark/internal/match"
)

const (
	name   = "check/secret"
	family = "secret/"
	// codeVersion changes with the engine; rules are part of the version by themselves.
	codeVersion = 5
)

// Options of inspector and check.
type Options struct {
	// Rules are rules of the user beside the built-in ones, from LoadRules.
	Rules []*RuleSet
	// Personal: also data about people: payment cards, account numbers, lists of addresses.
	Personal bool
	// Now is the clock by which tokens have expired. It counts by its month: kept results
	// of a layer are good until that ends. Zero: none has.
	Now time.Time
}

// Inspector finds secrets in files.
type Inspector struct {
	version int
	engine  func() (*engine, error)
	sinks   sync.Pool
}

var _ bulwark.Inspector = (*Inspector)(nil)

// New returns the inspector. Rules are read and compiled when the first file is begun.
func New(o Options) *Inspector {
	return &Inspector{version: o.version(), engine: sync.OnceValues(func() (*engine, error) { return o.newEngine() })}
}

// Info describes the inspector. Its version covers the engine, every rule and the options.
func (i *Inspector) Info() bulwark.Info {
	return bulwark.Info{Name: name, Summary: "Credentials in files: keys, tokens, passwords.", Version: i.version, Past: true}
}

// Begin takes every file that has bytes.
func (i *Inspector) Begin(info *bulwark.FileInfo) bulwark.Sink {
	if info.Mode&fs.ModeType != 0 || info.Size == 0 {
		return nil
	}
	e, err := i.engine()
	if err != nil {
		return &failed{err}
	}
	s, _ := i.sinks.Get().(*sink)
	if s == nil {
		s = &sink{free: &i.sinks}
	}
	s.begin(e, info.Path, info.Size)
	return s
}

// Prefilter is the set of literals that every file is searched for, so that it can be measured by itself.
func (i *Inspector) Prefilter() (*match.Set, error) {
	e, err := i.engine()
	if err != nil {
		return nil, err
	}
	return e.common.set, nil
}

// failed is the sink of an inspector whose rules cannot be read.
type failed struct{ err error }

func (f *failed) Write(b []byte) (int, error)   { return len(b), bulwark.ErrSkip }
func (f *failed) Close() (bulwark.Facts, error) { return bulwark.Facts{}, f.err }

// month is the clock that tokens are judged by.
func (o Options) month() time.Time {
	if o.Now.IsZero() {
		return o.Now
	}
	y, m, _ := o.Now.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// version names the engine, the rules and the options.
func (o Options) version() int {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	write := func(b []byte) { h.Write(b); h.Write([]byte{0}) }
	write(binary.LittleEndian.AppendUint32(nil, builtinSum()))
	write([]byte(publicKeys))
	for _, set := range o.Rules {
		write(set.sum[:])
	}
	if o.Personal {
		write([]byte("personal"))
	}
	write([]byte(o.month().Format(time.DateOnly)))
	return codeVersion<<32 | int(h.Sum32())
}

// builtinSum names the built-in rules.
var builtinSum = sync.OnceValue(func() uint32 {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	eachBuiltin(func(_ string, data []byte) { h.Write(data) })
	return h.Sum32()
})

// newEngine reads the rules and builds the engine.
func (o Options) newEngine() (*engine, error) {
	use, err := o.chosen()
	if err != nil {
		return nil, err
	}
	return build(use, o.month()), nil
}

// chosen are the rules that are asked for.
func (o Options) chosen() ([]*rule.Rule, error) {
	list, err := loaded(rule.LoadLater)
	if err != nil {
		return nil, err
	}
	for _, set := range o.Rules {
		list = set.file.Apply(list)
	}
	return slices.DeleteFunc(slices.Clone(list), func(r *rule.Rule) bool { return r.Personal && !o.Personal }), nil
}
