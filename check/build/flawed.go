package build

import (
	"strconv"
	"strings"

	"bulwark/build/workflow"
)

// flawed are actions whose older major versions have a known flaw or were taken over, all
// releases of them: the first major version without it. What the advisory database knows
// beside is found where a whole version is told; a tag that moves, such as v35, tells its
// major version alone.
var flawed = map[string]struct {
	since int
	id    string
}{
	"tj-actions/changed-files":         {46, "CVE-2025-30066"},
	"tj-actions/branch-names":          {9, "CVE-2025-54416"},
	"dawidd6/action-download-artifact": {6, "GHSA-5xr6-xhww-33m4"},
	"hashicorp/vault-action":           {2, "CVE-2021-32074"},
	"atlassian/gajira-create":          {2, "CVE-2020-14188"},
	"atlassian/gajira-comment":         {2, "CVE-2020-14189"},
	"embano1/wip":                      {2, "CVE-2022-39326"},
	"rlespinasse/github-slug-action":   {4, "CVE-2023-27581"},
}

// flaws judges whether what is used is known to be flawed.
func (b *base) flaws(n workflow.Node) {
	u := workflow.ParseUse(n)
	action := strings.ToLower(u.Owner + "/" + u.Repository)
	f, ok := flawed[action]
	if !ok {
		return
	}
	tag := u.Ref
	if u.IsCommit() {
		tag = u.Comment
	}
	major, _, _ := strings.Cut(workflow.Numbers(tag), ".")
	if v, err := strconv.Atoi(major); err == nil && v < f.since {
		b.anywhere(&vulnerableAction, action, n.Line(), "uses: %s; %s is in all versions before %d", n.Text(), f.id, f.since)
	}
}
