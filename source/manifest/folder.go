package manifest

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"bulwark"
	"bulwark/internal/glob"
	"bulwark/internal/limit"
)

// found is what a folder holds, by what is to be done with it.
type found struct {
	files      []string        // that may be manifests
	charts     []string        // folders of charts that are part of no other
	overlays   []string        // files named kustomization.yaml, of whatever spelling
	chartFiles map[string]bool // folders of charts, subcharts too
}

// folder reads every manifest below root, which dir is; symbolic links are not followed.
func (r *reader) folder(ctx context.Context, root *os.Root, dir string) error {
	all, err := r.find(ctx, root)
	if err != nil {
		return err
	}
	v := r.bases(root, dir, all.overlays)
	defer v.close()
	var building sync.WaitGroup
	building.Go(func() { v.run(ctx) })
	defer building.Wait()
	for _, dir := range all.charts {
		if err := r.chartFolder(ctx, root, dir); err != nil {
			return err
		}
	}
	parts := v.parts()
	p, left := r.parser(ctx), int64(maxFiles)
	for _, file := range all.files {
		if _, part := parts[file]; !part && ctx.Err() == nil {
			r.raw(p, root, file, &left)
		}
	}
	building.Wait()
	for _, file := range all.files { // a resource of what could not be built is read as it stands
		if other, part := parts[file]; part && !other && v.left(file) && ctx.Err() == nil {
			r.raw(p, root, file, &left)
		}
	}
	for _, file := range v.outer() {
		if name := v.name(file); v.left(name) && ctx.Err() == nil {
			f, err := v.tree.OpenFile(file)
			r.opened(p, f, err, name, &left)
		}
	}
	p.wait()
	r.set.Objects = append(r.set.Objects, v.others(r.set.Objects)...)
	r.notes = append(r.notes, v.r.notes...)
	return ctx.Err()
}

// maxWhole is how large a file is that is read as a whole by whoever reads its documents;
// the documents of a larger one are divided among all.
const maxWhole = 1 << 20

// raw reads one file.
func (r *reader) raw(p *parser, root *os.Root, file string, left *int64) {
	f, err := limit.Open(root, file)
	r.opened(p, f, err, file, left)
}

// opened reads a file that was opened, and closes it.
func (r *reader) opened(p *parser, f *os.File, err error, file string, left *int64) {
	if err != nil {
		r.note(file, "%v", err)
		return
	}
	most := min(maxFile, *left)
	size := int64(maxFile)
	if st, err := f.Stat(); err == nil {
		size = st.Size()
	}
	*left -= min(size, *left)
	if size <= maxWhole {
		p.give(&job{file: file, in: f, most: most, kept: &r.kept})
		return
	}
	defer f.Close()
	p.stream(file, limit.Reader(f, most, file), false)
}

func (r *reader) find(ctx context.Context, root *os.Root) (*found, error) {
	all := &found{chartFiles: map[string]bool{}}
	err := fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		if e := ctx.Err(); e != nil {
			return e
		}
		switch {
		case err != nil:
			r.note(file, "%v", err)
		case file != "." && r.excluded(file), d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"), d.IsDir() && d.Name() == "templates" && all.chartFiles[path.Dir(file)]:
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() && strings.Count(file, "/") >= deepest:
			r.note(path.Dir(file), "folders below it are nested deeper than %d, and were not searched for manifests: %v", deepest, bulwark.ErrLimit)
			return fs.SkipDir
		case d.IsDir():
			all.chart(root, file)
		case !d.Type().IsRegular():
		case kustomization[d.Name()]:
			all.overlays = append(all.overlays, file)
		case isManifest(file) && !(all.chartFiles[path.Dir(file)] && d.Name() == "Chart.yaml"):
			all.files = append(all.files, file)
		}
		return nil
	})
	return all, err
}

// deepest is how deep folders are searched: each is opened by its whole path.
const deepest = 100

var kustomization = map[string]bool{"kustomization.yaml": true, "kustomization.yml": true, "Kustomization": true}

// chart takes a folder for a chart if it has a Chart.yaml.
func (f *found) chart(root *os.Root, dir string) {
	st, err := root.Lstat(filepath.FromSlash(path.Join(dir, "Chart.yaml")))
	if err != nil || !st.Mode().IsRegular() {
		return
	}
	f.chartFiles[dir] = true
	if up := path.Dir(dir); path.Base(up) != "charts" || !f.chartFiles[path.Dir(up)] {
		f.charts = append(f.charts, dir)
	}
}

func (r *reader) excluded(file string) bool {
	for _, g := range r.Exclude {
		if glob.Match(g, file) {
			return true
		}
	}
	return false
}
