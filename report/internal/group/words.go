package group

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"bulwark"
)

// StaleAfter is how old advisories may be before a reader is warned.
const StaleAfter = 7 * 24 * time.Hour

// Age says in words how old the advisories are, and whether that is too old. Unasked:
// nobody wanted what needs them.
func Age(run *bulwark.Run, now time.Time, unasked bool) (words string, stale bool) {
	adv := run.Data.Advisories
	switch {
	case adv == nil && unasked:
		return "vulnerabilities were not asked for", false
	case adv == nil:
		return "no advisory database, so vulnerabilities were not looked for: bulwark db update gets one", true
	}
	age := now.Sub(adv.Built)
	words = fmt.Sprintf("advisory database of %s (%s, %s)", adv.Built.UTC().Format(time.DateOnly), Count(adv.Records, "record"), days(age))
	if age > StaleAfter {
		return words + ": bulwark db update gets newer ones", true
	}
	return words, false
}

func days(d time.Duration) string {
	n := int(d.Hours() / 24)
	switch {
	case n <= 0:
		return "built today"
	case n == 1:
		return "1 day old"
	}
	return fmt.Sprintf("%d days old", n)
}

// Counts says how many there are of each severity, the worst first, leaving out
// those that there are none of.
func Counts(m map[bulwark.Severity]int) string {
	var parts []string
	for _, s := range bulwark.Severities() {
		if m[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", Number(m[s]), s))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Count is a number and what it counts: "1 package", "2,310 packages".
func Count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return Number(n) + " " + strings.TrimSuffix(what, "y") + "ies"
	}
	return Number(n) + " " + what + "s"
}

// Effect is a step of advice with what it does: the findings that it clears stand in
// its text, and their share of the risk behind it.
func Effect(ad *bulwark.Advice, a *Asset) string {
	if ad.Clears == 0 {
		return ad.Text
	}
	return ad.Text + " (" + share(ad.Risk, a.Risk) + " of the risk)"
}

// Together says what all steps of the advice do; empty where one step says it.
func Together(a *Asset) string {
	clears, risk, steps := 0, 0, 0
	for _, ad := range a.Advice {
		if ad.Clears > 0 {
			clears, risk, steps = clears+ad.Clears, risk+ad.Risk, steps+1
		}
	}
	if steps < 2 {
		return ""
	}
	return fmt.Sprintf("Together these clear %s of %s, %s of the risk", Number(clears), Count(a.Vulnerabilities, "finding"), share(risk, a.Risk))
}

// Tally says how many vulnerabilities and other findings there are, and how bad.
func Tally(a *Asset) string {
	if len(a.Packages) == 0 && a.Vulnerabilities == 0 && (a.Labels["objects"] != "" || a.Kind == "cluster") {
		s := Count(len(a.Others), "finding")
		if len(a.Others) > 0 {
			s += ": " + Counts(a.Counts)
		}
		return s
	}
	s := Count(a.Vulnerabilities, "vulnerability")
	if a.Distinct < a.Vulnerabilities {
		s = Count(a.Distinct, "vulnerability") + " (" + Count(a.Vulnerabilities, "finding") + ", one for each package)"
	}
	if n := len(a.Others); n > 0 {
		s += ", " + Count(n, "other finding")
	}
	if a.Vulnerabilities+len(a.Others) > 0 {
		s += ": " + Counts(a.Counts)
	}
	if a.Kernel > 0 {
		s += " (" + Number(a.Kernel) + " of the kernel, of which only headers are installed)"
	}
	return s
}

// share is a part of a whole in percent, and never all or nothing where it is not.
func share(part, whole int) string {
	percent := 0.0
	if whole > 0 {
		percent = 100 * float64(part) / float64(whole)
	}
	switch {
	case percent < 1:
		return "less than 1%"
	case percent > 99 && part < whole:
		return "99%"
	}
	return fmt.Sprintf("%.0f%%", percent)
}

// Unrated says what share of the vulnerabilities nobody has rated; empty when none.
func Unrated(s *bulwark.Summary) string {
	if s.Unrated <= 0 {
		return ""
	}
	return share(int(math.Round(s.Unrated*1000)), 1000) + " of the vulnerabilities have no rating yet"
}

// Number writes n with a comma at each thousand.
func Number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Formats says how many packages there are of each PURL type, the most first.
func Formats(list []*bulwark.Package) string {
	counts := map[string]int{}
	for _, p := range list {
		counts[format(p)]++
	}
	return joinCounts(counts)
}

func format(p *bulwark.Package) string {
	if t, _, ok := strings.Cut(strings.TrimPrefix(p.PURL, "pkg:"), "/"); ok {
		return t
	}
	return "other"
}

func joinCounts(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, n := range names {
		names[i] = Number(counts[n]) + " " + n
	}
	return strings.Join(names, ", ")
}

// Title is the heading of the findings of a kind that is no vulnerability.
func Title(kind string) string {
	if t, ok := titles[kind]; ok {
		return t
	}
	return kind
}

// Heading names a section for people: what Bitnami publishes is about programs, which
// are found wherever they came from.
func (s *Section) Heading() string {
	if s.Name == "Bitnami" {
		return "Programs (advisories of Bitnami)"
	}
	return s.Name
}

// Kinds is the order in which findings that are no vulnerabilities are shown.
func Kinds() []string {
	return []string{bulwark.KindMalware, bulwark.KindSecret, bulwark.KindExposure, bulwark.KindMisconfig, bulwark.KindTrust,
		bulwark.KindHost, bulwark.KindRuntime, bulwark.KindEOL, bulwark.KindOutdated}
}

var titles = map[string]string{
	bulwark.KindVulnerability: "Vulnerabilities",
	bulwark.KindEOL:           "Past or near end of life",
	bulwark.KindOutdated:      "Outdated",
	bulwark.KindSecret:        "Secrets",
	bulwark.KindMalware:       "Malware",
	bulwark.KindMisconfig:     "Misconfigurations",
	bulwark.KindExposure:      "Exposures",
	bulwark.KindTrust:         "Trust",
	bulwark.KindHost:          "Host",
	bulwark.KindRuntime:       "Runtime",
}

// Distribution says what the asset is made of, as its release tells, else as its
// packages do; "" when that is not known.
func Distribution(a *Asset) string {
	r := a.Release
	if r == nil || r.Name == "" && r.ID == "" {
		return ofPackages(a.Packages)
	}
	name := cmp.Or(r.Name, strings.TrimSpace(r.ID+" "+r.VersionID))
	if r.Point != "" && r.Point != r.VersionID {
		name += ", " + r.Point
	}
	return name
}

// ofPackages is the ecosystem of the first package that is a distribution's.
func ofPackages(list []*bulwark.Package) string {
	for _, p := range list {
		switch format(p) {
		case "deb", "rpm", "apk":
			if p.Ecosystem != "" {
				return strings.ReplaceAll(p.Ecosystem, ":", " ")
			}
		}
	}
	return ""
}
