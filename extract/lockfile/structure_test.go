package lockfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"bulwark"
)

func names(f bulwark.Facts) string {
	var l []string
	for _, p := range f.Packages {
		l = append(l, p.Name)
	}
	return strings.Join(sorted(l), " ")
}

// TestNonsense gives every reader what its format never is.
func TestNonsense(t *testing.T) {
	for _, s := range samples {
		for _, content := range []string{"[[[[", "a = [[[[\n", "packages: [[[[\n", "{\"packages\": [[[[", "<<<<<<< HEAD\n", "\x00\x01\x02", "a: [\nc: 'd\n"} {
			facts, err := extract(t, s.path, content)
			if !errors.Is(err, bulwark.ErrMalformed) || len(facts.Packages) > 0 && !isText(s.path) {
				t.Errorf("Extract(%s, %q): %v, %v", s.path, content, names(facts), err)
			}
		}
	}
}

// TestWrongList gives what is no list or table where the packages belong.
func TestWrongList(t *testing.T) {
	for name, contents := range map[string][]string{
		"package-lock.json":                {`{"packages":[]}`, `{"packages":{"node_modules/a":1}}`, `{"dependencies":[{}]}`, `{"dependencies":{"a":{"version":"1","dependencies":[]}}}`, `{"packages":{"node_modules/a":{"version":1}}}`},
		"pnpm-lock.yaml":                   {"packages: 12\n", "packages: [a]\n", "packages:\n- a\n", "packages:\n  - a\n", "packages:\n  a@1.0.0: 12\n", "packages:\n  a@1.0.0:\n    - b\n", "packages:\n  text\n", "packages: |\n  a@1.0.0:\n", "packages:\n  ? 'a@1.0.0\n"},
		"bun.lock":                         {`{"packages":[]}`, `{"packages":{"a":{}}}`, `{"packages":{"a":[]}}`, `{"packages":{"a":[1]}}`, `{"packages":{"a":["a"]}}`},
		"Pipfile.lock":                     {`{"default":[]}`, `{"develop":{"a":"==1"}}`, `{"default":{"a":{"version":["==1"]}}}`},
		"poetry.lock":                      {"package = 1\n", "package = [1]\n", "[package]\nname = \"a\"\n", "[[package]]\nname = 1\nversion = \"1\"\n", "[[package]]\nversion = \"1\"\n", "[[package]]\nname = \"a\"\n"},
		"uv.lock":                          {"package = 'a'\n", "[package]\n", "[[package]]\nname = []\n"},
		"pdm.lock":                         {"package = {}\n", "[[package]]\nname = \"a\"\nversion = 1\n"},
		"Cargo.lock":                       {"package = true\n", "[package]\n", "[[package]]\n", "[[package]]\nname = \"a\"\n"},
		"go.mod":                           {"require\n", "require a.test/b\n", "require (\n\tmodule\n)\n"},
		"composer.lock":                    {`{"packages":{}}`, `{"packages":["a/b"]}`, `{"packages-dev":12}`},
		"pom.xml":                          {"<project><dependencies>a</dependencies></project>", "<dependencies/>", "<project><dependencies><dependency>a:b:1</dependency></dependencies></project>"},
		"packages.config":                  {"<packages>a 1</packages>", "<package id=\"a\" version=\"1\"/>"},
		"packages.lock.json":               {`{"dependencies":[]}`, `{"dependencies":{"net8.0":1}}`},
		"Package.resolved":                 {`{"version":2,"pins":{}}`},
		"conan.lock":                       {`{"version":"0.5","requires":{}}`},
		"renv.lock":                        {`{"Packages":[1]}`},
		"pubspec.lock":                     {"packages: 1\n", "packages:\n- a\n", "packages:\n  a: \"1\"\n", "packages:\n  a:\n    source: hosted\n"},
		"Podfile.lock":                     {"PODS: A (1)\n", "PODS:\n  A: 1\n", "PODS:\n  - A\n", "PODS:\n  - A (1\n"},
		"stack.yaml.lock":                  {"packages: 1\n", "packages:\n  a: 1\n"},
		"requirements.txt":                 {"a b\n", "a[b\n", "a==\n", "a=1\n", "a (>=1\n", "a>=1 <2\n", "==1\n"},
		"yarn.lock":                        {"a@1:\n  version \"1.0\n", "a@1\n  version \"1.0\"\n"},
		"Gemfile.lock":                     {"GEM\n  specs:\n    a (1.0\n", "gem a\n"},
		"gradle.lockfile":                  {"a:b:1\n", "a:b=c\n"},
		"mix.lock":                         {"%{\n  \"a\": {:hex, :a, \"1.0.0\",\n}\n", "[]\n"},
		"cabal.project.freeze":             {"any.a ==1.0\n"},
		"gradle/verification-metadata.xml": {"<components/>", "<verification-metadata><components>a</components></verification-metadata>"},
	} {
		for _, content := range contents {
			if facts, err := extract(t, "app/"+name, content); !errors.Is(err, bulwark.ErrMalformed) {
				t.Errorf("Extract(%s, %q): %q, %v; want ErrMalformed", name, content, names(facts), err)
			}
		}
	}
}

