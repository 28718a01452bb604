package dockerfile

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRealFiles parses real Dockerfiles: none fails, and few scripts have to be guessed.
func TestRealFiles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "dockerfiles", "*.Dockerfile"))
	if len(files) == 0 {
		t.Skip("SKIPPED, there is no shared/data/dockerfiles beside the repository")
	}
	scripts, guessed, commands, broken := 0, 0, 0, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		if len(f.Problems) > 0 {
			broken++
		}
		for _, p := range f.Problems {
			t.Logf("%s:%d: %s", filepath.Base(name), p.Line, p.Text)
		}
		for _, i := range f.Instructions {
			if i.Script == nil {
				continue
			}
			scripts++
			commands += len(i.Script.Commands)
			if i.Script.Guessed {
				guessed++
				t.Logf("%s:%d: guessed: %.300q", filepath.Base(name), i.First, i.Script.Text)
			}
			for k := range i.Script.Commands {
				if c := &i.Script.Commands[k]; c.Line < i.First || c.Line > i.Last {
					t.Errorf("%s:%d-%d: a command on line %d", filepath.Base(name), i.First, i.Last, c.Line)
				}
			}
		}
	}
	t.Logf("%d files, %d scripts, %d guessed, %d commands", len(files), scripts, guessed, commands)
	if broken > 1 { // one of them is an array over several lines without escapes, which no builder takes
		t.Errorf("%d files with instructions that BuildKit would refuse", broken)
	}
	if guessed*50 > scripts {
		t.Errorf("%d of %d scripts had to be guessed", guessed, scripts)
	}
}
