package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/relate/image"
	"bulwark/scan"
	source "bulwark/source/image"
)

// imageFlags add what joins images.
func (p *attack) imageFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&p.reports, "image-report", nil, "saved `REPORT` (json) of a scan of images that run here: their flaws are ways in (repeatable)")
	f.BoolVar(&p.cluster.images, "images", false, "scan the images that workloads run, each once")
	f.StringArrayVar(&p.sarif, "sarif", nil, "`FILE[=WORKLOAD|IMAGE]` of another tool about the code of what runs here (repeatable)")
}

// imageFindings is what is known of images and code, by what it is about.
type imageFindings struct {
	relater *image.Relater
	byName  map[string][]bulwark.Finding // a reference or digest, as namesOfImage has it
	about   []told
	given   []given
}

// given is an image that a report was given of.
type given struct {
	report, image string
	names         map[string]bool
}

// told are findings that another tool told of a workload or an image.
type told struct {
	file     string
	about    string
	findings []bulwark.Finding
	met      bool // a container that it is about
}

// joined reads the reports about images and code.
func (p *attack) joined() (*imageFindings, error) {
	j := &imageFindings{relater: image.New(), byName: map[string][]bulwark.Finding{}}
	for _, name := range p.reports {
		r, err := readReport(name)
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--image-report: %w", err)}
		}
		for _, im := range j.add(r) {
			im.report = name
			j.given = append(j.given, im)
		}
	}
	for _, arg := range p.sarif {
		file, about, _ := strings.Cut(arg, "=")
		findings, err := readSARIF(file)
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--sarif: %w", err)}
		}
		j.about = append(j.about, told{file: file, about: about, findings: findings})
	}
	return j, nil
}

// add files a report's findings by all names of the images that they are about, which it gives.
func (j *imageFindings) add(r *bulwark.Report) (images []given) {
	by := map[bulwark.AssetID][]bulwark.Finding{}
	for _, f := range r.Findings {
		if f.Kind == bulwark.KindVulnerability || f.Kind == bulwark.KindSecret {
			by[f.Asset] = append(by[f.Asset], f)
		}
	}
	for i := range r.Assets {
		a := &r.Assets[i]
		names := map[string]bool{}
		if len(by[a.ID]) == 0 {
			continue
		}
		said := []string{strings.TrimPrefix(string(a.ID), "image:"), a.Name}
		for key, value := range a.Labels {
			if key != "workloads" {
				said = append(said, strings.Fields(value)...)
			}
		}
		for _, s := range said {
			for _, one := range namesOfImage(s) {
				names[one] = true
			}
		}
		for n := range names {
			j.byName[n] = append(j.byName[n], by[a.ID]...)
		}
		images = append(images, given{image: a.Name, names: names})
	}
	return images
}

// namesOfImage are what an image is found by: its whole reference, and its digest.
func namesOfImage(text string) (list []string) {
	if text == "" {
		return nil
	}
	if strings.HasPrefix(text, "sha256:") {
		return []string{text}
	}
	r, err := source.ParseReference(text)
	if err != nil {
		return []string{text}
	}
	list = append(list, r.String())
	if _, digest, ok := strings.Cut(text, "@"); ok {
		list = append(list, digest)
	}
	return list
}

// join relates what is known, with the findings that a look at the images gave, and says what is
// about nothing that runs.
func (j *imageFindings) join(g image.Graph, seen *bulwark.Report) (strangers []bulwark.Note) {
	j.add(seen)
	run := map[string]bool{}
	j.relater.Join(g, func(c image.Container) (list []bulwark.Finding) {
		for _, n := range namesOfImage(c.Image) {
			run[n] = true
			list = append(list, j.byName[n]...)
		}
		for i := range j.about {
			t := &j.about[i]
			if t.about == "" || wild(t.about, c.ID) || wild(t.about, c.Image) || strings.HasSuffix(c.ID, "/"+t.about) {
				of := t.matching(c)
				t.met = t.met || len(of) > 0
				list = append(list, of...)
			}
		}
		return list
	})
	strangers = j.strangers(run)
	seen.Notes = append(seen.Notes, strangers...)
	for i := range j.about {
		seen.Findings = append(seen.Findings, j.about[i].findings...)
	}
	known := map[bulwark.AssetID]bool{}
	for i := range seen.Assets {
		known[seen.Assets[i].ID] = true
	}
	for _, list := range j.byName {
		for _, f := range list {
			if !known[f.Asset] {
				seen.Findings = append(seen.Findings, f)
			}
		}
	}
	seen.Findings = once(seen.Findings)
	return strangers
}

// strangers says which of what was given is about nothing that runs, by the names of what does.
func (j *imageFindings) strangers(run map[string]bool) (notes []bulwark.Note) {
	for _, im := range j.given {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(im.names)), func(n string) bool { return run[n] }) {
			notes = append(notes, bulwark.Note{Plugin: "relate/image", Path: im.report, Text: fmt.Sprintf("no workload runs the image %.200s: what was found in it is on no path (images are told by reference or digest)", im.image)})
		}
	}
	for _, t := range j.about {
		if !t.met && len(t.findings) > 0 {
			notes = append(notes, bulwark.Note{Plugin: "relate/image", Path: t.file, Text: "its results name no workload or image that runs here, and are on no path (FILE=WORKLOAD or FILE=IMAGE says what they are about)"})
		}
	}
	return notes
}

// once drops findings that are there twice, since an image has several names.
func once(list []bulwark.Finding) []bulwark.Finding {
	seen := map[string]bool{}
	kept := list[:0]
	for _, f := range list {
		if key := bulwark.RemedyOf(&f); !seen[key] {
			seen[key] = true
			kept = append(kept, f)
		}
	}
	return kept
}

// matching are all findings where it was said what they are about, else those that name the
// container's image or workload themselves.
func (t *told) matching(c image.Container) (list []bulwark.Finding) {
	for _, f := range t.findings {
		if t.about != "" || strings.Contains(f.Path+" "+f.Subject, c.ID) || c.Image != "" && strings.Contains(f.Path+" "+f.Subject, c.Image) {
			list = append(list, f)
		}
	}
	return list
}

// lookAtImages scans the images that workloads run. One that cannot be had is a note.
func (p *attack) lookAtImages(ctx context.Context, s *scan.Scanner, j *imageFindings, seen *bulwark.Report) error {
	var jobs []scan.Job
	known := map[string]bool{}
	for _, im := range j.relater.Images {
		if !known[im.Ref] {
			known[im.Ref] = true
			jobs = append(jobs, p.imageJob("", im))
		}
	}
	s.Relaters, s.Relations = nil, nil
	var found bulwark.Report
	if len(jobs) == 0 {
		return nil
	}
	if p.interactive() && !p.quiet {
		line := p.watch()
		defer line.close()
		s.Progress = line
	}
	if _, err := s.Scan(ctx, jobs, &found); err != nil {
		return err
	}
	seen.Assets, seen.Notes = append(seen.Assets, found.Assets...), append(seen.Notes, found.Notes...)
	seen.Findings = append(seen.Findings, found.Findings...)
	return nil
}
