//go:build !unix

package container

import "io/fs"

// inode is not known here.
func inode(fs.FileInfo) (uint64, bool) { return 0, false }
