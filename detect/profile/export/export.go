// Package export makes of a profile what holds containers to it: a seccomp profile, an AppArmor profile, a list of
// capabilities, a NetworkPolicy and a security context. Each line is explained by the event that it comes from, or by
// what every container needs.
package export

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bulwark/detect/profile"
)

// Format makes one kind of document.
type Format struct {
	Name, Summary string
	Write         func(*profile.Profile) (string, error)
}

// Formats are all of them.
func Formats() []Format {
	return []Format{
		{"explained", "all that was learned, with the events that showed it", Explained},
		{"seccomp", "a seccomp profile (OCI JSON; for Docker and Kubernetes)", Seccomp},
		{"apparmor", "an AppArmor profile", AppArmor},
		{"capabilities", "the capabilities to keep", CapabilityList},
		{"networkpolicy", "a NetworkPolicy for Kubernetes", NetworkPolicy},
		{"securitycontext", "a patch of a workload's securityContext for Kubernetes", SecurityContext},
		{"in-use", "the files that were executed or loaded, for bulwark scan --in-use", InUse},
	}
}

// Named finds a format.
func Named(name string) (Format, bool) {
	i := slices.IndexFunc(Formats(), func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return Formats()[i], true
}

// head are the lines that every document begins with, without the signs of a comment.
func head(p *profile.Profile, what string) []string {
	lines := []string{
		what + " for containers of " + Name(p),
		fmt.Sprintf("learned from %s to %s: %s of running, %d starts", p.From.UTC().Format("2006-01-02 15:04"), p.To.UTC().Format("2006-01-02 15:04"), span(p.Seconds), p.Starts),
	}
	if p.ID != "" {
		lines = append(lines, "image "+clean(p.ID))
	}
	if why := p.Thin(); why != "" {
		lines = append(lines, "WARNING: it may lack what they need: "+why)
	}
	for _, set := range slices.Sorted(maps.Keys(p.Full)) {
		lines = append(lines, fmt.Sprintf("WARNING: there was no room for all %s: %d times one was left out", clean(set), p.Full[set]))
	}
	return lines
}

func span(seconds int64) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("%d min", seconds/60)
	}
	return fmt.Sprintf("%d h", seconds/3600)
}

// comment writes lines behind a sign.
func comment(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("# " + clean(l) + "\n")
	}
	return b.String()
}

// clean keeps a text in its line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

// Name is what people call the image.
func Name(p *profile.Profile) string {
	return clean(cmp.Or(p.Image, p.ID, p.Digest, "an unknown image"))
}

// Slug is a name for files and objects: letters, digits and "-".
func Slug(p *profile.Profile) string {
	s := Name(p)
	s, _, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, '/'); i >= 0 && i+1 < len(s) {
		s = s[i+1:]
	}
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s = strings.Trim(b.String()[:min(b.Len(), 50)], "-")
	return cmp.Or(s, "image")
}

// quote makes a text one of YAML and JSON.
func quote(s string) string { return strconv.Quote(s) }

// Explained lists all that was learned.
func Explained(p *profile.Profile) (string, error) {
	var b strings.Builder
	b.WriteString(comment(head(p, "What was learned")))
	section := func(title string, keys []string, why func(string) string) {
		fmt.Fprintf(&b, "\n%s (%d)\n", title, len(keys))
		for _, k := range keys {
			fmt.Fprintf(&b, "  %-40s %s\n", clean(k), clean(why(k)))
		}
	}
	uses := func(title string, m map[string]*profile.Use) {
		section(title, slices.Sorted(maps.Keys(m)), func(k string) string { return m[k].String() })
	}
	uses("Executables", p.Executables)
	section("Files", slices.Sorted(maps.Keys(p.Files)), func(k string) string { return fileWhy(p.Files[k]) })
	section("Destinations", slices.Sorted(maps.Keys(p.Destinations)), func(k string) string { return p.Destinations[k].String() })
	section("Listeners", slices.Sorted(maps.Keys(p.Listeners)), func(k string) string { return p.Listeners[k].String() })
	section("Clients", slices.Sorted(maps.Keys(p.Peers)), func(k string) string { return p.Peers[k].String() })
	uses("Names that were asked for", p.Names)
	uses("System calls", p.Syscalls)
	caps := Capabilities(p)
	section("Capabilities", slices.Sorted(maps.Keys(caps)), func(k string) string { return caps[k] })
	uses("Users", p.Users)
	uses("Programs that gave rights", p.Gains)
	uses("Written outside volumes", p.Changes)
	section("Files that were executed or loaded", slices.Sorted(maps.Keys(p.Loaded)), func(k string) string { return p.Loaded[k] })
	return b.String(), nil
}

func fileWhy(f *profile.File) string {
	var parts []string
	for _, one := range []struct {
		how string
		use *profile.Use
	}{{"read", f.Read}, {"written", f.Write}, {"loaded as code", f.Map}} {
		if one.use != nil {
			parts = append(parts, one.how+": "+one.use.String())
		}
	}
	return strings.Join(parts, "; ")
}
