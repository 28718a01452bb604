//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bulwark"
)

// meets is what Where says, in plain words; events are of the node itself.
func meets(e *bulwark.Event, w bulwark.Where) bool {
	failed := e.Result < 0
	if w.Container == bulwark.Yes || w.Failed == bulwark.Yes && !failed || w.Failed == bulwark.No && failed {
		return false
	}
	if w.Write != bulwark.Either {
		flags, ok := e.Arg("flags")
		mode := flags.Num & unix.O_ACCMODE
		if !ok || !strings.HasPrefix(e.Kind.String(), "open") {
			return false
		}
		if (mode == unix.O_WRONLY || mode == unix.O_RDWR) != (w.Write == bulwark.Yes) {
			return false
		}
	}
	for _, f := range w.Flags {
		if f.Param >= len(e.Args) || e.Args[f.Param].Num&f.Any == 0 {
			return false
		}
	}
	if w.Climbs && !slices.ContainsFunc(given(e), func(s string) bool { return strings.Contains(s, "../") }) {
		return false
	}
	if len(w.Paths) > 0 && !slices.ContainsFunc(w.Paths, func(m bulwark.PathMatch) bool { return hasPath(e, m, w.AsGiven) }) {
		return false
	}
	if len(w.Ports) > 0 && !(e.FD.Remote.IsValid() && slices.Contains(w.Ports, e.FD.Remote.Port())) {
		return false
	}
	return len(w.Nets) == 0 || slices.ContainsFunc(w.Nets, func(n netip.Prefix) bool { return n.Contains(e.FD.Remote.Addr()) })
}

// given are the paths that were asked for.
func given(e *bulwark.Event) (texts []string) {
	for i, p := range e.Kind.Params() {
		if p.Type == bulwark.ParamPath && i < len(e.Args) {
			texts = append(texts, string(e.Args[i].Text))
		}
	}
	return texts
}

func hasPath(e *bulwark.Event, m bulwark.PathMatch, asGiven bool) bool {
	texts := []string{string(e.FD.Name)}
	if opened := strings.HasPrefix(e.Kind.String(), "open") && e.Result >= 0 && len(e.FD.Name) > 0; asGiven || !opened {
		texts = append(texts, given(e)...)
	}
	return slices.ContainsFunc(texts, func(s string) bool {
		switch m.By {
		case bulwark.PathIs:
			return s == m.Text
		case bulwark.PathBegins:
			return strings.HasPrefix(s, m.Text)
		case bulwark.PathHas:
			return strings.Contains(s, m.Text)
		}
		return strings.HasSuffix(s, m.Text)
	})
}

// deeds does the same things each time, to files and sockets of which interests may speak.
type deeds struct {
	dir   string
	files []string
	ends  []netip.AddrPort
}

func newDeeds(t *testing.T) *deeds {
	d := &deeds{dir: t.TempDir()}
	for _, name := range []string{"a", "a.conf", "shadow", strings.Repeat("long", 30) + ".key", "b\xff", "missing"} {
		d.files = append(d.files, filepath.Join(d.dir, name))
		if name != "missing" {
			if err := os.WriteFile(d.files[len(d.files)-1], []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.files = append(d.files, filepath.Join(d.dir, "link"), "/etc/passwd", "/etc/shadow", "/etc", ".")
	up := strings.Repeat("/.", 3) + "/../" + filepath.Base(d.dir) // two dots in different words of eight bytes
	d.files = append(d.files, d.dir+up+"/a", d.dir+"/"+up+"/a.conf", d.dir+"//"+up+"/a", d.dir+"///"+up+"/a", d.dir+"////"+up+"/a", d.dir+"/.a./..a", d.dir+strings.Repeat("/.", 300)+"/../x")
	if err := os.Symlink("/etc/passwd", filepath.Join(d.dir, "link")); err != nil {
		t.Fatal(err)
	}
	over := filepath.Join(d.dir, "over") // its name is not that of the file that is mounted there
	if err := os.WriteFile(over, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(d.files[2], over, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(over, unix.MNT_DETACH) })
	d.files = append(d.files, over, filepath.Join(d.dir, "sock"))
	for _, a := range []string{"127.0.0.1:9", "127.0.0.2:4444", "127.1.2.3:80", "[::1]:9", "[::ffff:127.0.0.5]:4444"} {
		d.ends = append(d.ends, netip.MustParseAddrPort(a))
	}
	return d
}

var touched = []string{"openat", "connect", "unlinkat", "fchmodat", "renameat", "chdir", "sendto"}

func (d *deeds) do() {
	for i, f := range d.files {
		for _, flags := range []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR | unix.O_APPEND, unix.O_RDONLY | unix.O_NONBLOCK} {
			if strings.HasPrefix(f, "/etc") && flags&unix.O_ACCMODE != 0 {
				continue
			}
			if fd, err := unix.Openat(unix.AT_FDCWD, f, flags|unix.O_CLOEXEC, 0); err == nil {
				unix.Close(fd)
			}
		}
		if strings.HasPrefix(f, d.dir) {
			d.enter(f)
			d.call(f)
			_ = unix.Fchmodat(unix.AT_FDCWD, f, 0o600|uint32(i&1)<<6, 0)
			_ = unix.Unlinkat(unix.AT_FDCWD, f+"/none", 0)
			_ = unix.Renameat(unix.AT_FDCWD, f, unix.AT_FDCWD, f+"~")
			_ = unix.Renameat(unix.AT_FDCWD, f+"~", unix.AT_FDCWD, f)
		}
	}
	for _, a := range d.ends {
		var to unix.Sockaddr = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
		family := unix.AF_INET6
		if a.Addr().Is4() {
			to, family = &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, unix.AF_INET
		}
		for _, kind := range []int{unix.SOCK_STREAM | unix.SOCK_NONBLOCK, unix.SOCK_DGRAM} {
			if fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0); err == nil {
				_ = unix.Connect(fd, to)
				unix.Close(fd)
			}
		}
		if fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
			_ = unix.Sendto(fd, []byte("hello"), 0, to)
			unix.Close(fd)
		}
	}
}