// TestFault: what stands before a fault is kept, and the fault's line is told.
func TestFault(t *testing.T) {
	for _, tt := range []struct{ name, content, want, line string }{
		{"package-lock.json", "{\"packages\":{\n\"node_modules/a\":{\"version\":\"1\"},\n\"node_modules/b\":{\"version\":\"2\"", "a", "line 3:"},
		{"package-lock.json", "{\"packages\":{\n\"node_modules/a\":{\"version\":\"1\"}},\n\"x\":[[[}}}}", "a", "line 3:"},
		{"package-lock.json", "{\"packages\":{\n\"node_modules/a\":{\"version\":\"1\"}}}\n}", "a", "line 3:"},
		{"bun.lock", "{\"packages\":{\n\"a\":[\"a@1\",],\n\"b\":[\"b@2\",],\n", "a b", "line 4:"},
		{"bun.lock", "{\"packages\":{\n\"a\":[\"a@1\",,]}}", "a", "line 2:"},
		{"poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package]]\nname = \"b\"\nversion = \"2\n", "a", "line 7:"},
		{"poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\nfiles = [\n  {file = \"a\"},\n", "a", "line 6:"},
		{"Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n<<<<<<< HEAD\n", "a", "line 4:"},
		{"uv.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package\n", "a", "line 5:"},
		{"pnpm-lock.yaml", "packages:\n\n  a@1.0.0:\n    resolution: {integrity: x}\n\n  b@1.0.0:\n    resolution: {integrity: \"x}\n", "a b", "line 7:"},
		{"pnpm-lock.yaml", "packages:\n\n  a@1.0.0:\n    dev: true\n   b@1.0.0:\n", "a", "line 5:"},
		{"pnpm-lock.yaml", "packages:\n  a@1.0.0:\n    dev: true\n  'b@1.0.0\n", "a", "line 4:"},
		{"pubspec.lock", "packages:\n  a:\n    version: \"1\"\n  b:\n    version: \"2\n", "a", "line 5:"},
		{"Podfile.lock", "PODS:\n  - A (1)\n  - B (2\n", "A", "line 3:"},
		{"stack.yaml.lock", "packages:\n- completed:\n    hackage: a-1@x\n- [[\n", "a", "line 4:"},
		{"requirements.txt", "a==1\n\nb[x\nc==3\n", "a b c", "line 3:"},
		{"go.mod", "module m.test/m\n\nrequire a.test/a v1.0.0\n\nx = [[[[\n", "a.test/a", "line:5:"},
		{"pom.xml", "<project><dependencies>\n<dependency><groupId>a</groupId><artifactId>a</artifactId></dependency>\n<dependency>", "a:a", "line 3:"},
		{"gradle.lockfile", "a:b:1=c\nd:e:2\n", "a:b", "line 2 "},
		{"yarn.lock", "a@1:\n  version \"1.0\"\nb@2:\n  version \"2.0\n", "a b", "line 4 "},
	} {
		facts, err := extract(t, "app/"+tt.name, tt.content)
		if got := names(facts); !errors.Is(err, bulwark.ErrMalformed) || got != tt.want || !strings.Contains(err.Error(), tt.line) {
			t.Errorf("Extract(%s, %q): %q, %v; want %q and ErrMalformed with %q", tt.name, tt.content, got, err, tt.want, tt.line)
		}
	}
}

