package bulwark

import (
	"errors"
	"fmt"
)

// The errors that callers branch on. Everything that fails wraps one of them
// where it applies; match with [errors.Is].
var (
	// ErrNotFound: what the reference names does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnsupported: it exists, and this build, kernel or format version cannot read it.
	ErrUnsupported = errors.New("unsupported")
	// ErrMalformed: the bytes are not what their format says they are.
	ErrMalformed = errors.New("malformed")
	// ErrLimit: reading on would cost more than the budget allows.
	ErrLimit = errors.New("limit exceeded")
	// ErrUntrusted: a digest, checksum, certificate or credential does not fit.
	ErrUntrusted = errors.New("not trusted")
	// ErrUnavailable: it may exist, and it could not be reached; trying again may help.
	ErrUnavailable = errors.New("unavailable")
)

// ErrSkip is returned by a [Sink]'s Write when it needs no more bytes of the file.
// It is not a failure.
var ErrSkip = errors.New("skip the rest of this file")

// PluginError says which plugin failed, and on what.
type PluginError struct {
	Plugin string // the name in the plugin's Info
	Path   string // the file it was reading; empty when it was no file
	Err    error
}

func (e *PluginError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s: %v", e.Plugin, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.Plugin, e.Path, e.Err)
}

func (e *PluginError) Unwrap() error { return e.Err }
