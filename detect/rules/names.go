package rules

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"bulwark"
)

// User is an account.
type User struct {
	Name, Home, Shell string
}

// Names gives users and groups their names.
type Names interface {
	// User is the account with that number where the process runs.
	User(p *bulwark.Process, uid uint32) (User, bool)
	// Group is the name of the group with that number where the process runs.
	Group(p *bulwark.Process, gid uint32) (string, bool)
}

// Resolver knows which addresses names have. It is asked for each event, and so answers at once, from what it
// has found out before.
type Resolver interface {
	// Watch tells it once, before the first event, which names rules compare with.
	Watch(names []string)
	// Has tells whether the name has the address.
	Has(name string, a netip.Addr) bool
	// Name is one of the watched names that have the address.
	Name(a netip.Addr) (string, bool)
}

// nobody knows no name but root's, whose number is the same everywhere.
type nobody struct{}

func (nobody) User(_ *bulwark.Process, uid uint32) (User, bool) {
	return User{Name: "root", Home: "/root", Shell: "/bin/sh"}, uid == 0
}

func (nobody) Group(_ *bulwark.Process, gid uint32) (string, bool) { return "root", gid == 0 }

// HostNames reads the accounts of a node from files as /etc/passwd and /etc/group are. They are those of processes
// that are in no container; of others only root has a name.
func HostNames(passwd, group string) (Names, error) {
	n := &hostNames{users: map[uint32]User{}, groups: map[uint32]string{}}
	err := accounts(passwd, 7, func(f []string, id uint32) {
		if _, ok := n.users[id]; !ok {
			n.users[id] = User{Name: f[0], Home: f[5], Shell: f[6]}
		}
	})
	if err != nil {
		return nil, err
	}
	err = accounts(group, 4, func(f []string, id uint32) {
		if _, ok := n.groups[id]; !ok {
			n.groups[id] = f[0]
		}
	})
	return n, err
}

const maxAccounts = 4 << 20

// accounts gives the lines of a file that have that many fields, the third of which is a number.
func accounts(file string, fields int, give func([]string, uint32)) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(b[:min(len(b), maxAccounts)]))
	for lines.Scan() {
		f := strings.Split(lines.Text(), ":")
		if len(f) != fields {
			continue
		}
		if id, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			give(f, uint32(id))
		}
	}
	return lines.Err()
}

type hostNames struct {
	nobody
	users  map[uint32]User
	groups map[uint32]string
}

func (n *hostNames) User(p *bulwark.Process, uid uint32) (User, bool) {
	if p != nil && p.Container != nil {
		return n.nobody.User(p, uid)
	}
	u, ok := n.users[uid]
	return u, ok
}

func (n *hostNames) Group(p *bulwark.Process, gid uint32) (string, bool) {
	if p != nil && p.Container != nil {
		return n.nobody.Group(p, gid)
	}
	g, ok := n.groups[gid]
	return g, ok
}

// nowhere resolves nothing.
type nowhere struct{}

func (nowhere) Watch([]string)                 {}
func (nowhere) Has(string, netip.Addr) bool    { return false }
func (nowhere) Name(netip.Addr) (string, bool) { return "", false }
