package attack

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bulwark"
)

const manifests = "../../../shared/data/manifests" // of public projects, which lie beside the repository

// families are the checks that look at Kubernetes objects.
var families = []string{"workload/", "rbac/", "secrets/", "exposure/", "cluster/", "manifest/", "policy/"}

// TestSample prints, with -v, 300 findings of the default flags over all collections of
// manifests: what docs/accuracy.md judges. Each rule of each collection gives one in turn until there
// are enough, those of one rule in the order of the hashes of their lines. Attacks of one kind repeat:
// of a rule and kind of badpods one file counts.
func TestSample(t *testing.T) {
	folders, err := os.ReadDir(manifests)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the collections of manifests are not there: ", manifests)
	}
	strata, total := map[string][]string{}, 0
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		name := folder.Name()
		for _, f := range scan(t, filepath.Join(manifests, name), "--quiet") {
			if !slices.ContainsFunc(families, func(p string) bool { return strings.HasPrefix(f.Rule, p) }) {
				continue
			}
			total++
			stratum := name + " " + f.Rule
			if name == "badpods" {
				stratum += " " + strings.Split(f.Path, "/")[1]
			}
			if name == "badpods" && len(strata[stratum]) > 0 {
				continue
			}
			strata[stratum] = append(strata[stratum], line(name, f))
		}
	}
	drawn := draw(strata, 300)
	t.Logf("%d findings, %d of them drawn", total, len(drawn))
	for _, text := range drawn {
		t.Log(text)
	}
	if len(drawn) < 300 {
		t.Errorf("%d findings were drawn", len(drawn))
	}
}

func line(name string, f bulwark.Finding) string {
	return f.Severity.String() + " " + f.Rule + " " + f.Subject + " " + name + "/" + f.Path + ":" + strconv.Itoa(f.Line) + " | " + strings.Join(f.Evidence, "; ")
}

// draw takes n lines, one of each stratum in turn.
func draw(strata map[string][]string, n int) []string {
	var names, out []string
	for name, lines := range strata {
		names = append(names, name)
		slices.SortFunc(lines, func(a, b string) int { return strings.Compare(bulwark.Key("", "", a, ""), bulwark.Key("", "", b, "")) })
	}
	slices.Sort(names)
	for turn, more := 0, true; more && len(out) < n; turn++ {
		more = false
		for _, name := range names {
			if turn < len(strata[name]) && len(out) < n {
				out, more = append(out, strata[name][turn]), true
			}
		}
	}
	slices.Sort(out)
	return out
}
