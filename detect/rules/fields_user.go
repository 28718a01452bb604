package rules

import (
	"cmp"

	"bulwark"
)

// userFields are those of the account that a process has.
func userFields() []Field {
	of := bulwark.SourceSyscall
	uid := func(p *bulwark.Process) uint32 { return p.UID }
	auid := func(p *bulwark.Process) uint32 { return p.Login }
	return []Field{
		{Name: "user.uid", Type: Number, Source: of, Doc: "number of the account that it has", bind: procNum(func(v *event) int64 { return int64(v.p.UID) })},
		{Name: "user.name", Type: Text, Source: of, Doc: "name of the account; of one that is not known <NA>", bind: account(uid, func(u *User) string { return u.Name })},
		{Name: "user.homedir", Type: Text, Source: of, Doc: "home of the account, or <NA>", bind: account(uid, func(u *User) string { return u.Home })},
		{Name: "user.shell", Type: Text, Source: of, Doc: "shell of the account, or <NA>", bind: account(uid, func(u *User) string { return u.Shell })},
		{Name: "user.loginuid", Type: Number, Source: of, Doc: "number of the account that was logged in to, whatever it was changed to since; -1: none was", bind: procNum(func(v *event) int64 { return login(v.p) })},
		{Name: "user.loginname", Type: Text, Source: of, Doc: "name of the account that was logged in to, or <NA>", bind: account(auid, func(u *User) string { return u.Name })},
		{Name: "group.gid", Type: Number, Source: of, Doc: "number of the group that it has", bind: procNum(func(v *event) int64 { return int64(v.p.GID) })},
		{Name: "group.name", Type: Text, Source: of, Doc: "name of the group; of one that is not known <NA>", bind: text(func(v *event) (string, bool) {
			if v.p == nil {
				return "", false
			}
			g, ok := v.env.names.Group(v.p, v.p.GID)
			if !ok {
				return missing, true
			}
			return g, true
		})},
	}
}

// account is a field of an account. What is not known of one is a text, as in Falco: it differs from all that rules name.
func account(id func(*bulwark.Process) uint32, of func(*User) string) func(string) (getter, error) {
	return text(func(v *event) (string, bool) {
		if v.p == nil {
			return "", false
		}
		if id(v.p) == ^uint32(0) {
			return missing, true // nobody logged in
		}
		u, ok := v.env.names.User(v.p, id(v.p))
		if !ok {
			return missing, true
		}
		return cmp.Or(of(&u), missing), true
	})
}
