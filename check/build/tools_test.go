package build

import (
	"testing"

	"bulwark"

	"github.com/google/go-cmp/cmp"
)

func TestInstalled(t *testing.T) {
	for line, want := range map[string]string{
		"npm install -g typescript":                          "npm typescript",
		"npm i --global @scope/tool":                         "npm @scope/tool",
		"npm install -g typescript@5.4.2 && x":               "",
		"npm install -g typescript@latest":                   "npm typescript@latest",
		"npm install":                                        "",
		"npm ci":                                             "",
		"npx --yes cowsay hi":                                "npx cowsay",
		"npx -y cowsay@1.6.0 hi":                             "",
		"pipx run a==1 b":                                    "",
		"npx eslint .":                                       "", // that of the lock file
		"pip install flask":                                  "pip flask",
		"sudo pip3 install --upgrade pip setuptools":         "",
		"python -m pip install -U pip tox":                   "pip tox",
		"pip install 'flask>=3' -r x.txt":                    "",
		"pip install -r requirements.txt":                    "",
		"pip install -e .":                                   "",
		"pip install . && pip list":                          "",
		"pip install --require-hashes flask":                 "",
		"pip install dist/*.whl":                             "",
		"pip install $PKG":                                   "",
		"pipx run build":                                     "",
		"gem install bundler":                                "gem bundler",
		"gem install bundler -v 2.5":                         "",
		"cargo install cross":                                "cargo cross",
		"cargo install cross --version 0.2":                  "",
		"cargo install --path .":                             "",
		"go install golang.org/x/tools/cmd/goimports@latest": "go golang.org/x/tools/cmd/goimports@latest",
		"go install ./...":                                   "",
		"go install golang.org/x/vuln/cmd/govulncheck@v1":    "",
		"# pip install flask":                                "",
		"echo pip install flask":                             "",
	} {
		if got := installed(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestTools(t *testing.T) {
	text := steps("push", "      - uses: a/b@"+sha+"\n        with: {version: latest}\n      - run: |\n          x\n          pip install flask\n      - run: ${{ format('{0}{1}', 'cu', 'rl') }} x ${{ format('{0}', matrix.x) }} ${{ hashFiles('a') }} ${{ fromJSON('[1]')[0] }}\n")
	found, _ := judgeText(t, "github-workflow", text)
	want := []string{"low* unpinned-tool 8 version: latest, of a/b", "low* unpinned-tool 11 pip flask has no version: pip install flask",
		"medium obfuscation 12 ${{ format('{0}{1}', 'cu', 'rl') }} is always the same text; ${{ fromJSON('[1]')[0] }} is always the same text"}
	got := brief(found, "unpinned-tool", "obfuscation")
	if diff := cmp.Diff(want[:2], got[:2]); diff != "" || len(got) < 3 {
		t.Errorf("%s%q", diff, got)
	}
}

func TestDependabot(t *testing.T) {
	found, notes := judgeText(t, "dependabot", "version: 2\nupdates:\n  - package-ecosystem: bundler\n    directory: /\n    insecure-external-code-execution: allow\n    cooldown: {default-days: 7}\n  - package-ecosystem: npm\n    directory: /\n    insecure-external-code-execution: deny\n")
	want := []string{"medium dependabot-execution 5 insecure-external-code-execution: allow, for bundler", "low* dependabot-no-cooldown 7 npm has no cooldown"}
	if diff := cmp.Diff(want, brief(found)); diff != "" || len(notes) > 0 {
		t.Errorf("%q %s", notes, diff)
	}
	if _, notes := judgeText(t, "dependabot", "updates: ["); len(notes) != 1 {
		t.Errorf("notes %q", notes)
	}
}

func TestMismatch(t *testing.T) {
	other := "1" + sha[1:]
	files := []string{
		steps("push", "      - uses: a/b@"+sha+" # v2.0.1\n      - uses: a/b@"+other+" # v3\n      - uses: c/d@v4.1.0 # v4\n"),
		steps("push", "      - uses: a/b/sub@"+sha+" # v2\n      - uses: A/b@"+other+" # tag v4\n      - uses: c/d@v4 # v5.1\n      - uses: c/d@v4 # setup\n      - uses: e/f@"+sha+" # v9\n"),
	}
	inv := &bulwark.Inventory{}
	for i, f := range files {
		inv.Documents = append(inv.Documents, bulwark.Document{Kind: "github-workflow", Path: string(rune('a'+i)) + ".yml", Data: []byte(f)})
	}
	var found []bulwark.Finding
	err := New().Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) { found = append(found, *r.Finding) })
	want := []string{"low ref-version-mismatch 8 the comment says v4; a.yml calls the same commit 3", "low ref-version-mismatch 9 c/d@v4, and the comment says v5.1"}
	if diff := cmp.Diff(want, brief(found, "ref-version-mismatch")); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
