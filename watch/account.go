package watch

import (
	"strings"

	"bulwark"
)

// account is that of a number where the process runs.
func (c *core) account(p *bulwark.Process, uid uint32) (User, bool) {
	if c.replay != nil {
		return c.recalled(p, uid)
	}
	if key, ok := c.rootKey(p); ok {
		if u, ok := c.users.User(key, p.PID, uid, c.Now()); ok {
			return User{Name: u.Name, Home: u.Home, Shell: u.Shell}, true
		}
	}
	return User{Name: "root", Home: "/root"}, uid == 0 // as everywhere
}

func (c *core) group(p *bulwark.Process, gid uint32) (string, bool) {
	if c.replay != nil {
		return recalledGroup(c.replay.Accounts(p), p, gid)
	}
	if key, ok := c.rootKey(p); ok {
		if name, ok := c.users.Group(key, p.PID, gid, c.Now()); ok {
			return name, true
		}
	}
	return "root", gid == 0
}

// rootKey names the root that the process has; false: its files cannot be read.
func (c *core) rootKey(p *bulwark.Process) (string, bool) {
	switch {
	case c.Proc == "-":
		return "", false
	case p.Container == nil:
		return "", true
	}
	return p.Container.ID, p.Container.ID != ""
}

func (c *core) user(p *bulwark.Process) string {
	if u, ok := c.account(p, p.UID); ok {
		return u.Name
	}
	return ""
}

// accounts is what a trace keeps of the accounts of a process.
func (c *core) accounts(p *bulwark.Process) string {
	if c.replay != nil {
		return c.replay.Accounts(p)
	}
	u, ok := c.account(p, p.UID)
	if !ok {
		u = User{}
	}
	login := User{}
	if p.Login != ^uint32(0) && p.Login != p.UID {
		if one, ok := c.account(p, p.Login); ok {
			login = one
		}
	}
	group, _ := c.group(p, p.GID)
	if !ok && login.Name == "" && group == "" {
		return ""
	}
	return strings.Join([]string{u.Name, u.Home, u.Shell, group, login.Name}, "\x00")
}

// recalled is what a trace tells of an account.
func (c *core) recalled(p *bulwark.Process, uid uint32) (User, bool) {
	f := strings.Split(c.replay.Accounts(p), "\x00")
	switch {
	case len(f) != 5:
	case uid == p.UID && f[0] != "":
		return User{Name: f[0], Home: f[1], Shell: f[2]}, true
	case uid == p.Login && f[4] != "":
		return User{Name: f[4]}, true
	}
	return User{Name: "root", Home: "/root"}, uid == 0
}

func recalledGroup(accounts string, p *bulwark.Process, gid uint32) (string, bool) {
	f := strings.Split(accounts, "\x00")
	if len(f) != 5 || gid != p.GID || f[3] == "" {
		return "root", gid == 0
	}
	return f[3], true
}
