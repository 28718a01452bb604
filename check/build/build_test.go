package build

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bulwark"
	"bulwark/internal/patch"

	"github.com/google/go-cmp/cmp"
)

// judgeText gives the findings about a file of a kind, and the notes.
func judgeText(t testing.TB, kind, data string) (found []bulwark.Finding, notes []string) {
	t.Helper()
	inv := &bulwark.Inventory{Documents: []bulwark.Document{{Kind: kind, Path: "ci.yml", Data: []byte(data)}}}
	err := New().Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) {
		if r.Finding != nil {
			found = append(found, *r.Finding)
			return
		}
		notes = append(notes, r.Note.Text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, notes
}

// brief is "severity rule line evidence", hygiene marked by a star; rules in skip left out.
func brief(list []bulwark.Finding, only ...string) []string {
	var out []string
	for _, f := range list {
		rule := strings.TrimPrefix(f.Rule, "ci/")
		if len(only) > 0 && !slices.Contains(only, rule) {
			continue
		}
		star := ""
		if slices.Contains(f.Tags, "hygiene") {
			star = "*"
			if f.Severity != low {
				star = "?!"
			}
		}
		out = append(out, fmt.Sprintf("%s%s %s %d %s", f.Severity, star, rule, f.Line, strings.Join(f.Evidence, "; ")))
	}
	return out
}

const sha = "0123456789012345678901234567890123456789"

// good is a workflow that nothing is wrong with.
const good = `
name: ok
on:
  pull_request:
  push: {branches: [main]}
permissions: {contents: read}
jobs:
  test:
    runs-on: ubuntu-latest
    container: {image: "golang@sha256:00"}
    if: github.event_name == 'push' || contains(fromJSON('["a"]'), github.ref)
    env: {TITLE: "${{ github.event.pull_request.title }}"}
    steps:
      - uses: actions/checkout@` + sha + `
        with: {persist-credentials: false}
      - uses: ./local
      - run: |
          echo "$TITLE" ${{ github.sha }} ${{ github.event.pull_request.number }} ${{ github.event.pull_request.title == 'x' }}
          curl -fsSLo x https://example.org/x
          echo "a=b" >> "$GITHUB_ENV"
        if: ${{ github.actor == 'x' }}
`

func TestGood(t *testing.T) {
	if found, notes := judgeText(t, "github-workflow", good); len(found)+len(notes) > 0 {
		t.Errorf("%q %q", brief(found), notes)
	}
}

// steps is a workflow with these steps, which begin on line 7.
func steps(on, steps string) string {
	return "on: " + on + "\npermissions: {}\njobs:\n  a:\n    runs-on: x\n    steps:\n" + steps
}

func TestInjection(t *testing.T) {
	for _, tt := range []struct {
		on, run string
		want    []string
	}{
		{"issues", "echo ${{ github.event.issue.title }}", []string{"high template-injection 7 ${{ github.event.issue.title }} in a script, on: issues"}},
		{"[push, issue_comment]", "|\n          a\n          echo ${{ format('{0}', github.event.comment.body) }}", []string{"high template-injection 9 ${{ format('{0}', github.event.comment.body) }} in a script, on: issue_comment"}},
		{"pull_request", "echo ${{ github.head_ref || 'x' }}", []string{"medium template-injection 7 ${{ github.head_ref || 'x' }} in a script, on: pull_request"}},
		{"pull_request_target", "echo ${{ github['event']['pull_request']['head']['ref'] }}", []string{"high template-injection 7 ${{ github['event']['pull_request']['head']['ref'] }} in a script, on: pull_request_target"}},
		{"push", "echo ${{ github.event.commits[0].message }}", []string{"medium template-injection 7 ${{ github.event.commits[0].message }} in a script, on: push"}},
		{"push", "echo ${{ github.head_ref }}", nil}, // empty on push
		{"push", "echo ${{ github.event.issue.title }}", nil},
		{"issues", "echo ${{ toJSON(github.event) }}", []string{"high template-injection 7 ${{ toJSON(github.event) }} in a script, on: issues"}},
		{"issues", "echo ${{ github.event.issue.number }} ${{ github.event.issue.user.login }} ${{ github.event.action }}", nil},
		{"issues", "echo ${{ contains(github.event.issue.title, 'x') && 'a' || 'b' }}", nil},
		{"{workflow_dispatch: {inputs: {a: {type: string}, b: {type: boolean}}}}", "echo ${{ inputs.a }} ${{ inputs.b }} ${{ github.event.inputs.b }}", []string{"low* input-injection 7 ${{ inputs.a }} in a script"}},
	} {
		found, _ := judgeText(t, "github-workflow", steps(tt.on, "      - run: "+tt.run+"\n"))
		if diff := cmp.Diff(tt.want, brief(found, "template-injection", "input-injection")); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.on, tt.run, diff)
		}
	}
	through := steps("issues", "      - run: echo ${{ env.T }}\n        env: {T: \"x ${{ github.event.issue.body }}\"}\n      - uses: actions/github-script@"+sha+"\n        with:\n          script: |\n            f(`${{ github.event.issue.title }}`)\n")
	found, _ := judgeText(t, "github-workflow", through)
	want := []string{"high template-injection 7 ${{ env.T }} in a script, on: issues", "high template-injection 12 ${{ github.event.issue.title }} in a script, on: issues"}
	if diff := cmp.Diff(want, brief(found)[:2]); diff != "" && !slices.Equal(want, brief(found, "template-injection")) {
		t.Error(diff)
	}
	action, _ := judgeText(t, "github-action", "inputs: {x: {}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.x }} ${{ github.head_ref }}\n      shell: bash\n")
	want = []string{"low* input-injection 5 ${{ inputs.x }} in a script", "high template-injection 5 ${{ github.head_ref }} in a script, on: the workflow that uses this action"}
	if diff := cmp.Diff(want, brief(action)); diff != "" {
		t.Error(diff)
	}
}

