package group

import (
	"strings"

	"bulwark"
)

// few findings of one rule are shown each by itself.
const few = 3

// Crowds puts findings of low severity that one rule makes of more than a few objects
// together: what every workload of a folder lacks is one line. lists are as [Alike] gives
// them; their order is that of the first of each.
func Crowds(lists [][]*bulwark.Finding) [][]*bulwark.Finding {
	count := map[string]int{}
	for _, l := range lists {
		if crowded(l[0]) {
			count[l[0].Rule] += len(l)
		}
	}
	var out [][]*bulwark.Finding
	at := map[string]int{}
	for _, l := range lists {
		rule := l[0].Rule
		if !crowded(l[0]) || count[rule] <= few {
			out = append(out, l)
			continue
		}
		i, ok := at[rule]
		if !ok {
			i = len(out)
			at[rule] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], l...)
	}
	return out
}

func crowded(f *bulwark.Finding) bool {
	return f.Severity <= bulwark.SeverityLow && Object(f) != ""
}

// Object is the Kubernetes object that a finding is about, without its namespace
// ("Deployment/web"); "" when it is about something else.
func Object(f *bulwark.Finding) string {
	if f.Kind != bulwark.KindMisconfig && f.Kind != bulwark.KindExposure || f.Subject == f.Path {
		return ""
	}
	parts := strings.SplitN(f.Subject, "/", 3)
	if len(parts) == 3 {
		parts = parts[1:]
	}
	if len(parts) != 2 || parts[0] == "" || parts[0][0] < 'A' || parts[0][0] > 'Z' || parts[1] == "" {
		return ""
	}
	return parts[0] + "/" + parts[1]
}
