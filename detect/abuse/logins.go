package abuse

import (
	"bytes"
	"cmp"
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
			{Kinds: "payload", If: func(h *family.Hit) bool { return refusal(h) != "" }, Do: s.refused},
			{Kinds: family.Execs, Where: bulwark.Where{Failed: bulwark.No}, If: func(h *family.Hit) bool { return h.P.SID == h.P.PID && !who.Is(h.P, daemons) }, Do: s.cameIn},
			{Kinds: "procexit", If: func(h *family.Hit) bool {
				p := h.P
				code := h.Num("status")>>8&0xff | h.Num("ret")
				return h.TID == p.PID && who.Trusted(p, daemons) && p.Parent != nil && who.Is(p.Parent, daemons) && code != 0 && s.sessions.Get(session{p.PID, p.Start}) == nil
			}, Do: func(h *family.Hit) {
				if n := s.logins.Of(login{h.Key(), 1}).Add(h.Time, loginSpan, 1); n >= sshTries {
					h.Tell("sshd", fmt.Sprintf("%d connections ended in failure within a minute", n))
				}
			}},
		},
	}
}

// session is a process of sshd that serves a connection.
type session struct {
	pid   int
	start int64
}

// cameIn remembers the connections of sshd that came to a program of their user: it runs in a terminal session of its own, which
// what sshd asks for keys does not. How such a connection ends tells nothing.
func (s *state) cameIn(h *family.Hit) {
	for p, n := h.P.Parent, 0; p != nil && n < 4 && who.Trusted(p, daemons); p, n = p.Parent, n+1 {
		if p.Parent != nil && who.Is(p.Parent, daemons) {
			*s.sessions.Of(session{p.PID, p.Start}) = true
		}
	}
}

// refused counts a login that a service refused, by service and peer. Where both ends are of this machine, both are told.
func (s *state) refused(h *family.Hit) {
	service, peer, side := h.FD.Local, h.FD.Remote, "of"
	if at(service.Port(), h.Text("data")) == "" {
		service, peer, side = h.FD.Remote, h.FD.Local, "from"
	}
	subject := fmt.Sprint(side, service, peer.Addr())
	t := s.logins.Of(login{h.Key(), recent.HashString(subject)})
	connection := recent.HashString(fmt.Sprint(service, peer))
	if t.last == connection {
		return // a client that goes on with its commands is refused again and again
	}
	t.last = connection
	if n := t.Add(h.Time, loginSpan, 1); n >= loginTries {
		h.Tell(subject, fmt.Sprintf("%s refused %d logins of %s within a minute (%s)", service, n, peer.Addr(), refusal(h)))
	}
}

var daemons = who.Names("sshd sshd-session dropbear")

// refusals are how services say that a login failed, by the port on which they are.
var refusals = map[uint16][]string{
	3306:  {"#28000Access denied", "Access denied for user"},
	5432:  {"C28P01", "password authentication failed", "C28000"},
	6379:  {"-WRONGPASS", "-NOAUTH", "-ERR invalid password", "-ERR invalid username-password"},
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
	return cmp.Or(at(h.FD.Local.Port(), data), at(h.FD.Remote.Port(), data))
}

// at is what the service on a port says there when it refuses a login.
func at(port uint16, data []byte) string {
	for _, r := range refusals[port] {
		if bytes.Contains(data, []byte(r)) {
			return r
		}
	}
	return ""
}