func TestUses(t *testing.T) {
	for uses, want := range map[string][]string{
		"a/b@" + sha: nil, "./x": nil, "docker://a@sha256:0": nil, "a/b/c@" + strings.ToUpper("abcdef") + sha[6:]: nil,
		"slsa-framework/slsa-github-generator/.github/workflows/x.yml@v2.0.0": nil,
		"a/b@v1":                       {"medium unpinned-action 7 uses: a/b@v1"},
		"a/b@" + sha[:12]:              {"medium unpinned-action 7 uses: a/b@" + sha[:12]},
		"actions/cache@v4":             {"low* unpinned-official-action 7 uses: actions/cache@v4"},
		"docker://alpine:3":            {"low* unpinned-image 7 uses: docker://alpine:3"},
		"a/./b@" + sha:                 {"medium obfuscation 7 uses: a/./b@" + sha},
		"action/checkout@" + sha:       {"high typosquat-action 7 uses: action/checkout@" + sha + ", where actions/checkout is well known"},
		"acitons/cache@" + sha:         {"high typosquat-action 7 uses: acitons/cache@" + sha + ", where actions/cache is well known"},
		"buildjet/cache@" + sha:        nil,
		"hashicorp/vault-action@v2":    {"medium unpinned-action 7 uses: hashicorp/vault-action@v2"},
		"tj-actions/changed-files@v35": {"high vulnerable-action 7 uses: tj-actions/changed-files@v35; CVE-2025-30066 is in all versions before 46", "medium unpinned-action 7 uses: tj-actions/changed-files@v35"},
		"tj-actions/changed-files@" + sha + " # v45.0.7": {"high vulnerable-action 7 uses: tj-actions/changed-files@" + sha + "; CVE-2025-30066 is in all versions before 46"},
		"tj-actions/changed-files@" + sha + " # v46.0.1": nil, "tj-actions/changed-files@" + sha: nil,
		"actions-rs/cargo@" + sha: {"low* archived-action 7 uses: actions-rs/cargo@" + sha},
	} {
		found, _ := judgeText(t, "github-workflow", steps("push", "      - uses: "+uses+"\n"))
		if diff := cmp.Diff(want, brief(found)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", uses, diff)
		}
	}
}

