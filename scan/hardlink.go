package scan

import (
	"io/fs"

	"bulwark"
)

// hard takes a hard link: the bytes of another entry under a further path. What was
// found in those bytes holds here too; a plugin that wants this path and would not have
// wanted the other (package managers link package.json out of a store) gets them in a
// second walk over the layer.
func (w *walker) hard(e *bulwark.Entry) error {
	if w.excluded(e.Path) {
		return nil
	}
	info := e.FileInfo
	known, ok := w.seen[e.Link]
	info.Size = guessedSize
	if ok {
		info.Size = known.size
	}
	old := info
	if old.SetPath(e.Link); w.excluded(e.Link) {
		old = bulwark.FileInfo{} // nothing follows from that nobody was given it
	}
	switch {
	case w.wanted(&info, &old):
		if w.pending == nil {
			w.pending = map[string][]bulwark.FileInfo{}
		}
		w.pending[e.Link] = append(w.pending[e.Link], info)
		return w.share.spend(2*costOfPath + len(e.Path) + len(e.Link))
	case ok && known.file != 0:
		found := w.recall(known).at(e.Path)
		if w.wanted(&old, &info) {
			found = found.bytesAlone()
		}
		return w.keep(&info, found)
	case !ok && w.wanted(&info, &bulwark.FileInfo{}): // the bytes may be a lower layer's
		w.facts.hard[e.Path] = e.Link
		return w.share.spend(costOfPath + len(e.Path) + len(e.Link))
	}
	return nil
}

// bytesAlone are the facts that do not depend on what the file is called: of the others it
// is not known which plugin gave them, and one of them has no interest in the new name.
func (f fileFacts) bytesAlone() fileFacts {
	return fileFacts{path: f.path, Facts: bulwark.Facts{Findings: f.Findings, Executables: f.Executables}}
}

// guessedSize is what a hard link is taken to hold until its bytes are met.
const guessedSize = 64 << 10

// wanted tells whether a plugin wants a file that it would not want as old: one that
// would, and was not given old's bytes, has refused them for what they really are. Else
// every layer with a link to a small program would be fetched twice.
func (w *walker) wanted(info, old *bulwark.FileInfo) bool {
	for _, x := range w.extractors {
		if x.Wants(info) && (old.Path == "" || !x.Wants(old)) {
			return true
		}
	}
	for _, in := range w.inspectors {
		if in.Begin(info) != nil && (old.Path == "" || in.Begin(old) == nil) {
			return true
		}
	}
	return false
}

// recall gives what was found in a file before.
func (w *walker) recall(k seen) fileFacts {
	if k.file < 0 {
		return w.facts.plain[-k.file-1].facts()
	}
	return w.facts.files[k.file-1]
}

// at gives the facts under another path.
func (f fileFacts) at(p string) fileFacts {
	f.path = p
	return f
}

// visitLinked is the second walk: it feeds the files that hard links named.
func (w *walker) visitLinked(e *bulwark.Entry) error {
	links := w.pending[e.Path]
	if len(links) == 0 || e.Err != nil || e.Hard || e.Mode&fs.ModeType != 0 {
		return nil
	}
	delete(w.pending, e.Path)
	first := links[0]
	first.Size = e.Size
	if err := w.file(&first, e.Body, e.At); err != nil {
		return err
	}
	for _, l := range links[1:] {
		if known := w.seen[first.Path]; known.file != 0 {
			if err := w.keep(&l, w.recall(known).at(l.Path)); err != nil {
				return err
			}
		}
	}
	return nil
}
