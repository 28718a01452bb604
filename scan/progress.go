package scan

import "bulwark"

// Progress is told how far a scan is. Its methods are called from several
// goroutines at once and return quickly.
type Progress interface {
	// Target begins: its layers are about to be read.
	Target(t *bulwark.Target)
	// Layer ended: cached is true when its results were known and nothing was read.
	Layer(l *bulwark.Layer, cached bool)
	// Read tells that n more bytes of files have been passed, read or skipped.
	Read(n int64)
}

type silent struct{}

func (silent) Target(*bulwark.Target)     {}
func (silent) Layer(*bulwark.Layer, bool) {}
func (silent) Read(int64)                 {}