// TestShared makes one finding of what several files have.
func TestShared(t *testing.T) {
	inv := &bulwark.Inventory{}
	for i := range 300 {
		inv.Documents = append(inv.Documents, bulwark.Document{Kind: "github-workflow", Path: fmt.Sprintf("%03d.yml", i), Data: []byte(steps("push", "      - uses: a/b@v1\n"))})
	}
	var found []*bulwark.Finding
	if err := New().Check(t.Context(), &bulwark.Target{}, inv, func(r bulwark.Record) { found = append(found, r.Finding) }); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || len(found[0].Places) != 300 || found[0].Path != "000.yml" || found[0].Line != 7 || found[0].Places[299] != (bulwark.Place{Path: "299.yml", Line: 7}) {
		t.Errorf("%d findings, the first %+v", len(found), found[0])
	}
}

func TestCheckout(t *testing.T) {
	const ref = "      - uses: actions/checkout@" + sha + "\n        with: {persist-credentials: false, ref: \"%s\"}\n"
	for _, tt := range []struct {
		on, ref, then string
		want          []string
	}{
		{"pull_request_target", "${{ github.event.pull_request.head.sha }}", "      - run: npm ci\n", []string{"critical untrusted-checkout 8 ref: ${{ github.event.pull_request.head.sha }}, on: pull_request_target; then it runs npm ci"}},
		{"workflow_run", "${{ github.event.workflow_run.head_branch }}", "      - run: cat x\n", []string{"high untrusted-checkout 8 ref: ${{ github.event.workflow_run.head_branch }}, on: workflow_run"}},
		{"issue_comment", "refs/pull/${{ github.event.issue.number }}/head", "      - run: ./build.sh\n", []string{"critical untrusted-checkout 8 ref: refs/pull/${{ github.event.issue.number }}/head, on: issue_comment; then it runs ./build.sh"}},
		{"pull_request", "${{ github.head_ref }}", "      - run: make\n", nil},
		{"pull_request_target", "${{ github.base_ref }}", "      - run: make\n", nil},
		{"pull_request_target", "main", "      - run: make\n      - run: gh pr checkout 5 && make\n", []string{"critical untrusted-checkout 10 gh pr checkout 5 && make, on: pull_request_target; then it runs gh pr checkout 5 && make"}},
	} {
		found, _ := judgeText(t, "github-workflow", steps(tt.on, fmt.Sprintf(ref, tt.ref)+tt.then))
		if diff := cmp.Diff(tt.want, brief(found, "untrusted-checkout")); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.on, tt.ref, diff)
		}
	}
}

func TestCheckoutGuards(t *testing.T) {
	for _, tt := range []struct {
		condition, path, run string
		want                 string // severity and number of evidence; "": nothing
	}{
		{"true", "", "make", "critical 2"},
		{"contains(github.event.pull_request.labels.*.name, 'safe')", "", "make", "high 3"},
		{"github.event.pull_request.head.repo.full_name == github.repository", "", "make", ""},
		{"true", "pr", "make -C base", "medium 2"},
		{"true", "pr", "cd pr && make", "critical 2"},
		{"true", "./pr/", "make # in base", "medium 2"},
		{"github.event.comment.author_association == 'MEMBER'", "", "ls", "medium 2"},
	} {
		text := "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    if: " + tt.condition + "\n    steps:\n      - uses: actions/checkout@" + sha +
			"\n        with: {persist-credentials: false, ref: \"${{ github.event.pull_request.head.sha }}\", path: \"" + tt.path + "\"}\n      - run: '" + tt.run + "'\n"
		found, _ := judgeText(t, "github-workflow", text)
		got := ""
		for _, f := range found {
			if f.Rule == untrustedCheckout.ID {
				got = fmt.Sprint(f.Severity, " ", len(f.Evidence))
			}
		}
		if got != tt.want {
			t.Errorf("if %s, path %q, run %q: %q, want %q", tt.condition, tt.path, tt.run, got, tt.want)
		}
	}
}

