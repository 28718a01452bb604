package advisory

import (
	"context"
	"time"

	"bulwark"
)

// UpdateOptions says where to update from.
type UpdateOptions struct {
	From     string // mirror's address or folder; empty: the public sources
	Now      time.Time
	Progress func(string)
}

// Update brings the database at path up to date.
func Update(ctx context.Context, o UpdateOptions, path string) error { return bulwark.ErrUnsupported }

func fetchSources(ctx context.Context, o *BuildOptions, out string) (string, error) { return "", nil }