// TestWhole: what is unusual, and right.
func TestWhole(t *testing.T) {
	for _, tt := range []struct{ name, content, want string }{
		{"poetry.lock", "package = []\n\n[metadata]\nlock-version = \"2.0\"\n", ""},
		{"poetry.lock", "\ufeff[[package]] # one\r\nname = 'a'\r\nversion = \"1\\u002e0\"\r\n", "a"},
		{"uv.lock", "version = 1\n[options]\nexclude-newer = 2024-01-01 00:00:00.5Z\nx = [-1.5e3, 0x1F, +inf, [true, ], {a.b = 'c', d = \"\"\"\"e\"\"\"\"\"}, # f\n]\n[[package]]\nname = \"a\"\n", "a"},
		{"pdm.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\nx = '''\n[[package]]\n'''\n[package.\"x y\" . z]\n", "a"},
		{"pnpm-lock.yaml", "---\n# c\n'lockfileVersion': '9.0' # d\n\npackages:\n    a@1.0.0: # e\n        resolution: {integrity: it's, b: 'c}', d: [\"e]\",\n            f]}\n        deprecated: >-\n            g: h\n            - [i\n        cpu:\n        - x64\n        x: j\n            k\n    ? 'b@1.0.0(c@2.0.0)'\n    : resolution: {integrity: x}\n      dev: true\n    c@1.0.0: {}\nsnapshots:\n  a@1.0.0: {}\n", "a b c"},
		{"pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages: {}\n", ""},
		{"pnpm-lock.yaml", "lockfileVersion: 5.3\npackages:\n  file:../local:\n    resolution: {directory: ../local}\n", ""},
		{"Podfile.lock", "PODS: []\n\nCOCOAPODS: 1.11.0\n", ""},
		{"Podfile.lock", "PODS:\n  - A (1):\n    - B (= 1)\n    - C\n  - B (1)\n\nEXTERNAL SOURCES:\n  B:\n    :path: \"../b\"\n\nSPEC REPOS:\n  https://r.test/x.git:\n    - A\n", "A B"},
		{"requirements.txt", "a[b,c]>=1,<2,\nd (==1)\nf @ https://h.test/x[y\ng==${V}\nh~=1.0;x\ni===1.0+l ; y\nj==1 \\", "a d f g h i j"},
		{"package-lock.json", "\ufeff{\"lockfileVersion\":3}\n", ""},
		{"pom.xml", "\ufeff<?xml version=\"1.0\"?>\n<!-- c -->\n<project><build><dependencies> </dependencies></build>text</project>\n<!-- d -->\n", ""},
		{"mix.lock", "%{}\n", ""},
	} {
		facts, err := extract(t, "app/"+tt.name, tt.content)
		if got := names(facts); err != nil || got != tt.want {
			t.Errorf("Extract(%s, %q): %q, %v; want %q", tt.name, tt.content, got, err, tt.want)
		}
	}
}