func TestGuards(t *testing.T) {
	for _, tt := range []struct {
		on, step string
		want     []string
	}{
		{"push", "      - if: ${{ true }} && x\n        run: a\n", []string{`medium always-true 7 if: "${{ true }} && x"`}},
		{"push", "      - if: |\n          ${{ false }}\n        run: a\n", []string{"medium always-true 7 if: \"${{ false }}\\n\""}},
		{"push", "      - if: |\n          a == b\n        run: a\n", nil},
		{"push", "      - if: contains('main dev', github.ref_name)\n        run: a\n", []string{"medium unsound-contains 7 contains('main dev', github.ref_name)"}},
		{"push", "      - if: contains('main dev', matrix.x) || contains(github.ref, 'x')\n        run: a\n", nil},
		{"pull_request_target", "      - if: github.actor == 'dependabot[bot]'\n        run: gh pr merge --auto\n", []string{"high auto-merge 7 merges when github.actor is dependabot[bot], on: pull_request_target", "medium bot-condition 7 github.actor is compared with dependabot[bot], on: pull_request_target"}},
		{"pull_request_target", "      - if: github.event.pull_request.user.login == 'dependabot[bot]'\n        run: gh pr merge --auto\n", nil},
		{"pull_request", "      - if: github.actor == 'dependabot[bot]'\n        run: a\n", nil},
		{"push", "      - run: a\n        env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true, ACTIONS_STEP_DEBUG: 'true'}\n", []string{"high insecure-commands 8 ACTIONS_ALLOW_UNSECURE_COMMANDS: true", "low debug 8 ACTIONS_STEP_DEBUG: true"}},
		{"push", "      - run: a\n        env: {A: \"${{ toJSON(secrets) }}\", B: \"${{ fromJSON(secrets.X).y }}\", C: \"${{ secrets.GITHUB_TOKEN }}\", D: \"${{ secrets.HUB_USERNAME }}\"}\n",
			[]string{"high all-secrets 8 ${{ toJSON(secrets) }}", "medium unredacted-secret 8 ${{ fromJSON(secrets.X).y }}", "low* secret-outside-environment 8 secrets.X"}},
		{"pull_request_target", "      - run: echo \"T=${T}\" >> $GITHUB_ENV\n        env: {T: \"${{ github.head_ref }}\"}\n", []string{"high github-env 7 echo \"T=${T}\" >> $GITHUB_ENV, on: pull_request_target; the value is github.head_ref"}},
		{"workflow_run", "      - run: echo \"T=$(cat x)\" >> \"$GITHUB_ENV\"\n", []string{"medium github-env 7 echo \"T=$(cat x)\" >> \"$GITHUB_ENV\", on: workflow_run"}},
		{"push", "      - run: echo \"T=$(cat x)\" >> \"$GITHUB_ENV\"\n", nil},
		{"push", "      - run: |\n          # curl https://x.example/a | sh\n          curl -sSf https://u:p@x.example/a | sudo bash -s -- -y\n          bash <(curl -s http://x.example/b)\n          curl x | jq .sh\n          curl x; cat y | sh\n",
			[]string{"medium piped-script 9 a script is fetched and run: https://x.example/a", "high piped-script 10 a script is fetched and run: http://x.example/b"}},
	} {
		found, _ := judgeText(t, "github-workflow", steps(tt.on, tt.step))
		found = slices.DeleteFunc(found, func(f bulwark.Finding) bool { return f.Rule == dangerousTrigger.ID })
		if diff := cmp.Diff(tt.want, brief(found)); diff != "" {
			t.Errorf("%s:\n%s(-want +got):\n%s", tt.on, tt.step, diff)
		}
	}
}

