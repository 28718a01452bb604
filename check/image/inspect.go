package image

import (
	"io/fs"
	"path"
	"strconv"

	"bulwark"
)

// The kinds of document that the plugins of this folder hand to the check.
const (
	modeKind     = "image-mode"     // Data: the mode in octal, with a "d" before it for a folder
	programKind  = "image-program"  // a shell, package manager or sudo
	accountsKind = "image-accounts" // reduced etc/passwd or etc/shadow
)

// Inspector keeps the modes of files that are set-uid, set-gid or open to everybody, and
// that there are shells, package managers, sudo and what a build left behind. It reads no
// bytes.
type Inspector struct{}

// NewInspector returns the inspector.
func NewInspector() *Inspector { return &Inspector{} }

// Info describes the inspector.
func (*Inspector) Info() bulwark.Info {
	return bulwark.Info{Name: name + "/modes", Summary: "Files with unusual modes, shells and package managers.", Version: 2}
}

const (
	others = 0o002
	reads  = 0o004
)

// Begin looks at the description alone; for nearly every file that is two tests. It
// takes folders as well, should the engine hand them out.
func (*Inspector) Begin(f *bulwark.FileInfo) bulwark.Sink {
	special := f.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0
	open := f.Mode&others != 0
	if f.Mode.IsDir() {
		if open && f.Mode&fs.ModeSticky == 0 {
			return document{Kind: modeKind, Data: []byte("d" + octal(f.Mode))}
		}
		return nil
	}
	switch {
	case special, open, f.Mode&reads != 0 && (f.Path == "etc/shadow" || f.Path == "etc/gshadow"):
		return document{Kind: modeKind, Data: []byte(octal(f.Mode))}
	case programs[f.Base] != "" && programFolders[path.Dir(f.Path)]:
		return document{Kind: programKind}
	}
	if kind := leftBehind(f); kind != "" {
		return document{Kind: kind}
	}
	return nil
}

// document is a sink that wants no bytes.
type document bulwark.Document

func (document) Write([]byte) (int, error) { return 0, bulwark.ErrSkip }

func (d document) Close() (bulwark.Facts, error) {
	return bulwark.Facts{Documents: []bulwark.Document{bulwark.Document(d)}}, nil
}

// octal is the mode as chmod counts.
func octal(m fs.FileMode) string {
	n := uint64(m.Perm())
	for bit, value := range map[fs.FileMode]uint64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			n |= value
		}
	}
	return strconv.FormatUint(n, 8)
}

var programFolders = map[string]bool{"bin": true, "sbin": true, "usr/bin": true, "usr/sbin": true, "usr/local/bin": true, "usr/local/sbin": true, "busybox": true}

// programs says what a program is, by its name. apt-get and the like come with theirs.
var programs = map[string]string{
	"sh": "shell", "bash": "shell", "dash": "shell", "ash": "shell", "busybox": "shell", "zsh": "shell", "ksh": "shell",
	"apt": "package manager", "dpkg": "package manager", "apk": "package manager", "rpm": "package manager", "dnf": "package manager", "yum": "package manager",
	"microdnf": "package manager", "tdnf": "package manager", "zypper": "package manager", "pacman": "package manager",
	"sudo": "sudo",
}
