// Package miner finds who computes coins on other people's machines: by what miners say to pools and ask of name
// servers, by their command lines, and by signs that are weak alone and strong together.
package miner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/recent"
	"bulwark/detect/internal/who"
	"bulwark/detect/internal/wire"
)

// Options may be left zero.
type Options struct {
	// Pools are names of pools beside those that are known.
	Pools []string
}

// New makes the family.
func New(o Options) *family.Family {
	s := &state{scores: recent.NewTable[uint64, score](1024), busy: recent.NewTable[uint64, stretch](1024), pools: slices.Concat(pools, o.Pools)}
	return family.New("miner", "Finds who computes coins.", s.rules())
}

type state struct {
	scores *recent.Table[uint64, score]
	busy   *recent.Table[uint64, stretch]
	pools  []string
}

const fixStop = "Stop the container, keep its file system, and look for how the miner came in: mostly an open service or a stolen key. Let containers go only where they need to (NetworkPolicy)."

var (
	tags       = []string{"attack:T1496", "attack:T1496.001"}
	references = []string{"https://attack.mitre.org/techniques/T1496/"}
)

func (s *state) rules() []family.Rule {
	return []family.Rule{
		{Name: "stratum", Title: "A miner speaks to its pool", Severity: bulwark.SeverityCritical, Tags: tags, References: references, Every: time.Hour, Fix: fixStop,
			Why:   "The first bytes of a connection are a request of stratum, which only miners and pools speak: a login or subscription with the words and members that it has. Critical: somebody computes for others, and came in by a hole.",
			Noise: "Containers that are meant to mine. Other services with JSON-RPC lack the members that are asked for.",
			Looks: []family.Look{{Kinds: "payload", Where: bulwark.Where{First: []byte("{[ \t\r\n")}, If: func(h *family.Hit) bool { return stratum(h.Text("data")) != "" }, Do: func(h *family.Hit) {
				s.add(h, strong, "stratum", "speaks stratum")
				h.Tell("stratum", "request: "+stratum(h.Text("data")), s.explain(h))
			}}}},
		{Name: "pool-name", Title: "The name of a mining pool is asked for", Severity: bulwark.SeverityHigh, Tags: tags, References: references, Every: time.Hour, Fix: fixStop,
			Why:   "The name belongs to a pool of miners, and nothing else asks for it. It is seen in questions to name servers, and in the first bytes of encrypted connections, which name the server in plain text. High and not critical: asking is not computing.",
			Noise: "Scanners and name servers that ask for others; resolvers (CoreDNS, unbound) are excused by their programs.",
			Looks: []family.Look{{Kinds: "dns", If: func(h *family.Hit) bool {
				return s.pool(string(h.Text("name"))) != "" && !who.Trusted(h.P, resolvers)
			}, Do: func(h *family.Hit) {
				name := strings.ToLower(strings.TrimSuffix(string(h.Text("name")), "."))
				s.add(h, 70, "pool", "asked for "+name)
				h.Tell(s.pool(name), "name "+name, s.explain(h))
			}}, {Kinds: "payload", Where: bulwark.Where{First: []byte{wire.Handshake}}, If: func(h *family.Hit) bool { return s.pool(wire.ServerName(h.Text("data"))) != "" }, Do: func(h *family.Hit) {
				name := strings.ToLower(wire.ServerName(h.Text("data")))
				s.add(h, 70, "pool", "opens an encrypted connection to "+name)
				h.Tell(s.pool(name), "the connection is encrypted and asks for "+name, s.explain(h))
			}}}},
		{Name: "command", Title: "A command line is that of a miner", Severity: bulwark.SeverityCritical, Tags: append([]string{"attack:T1059"}, tags...), References: references, Every: time.Hour, Fix: fixStop,
			Why:   "It names a pool (stratum+tcp://), has options that only miners have, or a wallet beside the address of a server. Critical where two such signs agree, high for one.",
			Noise: "Searching for miners by grep or ps; programs that only look are excused.",
			Looks: []family.Look{{Kinds: family.Execs, Where: bulwark.Where{Failed: bulwark.No}, Do: func(h *family.Hit) {
				points, signs := commandSigns(h.P, s)
				if points < enough {
					return
				}
				s.add(h, points, "command", strings.Join(signs, ", "))
				severity := bulwark.SeverityHigh
				if points >= strong {
					severity = bulwark.SeverityCritical
				}
				h.TellAs(severity, who.Program(h.P), append(signs, s.explain(h))...)
			}}}},
		{Name: "hardware", Title: "A container tunes the processor as miners do", Severity: bulwark.SeverityHigh, Tags: tags, References: references, Every: time.Hour, Fix: fixStop,
			Why:   "Miners switch off prefetching by writing registers of the processor (/dev/cpu/N/msr) and take huge pages, which makes RandomX a third faster. High for registers, which nothing in a container writes; pages add to the score alone.",
			Noise: "Tools that tune processors, run in privileged containers.",
			Looks: []family.Look{
				{Kinds: family.Opens, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Write: bulwark.Yes, Paths: family.Ends("/msr", "/allow_writes")}, If: func(h *family.Hit) bool {
					return strings.Contains(h.Path(), "/cpu/") || strings.Contains(h.Path(), "/module/msr/")
				}, Do: func(h *family.Hit) {
					s.add(h, 60, "msr", "writes registers of the processor")
					h.Tell("msr", s.explain(h))
				}},
				{Kinds: family.Execs, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}, If: func(h *family.Hit) bool {
					return who.Is(h.P, who.Names("modprobe wrmsr")) && strings.Contains(h.P.Path+strings.Join(h.P.Args, " "), "msr")
				}, Do: func(h *family.Hit) {
					s.add(h, 60, "msr", "writes registers of the processor")
					h.Tell("msr", s.explain(h))
				}},
			}},
		{Name: "score", Title: "Several signs together say that a container mines", Severity: bulwark.SeverityHigh, Tags: tags, References: references, Every: time.Hour, Fix: fixStop,
			Why:   "No sign alone proves it: a port that pools use, a connection that lives long and says little, huge pages, numbers rounded as RandomX does, processors that are never idle, other miners killed. At 60 points of at least two of them it is told, with the points of each. High; a port alone never counts enough.",
			Noise: "Simulations that hold a connection to their controller and use huge pages, or compute bounds by rounding up and down.",
			Looks: s.weak()},
	}
}