func TestJobs(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"on: push\njobs: {a: {}}\n", []string{"low* no-permissions 1 neither the workflow nor each job has permissions"}},
		{"on: issues\njobs: {a: {}}\n", []string{"medium risky-permissions 1 on: issues, and no permissions"}},
		{"on: push\njobs: {a: {permissions: {}}}\n", nil},
		{"on: push\npermissions: write-all\njobs: {a: {permissions: write-all}}\n", []string{"medium write-all 2 permissions: write-all", "medium write-all 3 permissions: write-all"}},
		{"on: pull_request\npermissions: {}\njobs: {a: {runs-on: [self-hosted, x]}}\n", []string{"high self-hosted-pr 3 runs-on: self-hosted, on: pull_request"}},
		{"on: push\npermissions: {}\njobs: {a: {runs-on: self-hosted}}\n", nil},
		{"on: push\npermissions: {}\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n    secrets: inherit\n  b:\n    uses: o/r/.github/workflows/x.yml@main\n    secrets: inherit\n",
			[]string{"low* secrets-inherit 6 secrets: inherit, to ./.github/workflows/x.yml", "medium secrets-inherit 9 secrets: inherit, to o/r/.github/workflows/x.yml@main", "medium unpinned-action 8 uses: o/r/.github/workflows/x.yml@main"}},
		{"on: push\npermissions: {}\njobs:\n  a:\n    container:\n      image: x:1\n      credentials: {username: u, password: p}\n    services:\n      db: {image: y, credentials: {password: \"${{ secrets.P }}\"}}\n    environment: e\n",
			[]string{"high hardcoded-credentials 7 credentials.password is written down", "low* unpinned-image 6 image: x:1", "low* unpinned-image 9 image: y"}},
		{"on: {push: {tags: ['v*']}}\npermissions: {}\njobs:\n  a:\n    environment: e\n    steps:\n      - uses: actions/setup-go@" + sha + "\n      - run: npm publish\n        env: {NODE_AUTH_TOKEN: \"${{ secrets.N }}\"}\n",
			[]string{"low* publish-token 8 publishes to npm with a token of the secrets", "medium cache-poisoning 7 actions/setup-go@" + sha + " fills from a cache, and the job publishes (npm publish)"}},
		{"on: {push: {tags: ['v*'], branches: [main]}}\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/setup-go@" + sha + "\n      - run: goreleaser release\n", nil},
		{"on: release\npermissions: {}\njobs:\n  a:\n    uses: slsa-framework/slsa-github-generator/.github/workflows/x.yml@v2.0.0\n", nil},
		{"on: release\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/setup-go@" + sha + "\n        with: {cache: false}\n      - run: goreleaser release\n", nil},
	} {
		found, notes := judgeText(t, "github-workflow", tt.text)
		if diff := cmp.Diff(tt.want, brief(found)); diff != "" || len(notes) > 0 {
			t.Errorf("%s%q (-want +got):\n%s", tt.text, notes, diff)
		}
	}
}

func TestGitLab(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"include:\n  - local: x.yml\n  - template: y\n  - project: a/b\n    ref: " + sha + "\n    file: z\n  - remote: https://x.example/a.yml\n    integrity: sha256-x\njob:\n  image: a@sha256:0\n  script: [echo \"$CI_COMMIT_MESSAGE\", 'ssh h ls']\n  artifacts: {paths: [dist/]}\n  variables: {DOCKER_TLS_CERTDIR: /certs, CI_DEBUG_TRACE: 'false'}\n", nil},
		{"include:\n  - remote: https://u:p@x.example/a.yml?t=1\n  - project: a/b\n    ref: main\n  - component: c/d/e@~latest\n  - http://x.example/b.yml\n",
			[]string{"medium gitlab-include 2 remote: https://x.example/a.yml, without integrity", "low* gitlab-include 3 project: a/b, with ref main", "low* gitlab-include 5 component: c/d/e@~latest", "high gitlab-include 6 remote: http://x.example/b.yml, without integrity"}},
		{"include: https://x.example/a.yml\nvariables: {CI_DEBUG_TRACE: 'true'}\n", []string{"medium gitlab-include 1 remote: https://x.example/a.yml, without integrity", "high gitlab-debug-trace 2 CI_DEBUG_TRACE: true"}},
		{"job:\n  image: {name: docker:27}\n  services:\n    - docker:27-dind\n    - name: postgres\n  variables:\n    DOCKER_TLS_CERTDIR: \"\"\n  script:\n    - docker build .\n", []string{"low* gitlab-dind 4 services: docker:27-dind", "medium gitlab-dind-no-tls 7 DOCKER_TLS_CERTDIR is empty", "low* unpinned-image 2 image: docker:27", "low* unpinned-image 4 image: docker:27-dind", "low* unpinned-image 5 image: postgres"}},
		{"job:\n  script:\n    - eval \"echo $CI_COMMIT_TITLE\"\n    - |\n      one\n      sh -c \"x ${CI_MERGE_REQUEST_TITLE}\"\n    - docker run -v /var/run/docker.sock:/x y\n    - curl https://x.example/i | sh\n    - [python3 -m pip install jinja2]\n",
			[]string{"medium gitlab-injection 3 eval \"echo $CI_COMMIT_TITLE\"", "medium gitlab-injection 6 sh -c \"x ${CI_MERGE_REQUEST_TITLE}\"", "medium engine-socket 7 /var/run/docker.sock is mounted", "medium piped-script 8 a script is fetched and run: https://x.example/i", "low* unpinned-tool 9 pip jinja2 has no version: python3 -m pip install jinja2"}},
		{"job:\n  script: x\n  artifacts:\n    paths: [./, prod.env]\n", []string{"medium gitlab-public-artifacts 4 artifacts: ./", "medium gitlab-public-artifacts 4 artifacts: prod.env"}},
		{"job:\n  script: x\n  artifacts:\n    access: developer\n    paths: [./]\n", nil},
	} {
		found, notes := judgeText(t, "gitlab-ci", tt.text)
		if diff := cmp.Diff(tt.want, brief(found)); diff != "" || len(notes) > 0 {
			t.Errorf("%s%q (-want +got):\n%s", tt.text, notes, diff)
		}
	}
}

