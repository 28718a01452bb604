//go:build !unix

package cli

import (
	"context"
	"os"
)

// resizes tells nothing here: the size is asked for each second.
func resizes() (<-chan os.Signal, func()) { return nil, func() {} }

// keys are not read here: Ctrl-C ends the run as ever.
func keys(context.Context, *os.File, func()) {}
