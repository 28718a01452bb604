package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"bulwark"
	"bulwark/internal/lazyregexp"
	"bulwark/scan"
)

// fixLive prints the commands that make the changes in a cluster. It makes none itself.
func (a *app) fixLive(ctx context.Context, s *scan.Scanner, ref string, write bool) error {
	if write {
		return usage("--write changes files; for a cluster, read the commands that are printed, and run them yourself")
	}
	res, err := a.look(ctx, s, []string{ref}, nothing{})
	if err != nil {
		return err
	}
	if res.Opened == 0 {
		return a.verdict(res)
	}
	var b strings.Builder
	rest := &mender{}
	done := map[string]bool{}
	for _, f := range res.Findings {
		if f.Exception != nil {
			continue
		}
		command, ok := kubectl(a.reaching(ref), f.Fix)
		if !ok {
			rest.found = append(rest.found, f)
			continue
		}
		if line := "# " + f.Rule + ": " + clean(f.Title) + "\n" + command + "\n"; !done[line] {
			b.WriteString(line)
			done[line] = true
		}
	}
	if !a.quiet {
		a.unpatched(rest, len(done) > 0)
	}
	return a.write(func(w io.Writer) error {
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// reaching is kubectl as it reaches the cluster that was looked at, where the user said which:
// another may be the current one.
func (a *app) reaching(ref string) string {
	command := "kubectl"
	if a.cluster.kubeconfig != "" {
		command += " --kubeconfig " + quoted(a.cluster.kubeconfig)
	}
	context := a.cluster.context
	if kind, named := prefixed(ref); kind == "cluster" {
		context = cmp.Or(named, context)
	}
	if context != "" {
		command += " --context " + quoted(context)
	}
	return command
}

// kubectl is the command that makes a patch of an object of a cluster: File is its id.
func kubectl(program string, fix *bulwark.Fix) (string, bool) {
	if fix == nil || fix.Patch == nil {
		return "", false
	}
	kind := map[string]string{"strategic-merge": "strategic", "json-patch": "json"}[fix.Patch.Format]
	parts := strings.Split(fix.Patch.File, "/")
	if kind == "" || len(parts) < 2 || len(parts) > 3 || strings.ContainsFunc(fix.Patch.File+fix.Patch.Text, unicode.IsControl) || strings.Contains("/"+fix.Patch.File, "/-") {
		return "", false
	}
	namespace := ""
	if len(parts) == 3 {
		namespace, parts = " -n "+quoted(parts[0]), parts[1:]
	}
	return fmt.Sprintf("%s patch %s %s%s --type %s -p %s", program, quoted(parts[0]), quoted(parts[1]), namespace, kind, quoted(fix.Patch.Text)), true
}

var bare = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`)

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if bare.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