// enter changes into the folder of a file, from the one above it, and back.
func (d *deeds) enter(f string) {
	back, err := os.Getwd()
	if err != nil {
		return
	}
	dir := filepath.Dir(f)
	if unix.Chdir(filepath.Dir(dir)) == nil {
		_ = unix.Chdir(filepath.Base(dir))
	}
	_ = unix.Chdir(back)
}

// call asks for a local service that is not there, by a stream and by a single message.
func (d *deeds) call(f string) {
	to := &unix.SockaddrUnix{Name: f}
	if fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		_ = unix.Connect(fd, to)
		unix.Close(fd)
	}
	if fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
		_ = unix.Sendto(fd, []byte("hello"), 0, to)
		unix.Close(fd)
	}
}

// wheres makes up conditions.
func (d *deeds) wheres(r *rand.Rand) (list []bulwark.Where) {
	tri := func() bulwark.Tri {
		if r.IntN(3) > 0 {
			return bulwark.Either
		}
		return bulwark.Tri(r.IntN(3))
	}
	n := 1 + r.IntN(3)
	if r.IntN(7) == 0 {
		n = 30 // more than the kernel tells apart
	}
	for range n {
		w := bulwark.Where{Container: tri(), Failed: tri(), AsGiven: r.IntN(3) == 0, Climbs: r.IntN(6) == 0}
		if r.IntN(3) == 0 {
			w.Write = tri()
		}
		if r.IntN(4) == 0 {
			w.Flags = append(w.Flags, bulwark.FlagMatch{Param: r.IntN(5), Any: 1 << r.IntN(12)})
		}
		if r.IntN(5) > 0 {
			for range 1 + r.IntN(4) {
				f := d.files[r.IntN(len(d.files))]
				m := bulwark.PathMatch{By: bulwark.PathBy(r.IntN(4)), Text: f}
				switch m.By {
				case bulwark.PathHas:
					m.Text = f[r.IntN(len(f)):]
					m.Text = m.Text[:1+r.IntN(len(m.Text))]
				case bulwark.PathBegins:
					m.Text = f[:1+r.IntN(len(f))]
				case bulwark.PathEnds:
					m.Text = f[r.IntN(len(f)):]
				}
				w.Paths = append(w.Paths, m)
			}
		}
		if r.IntN(4) == 0 {
			w.Ports = []uint16{[]uint16{9, 80, 4444, 1}[r.IntN(4)]}
		}
		if r.IntN(5) == 0 {
			n := d.ends[r.IntN(len(d.ends))].Addr().Unmap()
			w.Nets = []netip.Prefix{netip.PrefixFrom(n, n.BitLen()-r.IntN(9))}
		}
		list = append(list, w)
	}
	return list
}

