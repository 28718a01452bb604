package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/detect/profile"
)

// given are what every container has and needs, with why.
var given = []struct{ rule, why string }{
	{"/ r,", "the root itself"},
	{"/dev/{null,zero,full,random,urandom,tty,console,ptmx} rw,", "devices that every container has; standard streams may be one"},
	{"/dev/pts/[0-9]* rw,", "the terminal, where there is one"},
	{"/proc/{meminfo,cpuinfo,stat,loadavg,filesystems,version,uptime,sys/kernel/*,sys/vm/overcommit_memory} r,", "libraries ask how large the machine is"},
	{"/sys/devices/system/cpu/** r,", "libraries ask how large the machine is"},
	{"/sys/fs/cgroup/** r,", "libraries ask for limits of memory and CPU"},
	{"signal (receive) peer=unconfined,", "the engine stops the container"},
	{"signal (send, receive) peer=@{profile_name},", "processes of the container signal each other"},
	{"unix (create, bind, listen, accept, connect, send, receive, getattr, setattr, getopt, setopt, shutdown),", "sockets of the container's own processes"},
}

// AppArmor is a profile that needs no other file: load it with apparmor_parser -r FILE.
func AppArmor(p *profile.Profile) (string, error) {
	var b strings.Builder
	b.WriteString(comment(head(p, "AppArmor profile")))
	fmt.Fprintf(&b, "# docker run --security-opt apparmor=bulwark-%s; Kubernetes: securityContext.appArmorProfile\n", Slug(p))
	fmt.Fprintf(&b, "\nprofile bulwark-%s flags=(attach_disconnected,mediate_deleted) {\n", Slug(p))
	line := func(rule, why string) { fmt.Fprintf(&b, "  # %s\n  %s\n", clean(why), rule) }
	for _, g := range given {
		line(g.rule, g.why)
	}
	b.WriteByte('\n')
	caps := Capabilities(p)
	for _, name := range slices.Sorted(maps.Keys(caps)) {
		if word, ok := strings.CutPrefix(name, "CAP_"); ok && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
			line("capability "+strings.ToLower(word)+",", caps[name])
		}
	}
	families(p, line)
	b.WriteByte('\n')
	for _, name := range slices.Sorted(maps.Keys(p.Executables)) {
		if strings.HasPrefix(name, "/") {
			line(pattern(name)+" mrix,", p.Executables[name].String())
		}
	}
	b.WriteByte('\n')
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		if strings.HasPrefix(name, "/") {
			line(fileRule(name, p.Files[name]), fileWhy(p.Files[name]))
		}
	}
	b.WriteString("}\n")
	return b.String(), nil
}

// families says which networks are used.
func families(p *profile.Profile, line func(rule, why string)) {
	seen := map[string]string{}
	note := func(proto, net, why string) {
		kind := map[string]string{"tcp": "stream", "udp": "dgram", "sctp": "seqpacket"}[proto]
		if kind == "" {
			return
		}
		family := "inet"
		if strings.Contains(net, ":") {
			family = "inet6"
		}
		if rule := "network " + family + " " + kind + ","; seen[rule] == "" {
			seen[rule] = why
		}
	}
	for _, k := range slices.Sorted(maps.Keys(p.Destinations)) {
		note(p.Destinations[k].Proto, p.Destinations[k].Net, p.Destinations[k].String())
	}
	for _, k := range slices.Sorted(maps.Keys(p.Listeners)) {
		l := p.Listeners[k]
		note(l.Proto, "", l.String())
		note(l.Proto, ":", l.String())
	}
	if len(seen) > 0 {
		seen["network netlink raw,"] = "libraries ask for the addresses of the machine before they connect"
		if seen["network inet dgram,"] == "" {
			seen["network inet dgram,"] = "libraries ask by such a socket which address they have"
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(seen)) {
		line(rule, seen[rule])
	}
}

// fileRule allows what was done with a file, or with all below a folder.
func fileRule(name string, f *profile.File) string {
	mode := ""
	if f.Map != nil {
		mode += "m"
	}
	if f.Read != nil || f.Map != nil {
		mode += "r"
	}
	if f.Write != nil {
		mode = strings.TrimSuffix(mode, "r") + "rwkl"
	}
	if strings.HasSuffix(name, "/") {
		return pattern2(name, "{,**}") + " " + mode + ","
	}
	return pattern2(name, "{,/}") + " " + mode + "," // a folder has a "/" at its end here
}

func pattern(name string) string { return pattern2(name, "") }

// pattern2 writes a path so that only itself is meant, followed by a pattern.
func pattern2(name, after string) string {
	own := ""
	if rest, ok := strings.CutPrefix(name, "/proc/*/task/*/"); ok {
		own, name = "/proc/*/task/*/", rest
	} else if rest, ok := strings.CutPrefix(name, "/proc/*"); ok {
		own, name = "/proc/*", rest
	}
	var b strings.Builder
	b.WriteString(own)
	for i := range len(name) {
		switch c := name[i]; {
		case strings.IndexByte(`*?[]{}^\",@`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + after + `"`
}
