// Package escape finds who leaves a container, or changes the kernel under it: files that make the kernel run programs,
// the node's disks, namespaces and processes, the container engine's own program and sockets.
package escape

import (
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
)

// New makes the family.
func New() *family.Family {
	s := &state{
		creds: recent.NewTable[procKey, creds](8192),
		keys:  recent.NewTable[uint64, recent.Count](1024),
		pipes: recent.NewTable[procKey, int64](1024),
	}
	rules := kernelFiles()
	rules = append(rules, disks()...)
	rules = append(rules, namespaces()...)
	rules = append(rules, processes()...)
	rules = append(rules, engines()...)
	rules = append(rules, kernel(s)...)
	rules = append(append(rules, privileges(s)...), tamper())
	return family.New("escape", "Finds who leaves a container or changes the kernel under it.", rules)
}

// state is what rules remember between events.
type state struct {
	creds *recent.Table[procKey, creds]
	keys  *recent.Table[uint64, recent.Count]
	pipes *recent.Table[procKey, int64]
}

const (
	fixPrivileges = "Stop the container and look at the node. Run it without privileges and added capabilities, with the default seccomp profile and as a user that is not root."
	docsSecurity  = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
	docsContainer = "https://attack.mitre.org/techniques/T1611/"
)