func likeness(e *bulwark.Event) string {
	s := fmt.Sprint(e.Kind, " ", e.Process.PID, " ", e.Result, " ", e.FD.Kind, " ", e.FD.Remote)
	for _, a := range e.Args {
		s += fmt.Sprintf(" %d %q", a.Num, a.Text)
	}
	return s
}

// TestFilterDropsNothingThatIsWanted holds the kernel's filter to what Where says: of everything that happened, it gives
// at least what the interest wants.
func TestFilterDropsNothingThatIsWanted(t *testing.T) {
	needRoot(t)
	d := newDeeds(t)
	everything := watch(t, &Sensor{Self: true}, kinds(touched...))
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	proven := 0
	for round := range rounds {
		r := rand.New(rand.NewPCG(6, uint64(round)))
		want := bulwark.Interest{}
		for _, k := range touched {
			want[kindNamed(k)] = d.wheres(r)
		}
		w := watch(t, &Sensor{Self: true}, want)
		before := len(everything.all())
		d.do()
		time.Sleep(3 * tick)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		given := w.all()
		for i := range given {
			if given[i].Process != nil { // else it tells of drops
				got[likeness(&given[i])]++
			}
		}
		if c := w.Counts()[1]; c.Dropped > 0 {
			t.Logf("round %d: others overran the sensor: %+v", round, c)
			continue
		}
		wanted, all := 0, everything.all()[before:]
		for i := range all {
			e := &all[i]
			if !about(d, e) {
				continue
			}
			for _, one := range want[e.Kind] {
				if meets(e, one) {
					wanted++
					if got[likeness(e)]--; got[likeness(e)] < 0 {
						t.Fatalf("round %d: not given: %s %q\nwanted by %+v", round, likeness(e), e.FD.Name, one)
					}
					break
				}
			}
		}
		c := w.Counts()[1]
		t.Logf("round %d: of %d events %d are wanted, %d given, %+v", round, len(all), wanted, len(given), c)
		if wanted > 0 && c.Filtered > 0 {
			proven++
		}
	}
	if proven <= rounds/2 { // by chance a round wants nothing of what is done
		t.Errorf("only %d rounds of %d prove something", proven, rounds)
	}
}

// about leaves out what happens between the two sensors' beginnings and ends.
func about(d *deeds, e *bulwark.Event) bool {
	if e.Process == nil || e.Process.PID != os.Getpid() {
		return false
	}
	if e.FD.Remote.IsValid() {
		return slices.ContainsFunc(d.ends, func(a netip.AddrPort) bool { return unmap(a) == unmap(e.FD.Remote) })
	}
	if strings.HasPrefix(string(e.FD.Name), d.dir) {
		return true
	}
	return slices.ContainsFunc(e.Args, func(a bulwark.Arg) bool { return strings.HasPrefix(string(a.Text), d.dir) })
}

// TestFilterSeesWhereChdirLed: the text that is given says nothing of the folder that is meant.
func TestFilterSeesWhereChdirLed(t *testing.T) {
	needRoot(t)
	dir := filepath.Join(t.TempDir(), "inner")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w := watch(t, &Sensor{Self: true}, bulwark.Interest{kindNamed("chdir"): {{Paths: []bulwark.PathMatch{{By: bulwark.PathBegins, Text: dir}}}}})
	t.Chdir(filepath.Dir(dir))
	if err := unix.Chdir("inner"); err != nil {
		t.Fatal(err)
	}
	w.find(t, "the folder", func(e *bulwark.Event) bool { return string(e.FD.Name) == dir })
	if all := w.all(); len(all) != 1 {
		t.Errorf("%d events are given, want the one that is about the folder", len(all))
	}
}

// TestFlagsAreThoseOfTheirArgument: numbers that stand side by side come into the record as one; what parameter is a copy of what
// argument is as the table says.
func TestFlagsAreThoseOfTheirArgument(t *testing.T) {
	for line := range strings.Lines(sources) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		c, param := &call{}, 0
		copy(c.Ops[:], ops[words[0]])
		for _, w := range words[1:] {
			if strings.ContainsAny(w[:1], "anW") {
				continue // no parameter
			}
			want, err := strconv.ParseUint(w, 10, 8)
			got, ok := source(c, param)
			switch {
			case err == nil && (!ok || uint64(got) != want):
				t.Errorf("%s: parameter %d is argument %d by the table, source says %d, %v", words[0], param, want, got, ok)
			case err != nil && ok && !(w == "r" && got == 6):
				t.Errorf("%s: parameter %d is %q, source says it is argument %d", words[0], param, w, got)
			}
			param++
		}
	}
}
