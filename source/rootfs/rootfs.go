// Package rootfs opens folders as targets: a root file system, this machine, or a
// project. Files are described by their metadata and opened only when somebody reads
// them; nothing is followed out of the folder.
package rootfs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"bulwark"
)

var (
	_ bulwark.Source = (*Rootfs)(nil)
	_ bulwark.Source = (*Dir)(nil)
	_ bulwark.Source = (*Host)(nil)
)

// Rootfs opens a folder that holds a whole root file system.
type Rootfs struct{}

// Open takes a path, with or without "rootfs:" in front. It returns an error wrapping
// ErrNotFound when there is no such folder, and ErrUnavailable when it may not be read.
func (*Rootfs) Open(_ context.Context, ref string) (*bulwark.Target, error) {
	name := strings.TrimPrefix(ref, "rootfs:")
	asset := bulwark.Asset{ID: bulwark.AssetID("rootfs:" + name), Kind: "rootfs", Name: name}
	t, err := open(name, asset, mounted(name))
	if err != nil {
		return nil, err
	}
	t.Absolute = true
	return t, nil
}

// Dir opens a project folder. Its .git is not looked into.
type Dir struct{}

// Open takes a path, with or without "dir:" in front. Its errors are those of
// [Rootfs.Open].
func (*Dir) Open(_ context.Context, ref string) (*bulwark.Target, error) {
	name := strings.TrimPrefix(ref, "dir:")
	asset := bulwark.Asset{ID: bulwark.AssetID("dir:" + name), Kind: "dir", Name: name}
	return open(name, asset, skips{base: map[string]bool{".git": true}})
}

// Host opens this machine.
type Host struct {
	// Root is where the machine's root file system is found; empty means "/". An agent
	// in a container sets it to where the host is mounted.
	Root string
}

// Open takes no reference but "host" or nothing. Kernel and network file systems and
// the storage of container engines are not looked into; the target's notes say so.
func (h *Host) Open(_ context.Context, _ string) (*bulwark.Target, error) {
	root := h.Root
	if root == "" {
		root = "/"
	}
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("scanning a host that runs %s: %w", runtime.GOOS, bulwark.ErrUnsupported)
	}
	name := hostname(root)
	asset := bulwark.Asset{ID: bulwark.AssetID("host:" + identity(root, name)), Kind: "host", Name: name}
	skip := mounted(root)
	skip.addHost(root)
	t, err := open(root, asset, skip)
	if err != nil {
		return nil, err
	}
	t.Absolute = true
	return t, nil
}

// Machine is the asset that this machine is.
func Machine() bulwark.Asset {
	name := hostname("/")
	return bulwark.Asset{ID: bulwark.AssetID("host:" + identity("/", name)), Kind: "host", Name: name}
}

func hostname(root string) string {
	if root == "/" {
		if name, err := os.Hostname(); err == nil && name != "" {
			return name
		}
	}
	if b, err := os.ReadFile(filepath.Join(root, "etc/hostname")); err == nil && len(b) < 256 {
		if name := strings.TrimSpace(string(b)); name != "" {
			return name
		}
	}
	return "localhost"
}

// identity names a machine across runs. It is made from the machine id, which itself
// is not for others to see (man 5 machine-id); without one, it is the host's name.
func identity(root, name string) string {
	id, err := os.ReadFile(filepath.Join(root, "etc/machine-id"))
	if key := strings.TrimSpace(string(id)); err == nil && len(key) == 32 {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte("bulwark")) // never fails
		return hex.EncodeToString(mac.Sum(nil)[:16])
	}
	return name
}

// open makes a target of one layer.
func open(dir string, asset bulwark.Asset, skip skips) (*bulwark.Target, error) {
	f, err := os.OpenFile(dir, folderFlags&^unix.O_NOFOLLOW, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return nil, fmt.Errorf("folder %s: %w", dir, bulwark.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("folder %s: %w: %w", dir, bulwark.ErrUnavailable, err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("folder %s: %w: %w", dir, bulwark.ErrUnavailable, err)
	}
	return &bulwark.Target{
		Asset:  asset,
		Layers: []bulwark.Layer{{Size: -1, Tree: &tree{dir: dir, skip: skip}}},
		Notes:  skip.notes,
	}, nil
}

// databases tell that a folder holds an installed system.
var databases = []string{
	"var/lib/dpkg/status", "var/lib/dpkg/status.d", "lib/apk/db/installed", "usr/lib/apk/db/installed",
	"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm", "var/lib/rpmmanifest",
}

// IsRootfs tells whether a folder is a root file system: it has os-release and a
// package database.
func IsRootfs(dir string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close()
	return holds(root, "etc/os-release", "usr/lib/os-release") && holds(root, databases...)
}

// holds tells whether one of the paths is there. It may be a link to what is only there
// when the root is.
func holds(root *os.Root, paths ...string) bool {
	for _, p := range paths {
		if _, err := root.Lstat(p); err == nil {
			return true
		}
	}
	return false
}
