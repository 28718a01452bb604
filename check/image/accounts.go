package image

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
)

// account is a line of etc/passwd.
type account struct {
	name  string
	uid   int
	line  int
	empty bool // its password is the empty one
	doc   *bulwark.Document
}

// accounts reads what the extractor kept of etc/passwd.
func accounts(inv *bulwark.Inventory) []account {
	var out []account
	for i := range inv.Documents {
		d := &inv.Documents[i]
		if d.Kind != accountsKind {
			continue
		}
		for l := range strings.SplitSeq(string(d.Data), "\n") {
			w := strings.Split(l, ":")
			if len(w) != 4 {
				continue
			}
			uid, err := strconv.Atoi(w[1])
			number, err2 := strconv.Atoi(w[2])
			if err == nil && err2 == nil {
				out = append(out, account{name: w[0], uid: uid, line: number, empty: w[3] == "empty", doc: d})
			}
		}
	}
	return out
}

// reduceAccounts keeps "name:uid:line:empty|set" of each line of etc/passwd, or of
// etc/shadow (without uid).
func reduceAccounts(data []byte, shadow bool) []byte {
	var out bytes.Buffer
	number := 0
	for l := range bytes.Lines(data) {
		number++
		w := strings.Split(strings.TrimRight(string(l), "\r\n"), ":")
		if len(w) < 3 || !accountName(w[0]) {
			continue
		}
		uid, state := -1, "set"
		if w[1] == "" {
			state = "empty"
		}
		if shadow && state == "set" {
			continue
		}
		if !shadow {
			n, err := strconv.Atoi(w[2])
			if err != nil {
				continue
			}
			uid = n
		}
		fmt.Fprintf(&out, "%s:%d:%d:%s\n", w[0], uid, number, state)
	}
	return out.Bytes()
}

// accountName leaves out comments and what NIS adds (+::::::).
func accountName(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0 && !strings.ContainsAny(s[:1], "#+")
}

// accounts judges the accounts.
func (s *subject) accounts() {
	byID := map[int][]*account{}
	for i := range s.users {
		a := &s.users[i]
		switch {
		case a.uid < 0: // of etc/shadow, or no id at all
			if a.empty {
				s.emit(s.at(emptyPassword.Finding(a.name, ""), a, fmt.Sprintf("the password of %s is empty", a.name)))
			}
			continue
		case a.empty:
			s.emit(s.at(emptyPassword.Finding(a.name, ""), a, fmt.Sprintf("the password of %s is empty, and not kept in etc/shadow", a.name)))
		}
		if byID[a.uid] == nil || byID[a.uid][0].name != a.name {
			byID[a.uid] = append(byID[a.uid], a)
		}
	}
	for uid, list := range byID {
		if len(list) < 2 {
			continue
		}
		for _, a := range list[1:] {
			how := fmt.Sprintf("%s has the user id %d, as %s has", a.name, uid, list[0].name)
			if uid == 0 {
				s.emit(s.at(secondRoot.Finding(rootName(a, list), ""), a, how))
			} else {
				s.emit(s.at(duplicateID.Finding(a.name, ""), a, how))
			}
		}
	}
}

// rootName is the account beside root, in whatever order they stand.
func rootName(a *account, list []*account) string {
	if a.name != "root" {
		return a.name
	}
	i := slices.IndexFunc(list, func(b *account) bool { return b.name != "root" })
	return list[max(i, 0)].name
}

func (s *subject) at(f *bulwark.Finding, a *account, how string) *bulwark.Finding {
	f.Path, f.Line, f.Layer = a.doc.Path, a.line, a.doc.Layer
	f.FromBase = s.baseLayers()[a.doc.Layer]
	f.Evidence = append(f.Evidence, how)
	return f
}
