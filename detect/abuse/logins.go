package abuse

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
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
		Noise: "A client with an old password that tries again at once. Refusals are read from the first four answers of a connection, where they are not encrypted; of one whose answers are all refusals, the bytes and packets that follow tell how many there were: whoever logs in at the fifth try and works on is told as well.",
		Fix:   "Close the port to who needs it not, and use keys or certificates. Look for a login that succeeded.", Every: 10 * time.Minute,
		Looks: []family.Look{
			{Kinds: "payload", Where: bulwark.Where{EitherPort: services}, If: func(h *family.Hit) bool { return refusal(h) != "" }, Do: s.refused},
			{Kinds: "flow", If: func(h *family.Hit) bool {
				return refusals[h.FD.Local.Port()] != nil || refusals[h.FD.Remote.Port()] != nil
			}, Do: s.flowed},
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

// attempt is a service, and who tries to log in to it.
type attempt struct {
	service, peer netip.AddrPort
	side          string // which of them is here
}

func attemptOf(h *family.Hit, serves func(port uint16) bool) attempt {
	if serves(h.FD.Local.Port()) {
		return attempt{h.FD.Local, h.FD.Remote, "of"}
	}
	return attempt{h.FD.Remote, h.FD.Local, "from"}
}

// subject is the same for all connections of a peer. Where both ends are of this machine, both are told.
func (a *attempt) subject() string { return fmt.Sprint(a.side, a.service, a.peer.Addr()) }

func (a *attempt) connection() uint64 {
	return recent.HashString(fmt.Sprint(a.side, a.service, a.peer))
}

// shown is how many payloads of each direction of a connection sensors tell of.
const shown = 4

// talk is a connection in which logins were refused.
type talk struct {
	answers     int   // that refuse
	counted     int64 // refusals, those of which only the length is known among them
	seen, bytes int64 // refusals in the answers that were seen, and how long those are
	answered    int64 // bytes, as flows have it
	packets     int64 // in both directions, as flows have it
}

// refused counts the logins that a service refused, by service and peer.
func (s *state) refused(h *family.Hit) {
	what := refusal(h)
	a := attemptOf(h, func(port uint16) bool { return at(port, h.Text("data")) != "" })
	t := s.logins.Of(login{h.Key(), recent.HashString(a.subject())})
	connection, n := a.connection(), int64(1)
	switch {
	case !anyCommand[what]:
		n = refusalsIn(h, what)
		c := s.talks.Of(connection)
		if c.answers >= shown {
			*c = talk{} // another one between the same ports
		}
		c.answers, c.counted, c.seen, c.bytes = c.answers+1, c.counted+n, c.seen+n, c.bytes+h.Num("size")
	case t.last == connection:
		return
	}
	t.last, t.said = connection, what
	s.tried(h, &a, t, n)
}

// refusalsIn is how many logins one payload refuses: who sends many at once is answered at once.
func refusalsIn(h *family.Hit, what string) int64 {
	data := h.Text("data")
	n := int64(bytes.Count(data, []byte(what)))
	if size := h.Num("size"); n > 1 && size > int64(len(data)) {
		n = n * size / int64(len(data))
	}
	return max(n, 1)
}

// flowed counts what came behind the answers that were seen of a connection, where all of those were refusals: by its length, and
// no more than there were packets.
func (s *state) flowed(h *family.Hit) {
	a := attemptOf(h, func(port uint16) bool { return refusals[port] != nil })
	c := s.talks.Get(a.connection())
	if c == nil || c.answers < shown || c.bytes == 0 {
		return
	}
	if a.side == "of" {
		c.answered += h.Num("sent")
	} else {
		c.answered += h.Num("received")
	}
	c.packets += h.Num("packets")
	all := min(c.answered*c.seen/c.bytes, c.seen+c.packets)
	if n := all - c.counted; n > 0 {
		c.counted = all
		s.tried(h, &a, s.logins.Of(login{h.Key(), recent.HashString(a.subject())}), n)
	}
}

// tried adds to the refused logins of a peer.
func (s *state) tried(h *family.Hit, a *attempt, t *tries, n int64) {
	if sum := t.Add(h.Time, loginSpan, n); sum >= loginTries {
		h.Tell(a.subject(), fmt.Sprintf("%s refused %d logins of %s within a minute (%s)", a.service, sum, a.peer.Addr(), t.said))
	}
}

var daemons = who.Names("sshd sshd-session dropbear")

// refusals are how services say that a login failed, by the port on which they are.
var refusals = map[uint16][]string{
	3306:      {"#28000Access denied", "Access denied for user"},
	5432:      {"C28P01", "password authentication failed", "C28000"},
	6379:      {"-WRONGPASS", "-NOAUTH", "-ERR invalid password", "-ERR invalid username-password"},
	mongoPort: {mongoRefusal},
	1433:      {"L\x00o\x00g\x00i\x00n\x00 \x00f\x00a\x00i\x00l\x00e\x00d"},
	21:        {"530 "},
	25:        {"535 "}, 587: {"535 "},
	110:  {"-ERR [AUTH]", "-ERR Authentication failed", "-ERR authentication failed"},
	143:  {"[AUTHENTICATIONFAILED]"},
	389:  {ldapRefusal}, // invalidCredentials (49)
	5672: {"ACCESS_REFUSED"}, 9042: {"Provided username"}, 11211: {"Auth failure"},
}

// services are their ports.
var services = slices.Sorted(maps.Keys(refusals))

const ldapRefusal = "\x0a\x01\x31"

// anyCommand are answers to whatever a client asks that did not log in, or that may stand in other answers: of one connection they
// count once.
var anyCommand = who.Names("-NOAUTH").With(who.Set{"530 ": true, ldapRefusal: true})

// refusal is what a service said when it refused a login; "": it did not.
func refusal(h *family.Hit) string {
	data := h.Text("data")
	return cmp.Or(at(h.FD.Local.Port(), data), at(h.FD.Remote.Port(), data))
}

// at is what the service on a port says there when it refuses a login.
func at(port uint16, data []byte) string {
	if port == mongoPort {
		if mongoRefuses(data) {
			return mongoRefusal
		}
		return ""
	}
	for _, r := range refusals[port] {
		if bytes.Contains(data, []byte(r)) {
			return r
		}
	}
	return ""
}
