package manifest

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
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
	at := &chain{root: root}
	defer at.close()
	p, left := r.parser(ctx), int64(maxFiles)
	for _, file := range all.files {
		if _, part := parts[file]; !part && ctx.Err() == nil {
			r.raw(p, at, file, &left)
		}
	}
	building.Wait()
	for _, file := range all.files { // a resource of what could not be built is read as it stands
		if other, part := parts[file]; part && !other && v.left(file) && ctx.Err() == nil {
			r.raw(p, at, file, &left)
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
const maxWhole = 2 << 20

// raw reads one file.
func (r *reader) raw(p *parser, at *chain, file string, left *int64) {
	var f *os.File
	root, err := at.in(path.Dir(file))
	if err == nil {
		f, err = limit.Open(root, path.Base(file))
	}
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
		p.give(&job{file: file, in: f, size: size, most: most, kept: &r.kept})
		return
	}
	defer f.Close()
	p.stream(file, limit.Reader(f, most, file), false)
}

func (r *reader) find(ctx context.Context, root *os.Root) (*found, error) {
	all := &found{chartFiles: map[string]bool{}}
	at := &chain{root: root}
	defer at.close()
	return all, r.findIn(ctx, at, ".", all)
}

// findIn looks through one folder, and those in it.
func (r *reader) findIn(ctx context.Context, at *chain, dir string, all *found) error {
	entries, err := at.list(dir)
	if err != nil {
		r.note(dir, "%v", err)
	}
	if slices.ContainsFunc(entries, func(d fs.DirEntry) bool { return d.Name() == "Chart.yaml" && d.Type().IsRegular() }) {
		all.chart(dir)
	}
	for _, d := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := path.Join(dir, d.Name())
		switch {
		case r.excluded(file), d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"), d.IsDir() && d.Name() == "templates" && all.chartFiles[dir]:
		case d.IsDir() && strings.Count(file, "/") >= deepest:
			r.note(dir, "folders below it are nested deeper than %d, and were not searched for manifests: %v", deepest, bulwark.ErrLimit)
		case d.IsDir():
			if err := r.findIn(ctx, at, file, all); err != nil {
				return err
			}
		case !d.Type().IsRegular():
		case kustomization[d.Name()]:
			all.overlays = append(all.overlays, file)
		case isManifest(file) && !(all.chartFiles[dir] && d.Name() == "Chart.yaml"):
			all.files = append(all.files, file)
		}
	}
	return nil
}

// deepest is how deep folders are searched.
const deepest = 100

var kustomization = map[string]bool{"kustomization.yaml": true, "kustomization.yml": true, "Kustomization": true}

// chart takes a folder for a chart, since it has a Chart.yaml.
func (f *found) chart(dir string) {
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
