package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/detect/profile"
)

// SecurityContext is a patch (strategic merge) of a Deployment, StatefulSet, DaemonSet or Job.
func SecurityContext(p *profile.Profile) (string, error) {
	var b strings.Builder
	b.WriteString(comment(head(p, "securityContext")))
	fmt.Fprintf(&b, "# kubectl patch deployment NAME --patch-file FILE\nspec:\n  template:\n    spec:\n      containers:\n      - name: %s # change it to the container's name\n        securityContext:\n", quote(Slug(p)))
	line := func(why, text string) { fmt.Fprintf(&b, "          # %s\n          %s\n", clean(why), text) }
	for _, dir := range slices.Sorted(maps.Keys(p.Changes)) {
		fmt.Fprintf(&b, "          # written outside volumes: %s (%s); an emptyDir mounted there would allow readOnlyRootFilesystem: true\n", clean(dir), clean(p.Changes[dir].String()))
	}
	line(either(len(p.Changes) == 0, "nothing was written outside volumes", "something was written outside volumes, see above"), fmt.Sprintf("readOnlyRootFilesystem: %v", len(p.Changes) == 0))
	for _, name := range slices.Sorted(maps.Keys(p.Gains)) {
		fmt.Fprintf(&b, "          # gave rights that its caller had not: %s (%s)\n", clean(name), clean(p.Gains[name].String()))
	}
	line(either(len(p.Gains) == 0, "no program gave its caller rights that it had not", "programs that give rights were used, see above"), fmt.Sprintf("allowPrivilegeEscalation: %v", len(p.Gains) > 0))
	users(p, line)
	b.WriteString("          capabilities:\n            drop: [ALL]\n")
	caps := Capabilities(p)
	if len(caps) > 0 {
		b.WriteString("            add:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(caps)) {
		fmt.Fprintf(&b, "            # %s\n            - %s\n", clean(caps[name]), quote(strings.TrimPrefix(name, "CAP_")))
	}
	if len(p.Syscalls) > 0 {
		fmt.Fprintf(&b, "          # %d system calls were seen: the file of bulwark profile export -f seccomp, in /var/lib/kubelet/seccomp/profiles of each node\n", len(p.Syscalls))
		fmt.Fprintf(&b, "          seccompProfile:\n            type: Localhost\n            localhostProfile: %s\n", quote("profiles/bulwark-"+Slug(p)+".json"))
	} else {
		b.WriteString("          # system calls were not seen\n          seccompProfile:\n            type: RuntimeDefault\n")
	}
	return b.String(), nil
}

func users(p *profile.Profile, line func(why, text string)) {
	list := slices.Sorted(maps.Keys(p.Users))
	switch {
	case len(list) == 0:
	case p.Users["0"] != nil:
		line("programs ran as root: "+p.Users["0"].String(), "runAsNonRoot: false")
	default:
		line("no program ran as root: "+p.Users[list[0]].String(), "runAsNonRoot: true")
		if len(list) == 1 {
			line("all programs ran as this user", "runAsUser: "+list[0])
		}
	}
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
