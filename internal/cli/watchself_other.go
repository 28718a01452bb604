//go:build !unix

package cli

import (
	"context"

	"bulwark/watch"
)

// continued has nothing to wait for here.
func continued(context.Context, *watch.Watcher) {}

// alive cannot be told here.
func alive(int) bool { return true }
