package build

import (
	"slices"
	"testing"

	"bulwark"
	"bulwark/internal/patch"

	"github.com/google/go-cmp/cmp"
)

func TestHandOver(t *testing.T) {
	for name, tt := range map[string][2]string{ // steps before and after; the same: no patch
		"plain":           {"      - run: echo ${{ github.event.issue.title }} x\n", "      - env:\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n        run: echo \"${ISSUE_TITLE}\" x\n"},
		"named":           {"      - name: a\n        run: echo \"a ${{github.event.issue.body}}\"\n", "      - name: a\n        env:\n          ISSUE_BODY: ${{ github.event.issue.body }}\n        run: echo \"a ${ISSUE_BODY}\"\n"},
		"block":           {"      - name: a\n        run: |\n          b\n          c ${{ github.event.issue.title }} ${{ github.event.issue.title }}\n          d=${{ github.event.issue.title }}\n", "      - name: a\n        env:\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n        run: |\n          b\n          c \"${ISSUE_TITLE}\" \"${ISSUE_TITLE}\"\n          d=\"${ISSUE_TITLE}\"\n"},
		"with env":        {"      - env:\n          A: b\n        run: echo ${{ github.event.issue.title || github.sha }}\n", "      - env:\n          ISSUE_TITLE: ${{ github.event.issue.title || github.sha }}\n          A: b\n        run: echo \"${ISSUE_TITLE}\"\n"},
		"several words":   {"      - run: go build ${{ inputs.extra-args }} ${{ inputs.dir }}\n", "      - env:\n          INPUTS_DIR: ${{ inputs.dir }}\n          INPUTS_EXTRA_ARGS: ${{ inputs.extra-args }}\n        run: go build ${INPUTS_EXTRA_ARGS} \"${INPUTS_DIR}\"\n"},
		"in quotes":       {"      - run: echo 'a ${{ github.event.issue.title }}'\n", ""},
		"at the start":    {"      - run: ${{ github.event.issue.title }}\n", ""},
		"in YAML quotes":  {"      - run: 'echo ${{ github.event.issue.title }}'\n", ""},
		"in braces":       {"      - {run: \"echo ${{ github.event.issue.title }}\"}\n", ""},
		"other shell":     {"      - run: echo ${{ github.event.issue.title }}\n        shell: pwsh\n", ""},
		"heredoc":         {"      - run: |\n          cat <<'E'\n          ${{ github.event.issue.title }}\n          E\n", ""},
		"a variable":      {"      - run: echo ${{ env.T }}\n        env:\n          T: ${{ github.event.issue.title }}\n", ""},
		"a taken name":    {"      - run: echo ${{ github.event.issue.title }}\n        env:\n          ISSUE_TITLE: x\n", ""},
		"env in braces":   {"      - run: echo ${{ github.event.issue.title }}\n        env: {A: x}\n", ""},
		"a text":          {"      - run: echo ${{ format('{0}', github.event.issue.title) }}\n", ""},
		"apostrophe":      {"      - run: |\n          echo \"it's ${{ github.event.issue.title }}\"\n", ""},
		"two expressions": {"      - run: |\n          echo ${{ github.event.issue.title }}\n          echo ${{ github.event.issue.body }}\n", "      - env:\n          ISSUE_BODY: ${{ github.event.issue.body }}\n          ISSUE_TITLE: ${{ github.event.issue.title }}\n        run: |\n          echo \"${ISSUE_TITLE}\"\n          echo \"${ISSUE_BODY}\"\n"},
	} {
		text := steps("issues", tt[0])
		want := text
		if tt[1] != "" {
			want = steps("issues", tt[1])
		}
		for range 3 { // what stands in the way of each other is left for another run
			found, notes := judgeText(t, "github-workflow", text)
			if len(notes) > 0 {
				t.Fatalf("%s: %q in\n%s", name, notes, text)
			}
			var patches []bulwark.Patch
			for _, f := range found {
				if (f.Rule == injection.ID || f.Rule == inputInjection.ID) && f.Fix.Patch != nil {
					patches = append(patches, *f.Fix.Patch)
				}
			}
			if len(patches) == 0 {
				if text != steps("issues", tt[0]) && slices.ContainsFunc(found, func(f bulwark.Finding) bool { return f.Rule == injection.ID }) {
					t.Errorf("%s: found again", name)
				}
				break
			}
			files, _ := patch.Join(patches)
			got, err := files[0].Apply([]byte(text))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text = string(got)
		}
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
