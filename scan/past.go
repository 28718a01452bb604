package scan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"bulwark"
)

// GitHistory is the tag of a secret that the target's past has. It has [Removed] as well when
// no file has it any more.
const GitHistory = "git-history"

// ofPast is the pass that reads the target's past: inspectors alone, and of these the ones
// that ask for it.
func (p *pass) ofPast() *pass {
	past := *p
	past.past, past.extractors, past.inspectors = true, nil, nil
	for _, in := range p.inspectors {
		if in.Info().Past {
			past.inspectors = append(past.inspectors, in)
		}
	}
	return &past
}

// startPast reads the target's past while its layers are read; what it gives waits for the
// end. There are no facts when the target has none.
func (p *pass) startPast(ctx context.Context) (wait func() (*facts, error)) {
	if p.t.Past == nil {
		return func() (*facts, error) { return nil, nil }
	}
	var f *facts
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err = p.ofPast().layer(ctx, p.t.Past)
	}()
	return func() (*facts, error) {
		<-done
		return f, err
	}
}

// version takes one version of a file from the past, and keeps of what is found in it the
// secrets that no earlier version of the same path had.
func (w *walker) version(e *bulwark.Entry) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	w.began = true
	if e.Err != nil {
		w.note("scan", e.Path, e.Err)
		return nil
	}
	w.prog.Read(e.Size)
	if !e.Mode.IsRegular() || w.excluded(e.Path) || !w.begin(&e.FileInfo) {
		return nil
	}
	found := fileFacts{}
	err := w.stream(&e.FileInfo, e.Body, &found)
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	w.note("scan", e.Path, err)
	found.Facts = bulwark.Facts{Findings: slices.DeleteFunc(found.Findings, func(f bulwark.Finding) bool { return f.Kind != bulwark.KindSecret || w.known(e.Path, &f) })}
	if len(found.Findings) == 0 {
		return nil
	}
	found.path = nameOfVersion(version{len(w.facts.files), e.Path, e.Commit, e.ModTime.Unix()})
	w.facts.files = append(w.facts.files, found)
	return w.share.spend(found.cost())
}

// known tells whether an earlier version of the file had the finding.
func (w *walker) known(path string, f *bulwark.Finding) bool {
	if w.earlier == nil {
		w.earlier = map[string]bool{}
	}
	id := f.Key + f.Path + "\x00" + path
	was := w.earlier[id]
	w.earlier[id] = true
	return was
}

// version says which version of a file facts are from.
type version struct {
	order  int // in which it was visited: the earliest first
	path   string
	commit string
	when   int64
}

// nameOfVersion tells it apart from all others of the layer. No path has a zero in it.
func nameOfVersion(v version) string {
	return fmt.Sprintf("%s\x00%d\x00%s\x00%d", v.path, v.order, v.commit, v.when)
}

func versionOf(name string) (v version, ok bool) {
	parts := strings.Split(name, "\x00")
	if len(parts) != 4 {
		return v, false
	}
	order, err := strconv.Atoi(parts[1])
	when, err2 := strconv.ParseInt(parts[3], 10, 64)
	return version{order, parts[0], parts[2], when}, err == nil && err2 == nil
}

// addPast adds the secrets of the target's past: a place to those that its files still have,
// and a finding for each of the others.
func (o *output) addPast(t *bulwark.Target, f *facts, err error) {
	if err != nil {
		o.addNotes(t.Asset.ID, bulwark.Note{Plugin: "scan", Path: "Git history", Text: err.Error(), Incomplete: true})
	}
	if f == nil {
		return
	}
	o.addNotes(t.Asset.ID, f.notes...)
	at := make(map[string]int, len(o.findings))
	for i := range o.findings {
		at[o.findings[i].Key] = i
	}
	for _, x := range inTime(f.files) {
		for _, found := range x.Findings {
			i, ok := at[found.Key]
			if !ok {
				i = len(o.findings)
				at[found.Key] = i
				o.findings = append(o.findings, gone(t, found, x.version))
			}
			addVersion(&o.findings[i], &found, x.version)
		}
	}
}

// dated is what was found in a version.
type dated struct {
	*fileFacts
	version
}

// inTime gives the files in the order in which they were visited.
func inTime(files []fileFacts) []dated {
	var list []dated
	for i := range files {
		if v, ok := versionOf(files[i].path); ok {
			list = append(list, dated{&files[i], v})
		}
	}
	slices.SortFunc(list, func(a, b dated) int { return cmp.Compare(a.order, b.order) })
	return list
}

// gone makes a finding of one that only the past has.
func gone(t *bulwark.Target, f bulwark.Finding, v version) bulwark.Finding {
	f.Asset, f.Path = t.Asset.ID, cmp.Or(f.Path, v.path)
	f.Subject = cmp.Or(f.Subject, f.Path)
	f.Tags = append(slices.Clip(f.Tags), Removed)
	f.Evidence = append(slices.Clip(f.Evidence), "no file of the folder has it; whoever can clone the repository can read it")
	if f.Fix != nil {
		fix := *f.Fix
		fix.Text = "revoke it where it was issued; taking it out of the history does not reach the clones that have it"
		f.Fix = &fix
	}
	return f
}

// addVersion adds where in the past the finding is.
func addVersion(f, found *bulwark.Finding, v version) {
	place := bulwark.Place{Path: cmp.Or(found.Path, v.path), Line: found.Line, Commit: v.commit}
	if !slices.Contains(f.Tags, GitHistory) {
		f.Tags = append(slices.Clip(f.Tags), GitHistory)
		f.Evidence = append(slices.Clip(f.Evidence), fmt.Sprintf("in the Git history since commit %.12s of %s, in %s", v.commit, time.Unix(v.when, 0).UTC().Format(time.DateOnly), place.Path))
	}
	if len(f.Places) > 0 {
		f.Count = max(f.Count, len(f.Places)) + 1
	}
	if len(f.Places) < mostPlaces {
		f.Places = append(f.Places, place)
	}
}
