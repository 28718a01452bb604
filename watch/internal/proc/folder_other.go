//go:build !linux

package proc

import (
	"errors"

	"bulwark"
)

// folder is none: other systems have no such /proc.
type folder struct{ *Reader }

func (r *Reader) open(int) (folder, error) { return folder{}, errors.ErrUnsupported }

func (folder) close()                           {}
func (folder) read(string, int) ([]byte, error) { return nil, errors.ErrUnsupported }
func (folder) link(string) ([]byte, error)      { return nil, errors.ErrUnsupported }
func (folder) executable(*bulwark.Program)      {}

func inode(string) uint64 { return 0 }