func TestEvents(t *testing.T) {
	for condition, want := range map[string]int{
		"":                              1,
		"github.event_name == 'push'":   0,
		"github.event_name == 'issues'": 1,
		"github.event_name != 'push'":   1,
		"${{ github.event_name == 'push' && x }}":                                 0,
		"github.event_name == 'push' || github.event_name == 'workflow_dispatch'": 0,
		"github.event_name == 'push' || github.event_name == 'issues'":            1,
		"github.event_name == 'push' || inputs.x":                                 1,
		"!(github.event_name == 'push')":                                          1,
	} {
		text := "on: [push, issues]\npermissions: {}\njobs:\n  a:\n    if: \"" + condition + "\"\n    steps: [{run: \"${{ github.event.issue.title }}\"}]\n"
		found, _ := judgeText(t, "github-workflow", text)
		if got := len(brief(found, "template-injection")); got != want {
			t.Errorf("if: %s: %d injections, want %d", condition, got, want)
		}
	}
}

func TestPersist(t *testing.T) {
	for text, want := range map[string]string{
		"      - uses: actions/checkout@v4\n":                                                    "      - uses: actions/checkout@v4\n        with:\n          persist-credentials: false\n",
		"      - name: x\n        uses: actions/checkout@v4\n        with:\n          path: y\n": "      - name: x\n        uses: actions/checkout@v4\n        with:\n          persist-credentials: false\n          path: y\n",
		"      - {uses: actions/checkout@v4}\n":                                                  "",
		"      - uses: actions/checkout@v4\n        with: {path: y}\n":                           "",
	} {
		whole := steps("push", text)
		found, _ := judgeText(t, "github-workflow", whole)
		i := slices.IndexFunc(found, func(f bulwark.Finding) bool { return f.Rule == persist.ID })
		p := found[i].Fix.Patch
		if p == nil || want == "" {
			if p != nil || want != "" {
				t.Errorf("%s: patch %v", text, p)
			}
			continue
		}
		files, _ := patch.Join([]bulwark.Patch{*p})
		got, err := files[0].Apply([]byte(whole))
		if diff := cmp.Diff(steps("push", want), string(got)); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if again, _ := judgeText(t, "github-workflow", string(got)); slices.ContainsFunc(again, func(f bulwark.Finding) bool { return f.Rule == persist.ID }) {
			t.Errorf("%s: the patch does not mend it", got)
		}
	}
	found, _ := judgeText(t, "github-workflow", steps("push", "      - uses: actions/checkout@"+sha+"\n      - uses: actions/upload-artifact@"+sha+"\n        with: {path: .}\n"))
	if got := brief(found); len(got) != 1 || !strings.HasPrefix(got[0], "medium persist-credentials") {
		t.Error(got)
	}
}

func TestPermissionsPatch(t *testing.T) {
	const head, foot = "on: push\n", "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - run: go test ./...\n"
	for text, want := range map[string]string{
		head + foot:                             head + "permissions:\n  contents: read\n\n" + foot,
		head + foot + "      - run: git push\n": "",
		head + foot + "      - uses: x/y@v1\n":  "",
		head + foot + "      - run: x\n        env: {T: \"${{ github.token }}\"}\n": "",
		head + "jobs: {a: {}}\n": "",
		head + foot + "  b: {uses: a/b/.github/workflows/x.yml@v1}\n": "",
	} {
		found, _ := judgeText(t, "github-workflow", text)
		i := slices.IndexFunc(found, func(f bulwark.Finding) bool { return f.Rule == noPermissions.ID })
		p := found[i].Fix.Patch
		if p == nil || want == "" {
			if p != nil || want != "" {
				t.Errorf("%s: patch %v", text, p)
			}
			continue
		}
		files, _ := patch.Join([]bulwark.Patch{*p})
		if got, err := files[0].Apply([]byte(text)); string(got) != want || err != nil {
			t.Errorf("%v %q", err, got)
		}
	}
}

