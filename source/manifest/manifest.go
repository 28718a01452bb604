// Package manifest reads the Kubernetes objects that files declare: YAML and JSON, Helm
// charts and Kustomize overlays, of one file or of a folder. Charts and overlays are built
// here, without a cluster, network or plugins, and within budgets.
package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/source/manifest/internal/chart"
	"bulwark/source/manifest/internal/encoding"
)

const (
	name     = "source/manifest"
	maxFile  = 256 << 20 // bytes of one file of manifests
	maxFiles = 1 << 30   // bytes of all of them
	maxSmall = 16 << 20  // bytes of a file that is held as a whole
)

// Options say how files become objects; the zero value takes them as they are.
type Options struct {
	Exclude []string // globs of paths not to read
	Charts  Charts
	Now     time.Time // what templates take for now
}

// Charts say how Helm charts are rendered; the zero value does it as helm does by default.
type Charts struct {
	Values      map[string]any // of the user, over those of the chart
	Kube        []string       // versions of Kubernetes; each is rendered for
	APIVersions []string       // served beside those of any cluster
	Release     string
	Namespace   string
}

// Values makes values of what a user gives: files, each over those before it, and settings
// in the notation of helm's --set and --set-string. The error wraps ErrMalformed.
func Values(files [][]byte, set, setString []string) (map[string]any, error) {
	return chart.UserValues(files, set, setString)
}

// CheckKube tells whether a text is a version of Kubernetes.
func CheckKube(version string) error {
	_, err := chart.ParseKube(version)
	return err
}

// Source opens files and folders of manifests, and packed charts.
type Source struct {
	Options
	Stdin io.Reader // what "-" reads
}

var _ bulwark.Source = (*Source)(nil)

// Open reads the objects of the file or folder.
func (s *Source) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	t := &bulwark.Target{Asset: bulwark.Asset{ID: bulwark.AssetID("file:" + ref), Kind: "manifest", Name: ref}}
	if ref == "-" {
		r := newReader(&s.Options)
		r.set.Read = func(file string) ([]byte, error) { return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound) }
		return t, r.only(ctx, t, "-", s.Stdin)
	}
	st, err := os.Stat(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", ref, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		t.Asset.ID = bulwark.AssetID("dir:" + ref)
		return t, Add(ctx, t, ref, s.Options)
	}
	f, err := os.Open(ref)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := newReader(&s.Options)
	file := filepath.ToSlash(ref)
	r.set.Read = func(asked string) ([]byte, error) {
		if asked != file {
			return nil, fmt.Errorf("%s: %w", asked, bulwark.ErrNotFound)
		}
		return again(filepath.Dir(ref), filepath.Base(ref))
	}
	if packed(f) {
		return t, r.packedChart(ctx, t, file, f)
	}
	return t, r.only(ctx, t, file, f)
}

// only reads one stream, which was asked for by name.
func (r *reader) only(ctx context.Context, t *bulwark.Target, file string, in io.Reader) error {
	p := r.parser(ctx)
	p.stream(file, limit.Reader(in, maxFile, file), true)
	p.wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.hand(t)
}

// Folder opens folders as another source does, with the objects that their files declare.
type Folder struct {
	Options
	Folder bulwark.Source
}

var _ bulwark.Source = (*Folder)(nil)

// Open opens the folder, and reads its manifests.
func (s *Folder) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	t, err := s.Folder.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := Add(ctx, t, ref, s.Options); err != nil {
		if t.Close != nil {
			t.Close()
		}
		return nil, err
	}
	return t, nil
}

// Add gives a target the objects that files below a folder declare.
func Add(ctx context.Context, t *bulwark.Target, dir string, o Options) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	r := newReader(&o)
	r.set.Read = func(file string) ([]byte, error) {
		if strings.HasPrefix(file, "../") {
			return nil, fmt.Errorf("%s lies outside the folder: %w", file, bulwark.ErrNotFound)
		}
		return r.kept.read(file, func() ([]byte, error) { return again(dir, file) })
	}
	if err := r.folder(ctx, root, dir); err != nil {
		return err
	}
	return r.hand(t)
}

// reader gathers objects.
type reader struct {
	*Options
	set    *kube.Set
	notes  []bulwark.Note
	charts map[*kube.Object]*rendering
	kept   kept
	budget *chart.Budget // of all charts
}

func newReader(o *Options) *reader {
	return &reader{Options: o, set: &kube.Set{}, charts: map[*kube.Object]*rendering{}, kept: kept{texts: map[string][]byte{}, left: mostKept}, budget: chart.NewBudget()}
}

// hand gives the target what was read.
func (r *reader) hand(t *bulwark.Target) error {
	if r.set.Len() > 0 || len(r.set.Broken) > 0 {
		t.Objects = r.set
		if t.Asset.Labels == nil {
			t.Asset.Labels = map[string]string{}
		}
		t.Asset.Labels["objects"] = r.set.Size()
	}
	if len(r.charts) > 0 {
		r.set.Render = r.render
	}
	t.Notes = append(t.Notes, r.notes...)
	return nil
}

// note tells of something that was not looked at.
func (r *reader) note(file, format string, args ...any) {
	r.tell(bulwark.Note{Path: file, Text: fmt.Sprintf(format, args...), Incomplete: true})
}

func (r *reader) tell(n bulwark.Note) {
	n.Plugin = name
	r.notes = append(r.notes, n)
}

func readAt(root *os.Root, file string, most int64) ([]byte, error) {
	f, err := limit.Open(root, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, most, file)
}

// again reads a file of a folder that has been read.
func again(dir, file string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return readAt(root, file, maxFile)
}

func isManifest(file string) bool {
	switch path.Ext(file) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// IsManifest tells whether the start of a file looks like that of a manifest.
func IsManifest(head []byte) bool {
	text, _ := encoding.Bytes(head)
	return declares(text)
}

// IsChart tells whether the start of a file, unpacked if it was packed, looks like that of
// a packed chart.
func IsChart(file string) bool {
	if !strings.HasSuffix(file, ".tgz") && !strings.HasSuffix(file, ".tar.gz") {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	return packed(f) && chart.IsPacked(f)
}
