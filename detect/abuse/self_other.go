//go:build !unix

package abuse

import "os"

// self is this process, which watches. It has no group here.
var self, group = os.Getpid(), 0