// TestSwaps holds that a setting that is patched is mended.
func TestSwaps(t *testing.T) {
	for rule, tt := range map[string][2]string{
		"ci/insecure-commands":    {"github-workflow", steps("push", "      - run: a\n        env:\n          ACTIONS_ALLOW_UNSECURE_COMMANDS: 'true'\n")},
		"ci/debug":                {"github-workflow", steps("push", "      - run: a\n        env: {ACTIONS_STEP_DEBUG: true}\n")},
		"ci/gitlab-debug-trace":   {"gitlab-ci", "variables: {CI_DEBUG_TRACE: \"true\"}\n"},
		"ci/gitlab-dind-no-tls":   {"gitlab-ci", "a:\n  script: x\n  variables:\n    DOCKER_TLS_CERTDIR: \"\"\n"},
		"ci/dependabot-execution": {"dependabot", "updates:\n  - package-ecosystem: pip\n    insecure-external-code-execution: allow\n    cooldown: {default-days: 7}\n"},
	} {
		found, _ := judgeText(t, tt[0], tt[1])
		i := slices.IndexFunc(found, func(f bulwark.Finding) bool { return f.Rule == rule })
		if i < 0 || found[i].Fix.Patch == nil {
			t.Errorf("%s: no patch", rule)
			continue
		}
		files, _ := patch.Join([]bulwark.Patch{*found[i].Fix.Patch})
		got, err := files[0].Apply([]byte(tt[1]))
		if err != nil {
			t.Fatal(err)
		}
		if again, notes := judgeText(t, tt[0], string(got)); slices.ContainsFunc(again, func(f bulwark.Finding) bool { return f.Rule == rule }) || len(notes) > 0 {
			t.Errorf("%s: found again in %s", rule, got)
		}
	}
}

func TestBad(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("x: &l [" + strings.Repeat("{run: a}, ", 5000) + "{}]\non: push\njobs:\n")
	for i := range 900 {
		fmt.Fprintf(&bomb, "  j%d: {steps: *l}\n", i)
	}
	for _, kind := range []string{"github-workflow", "github-action", "gitlab-ci"} {
		for name, text := range map[string]string{"syntax": "a: [", "large": strings.Repeat("#", 2<<20), "bomb": bomb.String()} {
			if _, notes := judgeText(t, kind, text); len(notes) == 0 && !(name == "bomb" && kind != "github-workflow") {
				t.Errorf("%s of %s: no note", name, kind)
			}
		}
		if found, notes := judgeText(t, kind, "[]"); len(found)+len(notes) > 0 {
			t.Errorf("a list as %s: %q %q", kind, brief(found), notes)
		}
	}
}

// TestRules holds that each rule says why, how bad and when it is wrong.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules() {
		if !strings.HasPrefix(r.ID, "ci/") || seen[r.ID] || r.Title == "" || r.Why == "" || r.Noise == "" || r.Fix == "" || r.Severity == bulwark.SeverityUnknown || r.Hygiene && r.Severity != low {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("github-workflow", []byte(good))
	f.Add("github-workflow", []byte(steps("pull_request_target", "      - uses: actions/checkout@v1\n        with:\n          ref: ${{ github.head_ref }}\n      - run: echo $T >> $GITHUB_ENV\n        env: {T: \"${{ github.head_ref }}\"}\n")))
	f.Add("gitlab-ci", []byte("include: {remote: x}\njob: {image: a, services: [docker:dind], script: ['eval $CI_COMMIT_TITLE']}"))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		found, _ := judgeText(t, kind, string(data))
		for _, x := range found {
			if x.Fix.Patch == nil {
				continue
			}
			files, left := patch.Join([]bulwark.Patch{*x.Fix.Patch})
			if len(left) > 0 {
				t.Fatal(errors.Join(left...), x.Fix.Patch.Text)
			}
			if _, err := files[0].Apply(data); err != nil {
				t.Errorf("%v\n%s", err, x.Fix.Patch.Text)
			}
		}
	})
}
