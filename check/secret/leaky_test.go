package secret

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// leaky are repositories as people leave them, as templates.
//
//go:embed testdata/leaky/*.txt
var leaky embed.FS

// leakyFile is a file of such a repository. Its lines say whether they hold a secret.
type leakyFile struct {
	path   string
	text   strings.Builder
	lines  int
	truths []int // lines that hold a secret
	near   []int // lines that hold what looks like one
}

// leakyFiles fills in a repository.
func leakyFiles(t *testing.T, name string) []*leakyFile {
	t.Helper()
	data, err := leaky.ReadFile("testdata/leaky/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []*leakyFile
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if path, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(path, " --") {
			out = append(out, &leakyFile{path: strings.TrimSuffix(path, " --")})
			continue
		}
		if len(out) > 0 {
			out[len(out)-1].add(t, line, uint64(i))
		}
	}
	return out
}

// add takes a line of the template, which may become several.
func (f *leakyFile) add(t *testing.T, line string, seed uint64) {
	t.Helper()
	text := strings.TrimSuffix(fill(t, line[1:], seed), "\n") + "\n"
	text = strings.NewReplacer("«", "{{", "»", "}}").Replace(text) // of templates of other tools
	switch line[0] {
	case '+':
		f.truths = append(f.truths, f.lines+1)
	case '-':
		f.near = append(f.near, f.lines+1)
	case ' ':
	default:
		t.Fatalf("%s: %q begins with no label", f.path, line)
	}
	f.text.WriteString(text)
	f.lines += strings.Count(text, "\n")
}

// TestLeaky measures what is found in them, and what is found falsely.
func TestLeaky(t *testing.T) {
	i := New(Options{})
	for _, tt := range []struct {
		name              string
		recall, precision float64 // at least
	}{
		{"service", 0.95, 0.95},
		{"machine", 0.90, 0.95},
	} {
		truths, hits, falses, near := 0, 0, 0, 0
		files := leakyFiles(t, tt.name)
		for _, f := range files {
			facts, err := inspect(t, i, f.path, []byte(f.text.String()), 4096)
			if err != nil {
				t.Errorf("%s: %v", f.path, err)
			}
			found := map[int]bool{}
			for _, x := range facts.Findings {
				found[max(1, x.Line)] = true
				if !slices.Contains(f.truths, max(1, x.Line)) {
					falses++
					t.Logf("%s: %s:%d is found falsely: %s", tt.name, f.path, x.Line, x.Rule)
				}
			}
			for _, line := range f.truths {
				if found[line] {
					hits++
				} else {
					t.Logf("%s: %s:%d is missed", tt.name, f.path, line)
				}
			}
			truths, near = truths+len(f.truths), near+len(f.near)
		}
		recall, precision := float64(hits)/float64(truths), float64(hits)/float64(hits+falses)
		fmt.Printf("leaky %s: %d files, %d secrets, %d near misses: recall %.1f %%, precision %.1f %%\n", tt.name, len(files), truths, near, 100*recall, 100*precision)
		if recall < tt.recall || precision < tt.precision {
			t.Errorf("%s: recall %.3f, precision %.3f; at least %.2f and %.2f", tt.name, recall, precision, tt.recall, tt.precision)
		}
	}
}
