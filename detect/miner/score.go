package miner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// memory is for how long a sign counts.
const memory = time.Hour

// score is what signs there were of a container; each kind counts once.
type score struct {
	points map[string]int
	what   map[string]string
	at     map[string]int64
	kills  map[int64]bool
	killed int64
	quiet  map[string]*quiet
}

// quiet is a destination with which a container speaks long and little.
type quiet struct {
	first, last int64
	bytes       int64
}

func (s *state) of(key uint64) *score {
	c := s.scores.Of(key)
	if c.points == nil {
		*c = score{points: map[string]int{}, what: map[string]string{}, at: map[string]int64{}, kills: map[int64]bool{}, quiet: map[string]*quiet{}}
	}
	return c
}

func (s *state) add(h *family.Hit, points int, kind, what string) {
	s.of(h.Key()).add(h.Time, points, kind, what)
}

func (c *score) add(now int64, points int, kind, what string) {
	if c.points[kind] < points {
		c.points[kind], c.what[kind] = points, what
	}
	c.at[kind] = now
}

// sum is what the signs of the last hour are worth, and how many kinds there were.
func (c *score) sum(now int64) (points, kinds int) {
	for kind, at := range c.at {
		if now-at > int64(memory) {
			delete(c.points, kind)
			delete(c.what, kind)
			delete(c.at, kind)
			continue
		}
		points += c.points[kind]
		kinds++
	}
	return points, kinds
}

// told tells whether a strong sign was, which has its own rule.
func (c *score) told() bool {
	return c.points["stratum"] != 0 || c.points["command"] != 0 || c.points["pool"] != 0
}

func (c *score) lines() []string {
	var list []string
	for kind, n := range c.points {
		list = append(list, fmt.Sprintf("%d points: %s", n, c.what[kind]))
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(b, a) })
	return list
}

func (s *state) explain(h *family.Hit) string {
	c := s.of(h.Key())
	n, _ := c.sum(h.Time)
	return fmt.Sprintf("score %d: %s", n, strings.Join(c.lines(), "; "))
}

// ports are those that pools mostly have, and few others.
var ports = []uint16{3333, 3334, 4444, 5555, 7777, 9999, 14433, 14444, 45560, 45700, 10343, 20580, 9000, 18081, 5730}

const (
	mapHuge     = 0x40000
	randomXData = 2080 << 20
	mostQuiet   = 64
	quietSpan   = 10 * time.Minute
	quietRate   = 2 << 10 // bytes a second
	manyKills   = 8
)

// weak are signs that count together alone.
func (s *state) weak() []family.Look {
	in := bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No}
	toPorts := in
	toPorts.Ports = ports
	return []family.Look{
		{Kinds: "connect", Where: toPorts, Do: func(h *family.Hit) {
			if !local(h) {
				s.sign(h, 20, "port", fmt.Sprintf("connects to port %d, which pools use", h.FD.Remote.Port()))
			}
		}},
		{Kinds: "flow", Where: bulwark.Where{Container: bulwark.Yes}, Do: s.flow},
		{Kinds: "usage", Where: bulwark.Where{Container: bulwark.Yes}, Do: s.usage},
		{Kinds: "mmap", Where: huge(in), If: func(h *family.Hit) bool { return h.Num("length") >= 1<<20 && !who.Trusted(h.P, hugeUsers) }, Do: func(h *family.Hit) {
			if n := h.Num("length"); n >= randomXData && n < randomXData+(64<<20) {
				s.sign(h, 40, "memory", "takes as many huge pages as RandomX has data")
			} else {
				s.sign(h, 25, "memory", "takes huge pages")
			}
		}},
		{Kinds: family.Opens, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Write: bulwark.Yes, Paths: family.Ends("/nr_hugepages", "/nr_overcommit_hugepages")}, Do: func(h *family.Hit) {
			s.sign(h, 30, "pages", "asks the kernel for huge pages")
		}},
		{Kinds: family.Execs, Where: in, If: func(h *family.Hit) bool { return rivals(h.P) }, Do: func(h *family.Hit) {
			s.sign(h, 40, "rivals", "ends other miners: "+family.Command(h.P))
		}},
		{Kinds: "rounding", Where: bulwark.Where{Container: bulwark.Yes}, Do: func(h *family.Hit) {
			s.sign(h, 50, "rounding", "rounds numbers otherwise than to the nearest, as RandomX does")
		}},
		{Kinds: "kill", Where: in, If: func(h *family.Hit) bool { return h.Num("sig") == 9 }, Do: func(h *family.Hit) {
			c := s.of(h.Key())
			if h.Time-c.killed > int64(time.Minute) {
				clear(c.kills)
				c.killed = h.Time
			}
			if c.kills[h.Num("pid")] = true; len(c.kills) >= manyKills && !who.First(h.P) {
				clear(c.kills)
				s.sign(h, 20, "kills", fmt.Sprintf("kills %d processes within a minute", manyKills))
			}
		}},
		{Kinds: family.Execs, Where: in, If: func(h *family.Hit) bool { return h.P.File.Upper || h.P.File.Memory }, Do: func(h *family.Hit) {
			if !who.Runtime(h.P) && !who.Builds(h.P) && !who.Installs(h.P) {
				s.sign(h, 15, "drift", "runs a program that was not in the image: "+h.P.Path)
			}
		}},
	}
}