// strong is what a sign is worth that is enough by itself, enough what it takes for a finding.
const (
	strong = 100
	enough = 60
)

// commandSigns are what in a command line says that it is a miner's.
func commandSigns(p *bulwark.Process, s *state) (points int, signs []string) {
	if who.Is(p, who.Readers) || who.Is(p, lookers) {
		return 0, nil
	}
	add := func(n int, what string) {
		points += n
		signs = append(signs, fmt.Sprintf("%s (%d)", what, n))
	}
	if miners[strings.ToLower(who.Program(p))] {
		add(60, "the program is called "+who.Program(p))
	}
	seen := map[string]bool{}
	for i, a := range p.Args {
		if sign := argSign(a, next(p.Args, i), s); sign.points > 0 && !seen[sign.kind] && len(a) < 4096 && i < 256 {
			seen[sign.kind] = true
			add(sign.points, sign.what)
		}
	}
	return points, signs
}

func next(args []string, i int) string {
	if i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

type sign struct {
	kind, what string
	points     int
}

func argSign(a, after string, s *state) sign {
	low := strings.ToLower(a)
	switch {
	case strings.Contains(low, "stratum+") || strings.HasPrefix(low, "stratum1+") || strings.HasPrefix(low, "stratum://"):
		return sign{"url", "names a pool by stratum+", strong}
	case slices.Contains(options, strings.SplitN(low, "=", 2)[0]):
		return sign{"option " + low, "option " + strings.SplitN(low, "=", 2)[0], 40}
	case (low == "-a" || low == "--algo" || low == "--coin") && algorithm(after):
		return sign{"algorithm", "algorithm " + after, 40}
	case (strings.HasPrefix(low, "--algo=") || strings.HasPrefix(low, "--coin=")) && algorithm(low[7:]):
		return sign{"algorithm", "algorithm " + low[7:], 40}
	case s.pool(host(low)) != "":
		return sign{"pool", "the pool " + s.pool(host(low)), 70}
	case wallet(a) != "":
		return sign{"wallet", "a wallet of " + wallet(a), 40}
	}
	return sign{}
}

// host is that of an address "HOST:PORT" or of a URL.
func host(a string) string {
	if _, rest, ok := strings.Cut(a, "://"); ok {
		a = rest
	} else if !strings.Contains(a, ":") {
		return "" // a word, a path
	}
	if _, rest, ok := strings.Cut(a, "@"); ok {
		a = rest
	}
	a, _, _ = strings.Cut(a, "/")
	a, _, _ = strings.Cut(a, ":")
	return a
}

// pool is the pool that a name belongs to.
func (s *state) pool(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, p := range s.pools {
		if rest, ok := strings.CutSuffix(name, p); ok && (rest == "" || strings.HasSuffix(rest, ".")) {
			return p
		}
	}
	return ""
}
