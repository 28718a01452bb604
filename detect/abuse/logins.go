package abuse

import (
	"bytes"
	"fmt"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
)

const (
	loginSpan  = time.Minute
	loginTries = 10
	sshTries   = 15
)

func (s *state) passwords() family.Rule {
	return family.Rule{Name: "brute-force", Title: "Passwords are tried one after the other", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1110", "attack:T1110.001"}, References: []string{"https://attack.mitre.org/techniques/T1110/"},
		Why:   "A service refused ten logins of one peer within a minute, or sshd ended fifteen connections in failure: nobody mistypes so fast. High; what counts is whether a login succeeds afterwards.",
		Noise: "A client with an old password that tries again at once. Refusals are read from the first bytes that services answer with, where they are not encrypted.",
		Fix:   "Close the port to who needs it not, and use keys or certificates. Look for a login that succeeded.", Every: 10 * time.Minute,
		Looks: []family.Look{
			{Kinds: "payload", If: func(h *family.Hit) bool { return refusal(h) != "" }, Do: func(h *family.Hit) {
				peer := h.FD.Remote.Addr().String()
				if n := s.logins.Of(login{h.Key(), recent.HashString(peer)}).Add(h.Time, loginSpan, 1); n >= loginTries {
					h.Tell(peer, fmt.Sprintf("%d logins refused within a minute (%s), between %s and %s", n, refusal(h), h.FD.Local, h.FD.Remote))
				}
			}},
			{Kinds: "procexit", If: func(h *family.Hit) bool {
				p := h.P
				code := h.Num("status")>>8&0xff | h.Num("ret")
				return h.TID == p.PID && who.Trusted(p, daemons) && p.Parent != nil && who.Is(p.Parent, daemons) && code != 0
			}, Do: func(h *family.Hit) {
				if n := s.logins.Of(login{h.Key(), 1}).Add(h.Time, loginSpan, 1); n >= sshTries {
					h.Tell("sshd", fmt.Sprintf("%d connections ended in failure within a minute", n))
				}
			}},
		},
	}
}

var daemons = who.Names("sshd sshd-session dropbear")

// refusals are how services say that a login failed, by the port on which they are.
var refusals = map[uint16][]string{
	3306:  {"#28000Access denied", "Access denied for user"},
	5432:  {"C28P01", "password authentication failed", "C28000"},
	6379:  {"-WRONGPASS", "-ERR invalid password", "-ERR invalid username-password"},
	27017: {"AuthenticationFailed", "Authentication failed"},
	1433:  {"L\x00o\x00g\x00i\x00n\x00 \x00f\x00a\x00i\x00l\x00e\x00d"},
	21:    {"530 "},
	25:    {"535 "}, 587: {"535 "},
	110:  {"-ERR [AUTH]", "-ERR Authentication failed", "-ERR authentication failed"},
	143:  {"[AUTHENTICATIONFAILED]"},
	389:  {"\x0a\x01\x31"}, // invalidCredentials (49)
	5672: {"ACCESS_REFUSED"}, 9042: {"Provided username"}, 11211: {"Auth failure"},
}

// refusal is what a service said when it refused a login; "": it did not.
func refusal(h *family.Hit) string {
	data := h.Text("data")
	list := refusals[h.FD.Remote.Port()]
	if list == nil || h.FD.Server {
		list = refusals[h.FD.Local.Port()]
	}
	for _, r := range list {
		if bytes.Contains(data, []byte(r)) {
			return r
		}
	}
	return ""
}