// TestPrefixes cuts every sample at every byte. What the format's own parser does not
// take must be told, and packages before the cut are those of the whole file.
func TestPrefixes(t *testing.T) {
	told := map[string]int{}
	for _, s := range samples {
		whole, _ := extract(t, s.path, s.content)
		all := strings.Fields(names(whole))
		last := strings.TrimSpace(s.content)
		for i := 1; i < len(last); i++ {
			cut := s.content[:i]
			facts, err := extract(t, s.path, cut)
			if err != nil {
				told[path.Base(s.path)]++
			}
			if why := invalid(s.path, cut); why != nil && !errors.Is(err, bulwark.ErrMalformed) {
				t.Errorf("Extract(%s, %q): %v, but it is cut: %v", s.path, cut, err, why)
			}
			for _, p := range facts.Packages {
				if !slices.Contains(all, p.Name) && p.Name != "app" && err == nil && !isText(s.path) {
					t.Errorf("Extract(%s, %q): package %q is not in the whole file", s.path, cut, p.Name)
				}
			}
		}
		if told[path.Base(s.path)] == 0 {
			t.Errorf("no cut of %s is told", s.path)
		}
	}
}

// isText: every beginning of a name is a name.
func isText(file string) bool { return strings.HasSuffix(file, ".txt") || path.Base(file) == "go.mod" }

// invalid is what an independent parser says; nil where there is none for the format.
func invalid(file, content string) error {
	switch {
	case strings.TrimSpace(content) == "":
		return nil
	case path.Base(file) == "bun.lock":
		return errors.New("its bracket is not closed")
	case strings.HasPrefix(content, "{"):
		var v any
		return json.Unmarshal([]byte(content), &v)
	case strings.HasPrefix(content, "<"):
		return elements(content)
	case strings.HasSuffix(file, ".yaml"), strings.HasSuffix(file, "pubspec.lock"), strings.HasSuffix(file, "Podfile.lock"), strings.HasSuffix(file, "stack.yaml.lock"):
		var v map[string]any
		return yaml.Unmarshal([]byte(content), &v)
	}
	return nil
}

func elements(content string) error {
	var v struct{}
	err := newXML([]byte(content)).Decode(&v)
	if err == io.EOF {
		return fmt.Errorf("no element")
	}
	return err
}

// TestTOMLPrefixes says of each cut whether a statement is cut, by the lines that it has.
func TestTOMLPrefixes(t *testing.T) {
	statements := []string{"a = 1\n", "[[package]]\n", "b.\"c d\" = \"e\\\"f\"\n", "g = 'h'\n", "[i.j]\n", "k = [\n  1,\n  { l = [2] },\n]\n", "m = \"\"\"\nn = [\n\"\"\"\n", "o = '''\np\n'''\n", "q = true\n"}
	for n, s := range statements {
		before := strings.Join(statements[:n], "")
		for i := 1; i < len(s)-1; i++ {
			got := scanTOML(before + s[:i])
			whole := i == len(`m = ""`) && (strings.HasSuffix(s[:i], `""`) || strings.HasSuffix(s[:i], `''`))
			if (got == nil) != whole {
				t.Errorf("%q after %q: %v", s[:i], before, got)
			}
		}
		if err := scanTOML(before + s); err != nil {
			t.Errorf("%q: %v", before+s, err)
		}
	}
}

func scanTOML(content string) error {
	scan := tomlScanner{b: []byte(content)}
	for {
		if s, err := scan.next(); s == nil || err != nil {
			return err
		}
	}
}

// FuzzYAML: what the scanner takes and a YAML parser takes, both read alike.
func FuzzYAML(f *testing.F) {
	for _, s := range samples {
		if strings.Contains(s.path, "yaml") || strings.Contains(s.path, "pubspec") || strings.Contains(s.path, "Podfile") {
			f.Add(s.content)
		}
	}
	f.Fuzz(func(t *testing.T, content string) {
		var want map[string]any
		if len(content) > 4<<10 || strings.ContainsAny(content, "&*!%?") || yaml.Unmarshal([]byte(content), &want) != nil || len(want) == 0 {
			return
		}
		got := map[string]any{}
		if eachYAML([]byte(content), func(section string, _ *yamlNode) error { got[section] = nil; return nil }) != nil {
			return // it knows less than all of YAML
		}
		for key := range want {
			want[key] = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", content, diff)
		}
	})
}