var hugeUsers = who.Names("postgres mysqld mariadbd java qemu-system-x86_ qemu-kvm oracle mongod redis-server dpdk vpp ovs-vswitchd clickhouse clickhouse-server php-fpm")

// huge is met by a mapping of huge pages.
func huge(w bulwark.Where) bulwark.Where {
	k, _ := bulwark.KindNamed("mmap")
	i := slices.IndexFunc(k.Params(), func(p bulwark.Param) bool { return p.Name == "flags" })
	w.Flags = []bulwark.FlagMatch{{Param: i, Any: mapHuge}}
	return w
}

func local(h *family.Hit) bool { a := h.FD.Remote.Addr(); return a.IsLoopback() || !a.IsValid() }

// sign counts, and tells when it is enough.
func (s *state) sign(h *family.Hit, points int, kind, what string) {
	s.add(h, points, kind, what)
	c := s.of(h.Key())
	if n, kinds := c.sum(h.Time); n >= enough && kinds >= 2 && !c.told() && n-c.points["port"] >= enough-20 {
		h.Tell("score", s.explain(h))
	}
}

// rivals tells whether a command ends miners.
func rivals(p *bulwark.Process) bool {
	if !who.Is(p, who.Names("pkill killall kill")) {
		return false
	}
	for _, a := range p.Args {
		if miners[strings.ToLower(strings.TrimPrefix(a, "/"))] || a == "xmr" || a == "cryptonight" || a == "stratum" {
			return true
		}
	}
	return false
}

// flow looks for destinations with which a container speaks for long, and little: shares of work and new work.
func (s *state) flow(h *family.Hit) {
	to := h.FD.Remote
	if local(h) || h.FD.Server || to.Addr().IsPrivate() || to.Port() == 443 && s.of(h.Key()).points["port"] == 0 && s.of(h.Key()).points["cpu"] == 0 {
		return
	}
	c := s.of(h.Key())
	q := c.quiet[to.String()]
	if q == nil {
		if len(c.quiet) >= mostQuiet {
			clear(c.quiet)
		}
		q = &quiet{first: h.Time - max(h.Num("duration"), 0)}
		c.quiet[to.String()] = q
	}
	q.last = h.Time
	q.bytes += h.Num("sent") + h.Num("received")
	age := time.Duration(q.last - q.first)
	if rate := float64(q.bytes) / max(age.Seconds(), 1); age >= quietSpan && rate < quietRate && rate > 1 {
		s.sign(h, 25, "flow", fmt.Sprintf("speaks with %s since %s at %.0f bytes a second", to, age.Round(time.Second), rate))
	}
}
