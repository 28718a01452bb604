package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bulwark"
	"bulwark/internal/patch"
	"bulwark/kube"
	"bulwark/source/image"
)

var errChanged = errors.New("it was changed while it was looked at")

// mender makes changes in a copy of a folder's files.
type mender struct {
	named string   // the folder that the user named, or that of the file
	file  string   // the one file that is to be changed; "" for all
	root  *os.Root // of named
	copy  string   // the folder of the copy; "" before there is one
	keep  func(*bulwark.Finding) bool
	texts map[string]*patch.Text
	times map[string]int    // how often a finding had its patch made
	found []bulwark.Finding // what is there in the end
	left  []error           // patches that could not be made
}

func newMender(ref string) (*mender, error) {
	m := &mender{named: strings.TrimPrefix(strings.TrimPrefix(ref, "dir:"), "k8s:"), texts: map[string]*patch.Text{}, times: map[string]int{}}
	st, err := os.Stat(m.named)
	if err == nil && st.Mode().IsRegular() {
		if image.IsArchive(m.named) {
			return nil, fmt.Errorf("an image is made anew from what it was built of: %w", bulwark.ErrUnsupported)
		}
		if m.named, err = filepath.EvalSymlinks(m.named); err != nil {
			return nil, err // of a link the file is changed that it leads to
		}
		m.named, m.file = filepath.Split(m.named)
		m.named = filepath.Clean(m.named)
	}
	if m.root, err = os.OpenRoot(m.named); err != nil {
		return nil, err
	}
	if m.file != "" {
		return m, m.copyAll() // the others are none of its matter
	}
	return m, nil
}

func (m *mender) close() {
	m.root.Close()
	if m.copy != "" {
		os.RemoveAll(m.copy)
	}
}

func (m *mender) folder() string {
	if m.copy != "" {
		return m.copy
	}
	return m.named
}

// round makes what patches there are that do not stand in each other's way. done is true when
// there are none.
func (m *mender) round() (done bool, err error) {
	var patches []bulwark.Patch
	m.left = nil
	for i := range m.found {
		f := &m.found[i]
		switch {
		case f.Fix == nil || f.Fix.Patch == nil || f.Fix.Patch.Format != "unified-diff":
		case m.times[f.Key+f.Fix.Patch.Text] > 0 || m.times[f.Key] >= 5:
			m.left = append(m.left, fmt.Errorf("%s: the patch for %s was made and did not mend it: %w", f.Fix.Patch.File, f.Rule, bulwark.ErrUnsupported))
		default:
			patches = append(patches, *f.Fix.Patch)
		}
	}
	files, left := patch.Join(patches)
	changed := false
	for i := range files {
		err := m.apply(&files[i])
		if err != nil {
			left = append(left, err)
		}
		changed = changed || err == nil
	}
	if !changed {
		m.left = append(m.left, left...)
		return true, nil
	}
	m.count(files)
	return false, nil
}

// count remembers which findings had their patch made in files, as far as that is known: one
// that waits for others is tried again with another text.
func (m *mender) count(files []patch.File) {
	for i := range m.found {
		f := &m.found[i]
		if f.Fix == nil || f.Fix.Patch == nil {
			continue
		}
		for k := range files {
			if files[k].Name == f.Fix.Patch.File && files[k].Has(f.Fix.Patch) {
				m.times[f.Key]++
				m.times[f.Key+f.Fix.Patch.Text]++
			}
		}
	}
}

// apply changes a file of the copy. What is YAML before has to be YAML behind.
func (m *mender) apply(f *patch.File) error {
	if m.copy == "" {
		if err := m.copyAll(); err != nil {
			return err
		}
	}
	t := m.texts[f.Name]
	if t == nil {
		data, err := m.content(f.Name)
		if err != nil {
			return err
		}
		t = patch.NewText(f.Name, data)
	}
	before := t.Bytes()
	next := patch.NewText(f.Name, before)
	if err := next.Apply(f); err != nil {
		return err
	}
	if isYAML(f.Name) && !reads(before, next.Bytes()) {
		return fmt.Errorf("%s: with all patches made it could not be read any more: %w", f.Name, bulwark.ErrUnsupported)
	}
	if err := t.Apply(f); err != nil {
		return err
	}
	m.texts[f.Name] = t
	copied, err := os.OpenRoot(m.copy)
	if err != nil {
		return err
	}
	defer copied.Close()
	return copied.WriteFile(local(f.Name), t.Bytes(), 0o600)
}

func isYAML(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// reads tells whether a file has as many documents after a change as before, and no more that
// cannot be read.
func reads(before, after []byte) bool {
	sound := func(data []byte) (all, good int) {
		for _, d := range kube.ParseYAML(data) {
			all++
			if d.Err == nil {
				good++
			}
		}
		return all, good
	}
	all, good := sound(before)
	allAfter, goodAfter := sound(after)
	return all <= allAfter && allAfter-goodAfter == all-good // a document may be added
}
