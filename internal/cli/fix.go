package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/internal/patch"
)

func (a *app) fixCommand() *cobra.Command {
	write := false
	c := &cobra.Command{
		Use: "fix FOLDER", Short: "Print, or write, the patches that findings carry",
		Long: "Fix looks at the files of a project, as scan does, and prints what to change as one diff:\n" +
			"for `git apply` or `patch -p1`, or let --write do it. With --online, registries are asked for\n" +
			"the digests of base images, and FROM is pinned. What has no patch is told on stderr.",
		Example: "  bulwark fix .\n  bulwark fix . --write\n  bulwark fix . --online | git apply\n  bulwark fix . --hygiene --only misconfig",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return a.fix(c.Context(), args[0], write) },
	}
	f := c.Flags()
	f.BoolVar(&write, "write", false, "change the files instead of printing the diff")
	f.StringVarP(&a.output, "output", "o", "", "write the diff to `FILE` instead of stdout")
	a.selection(f)
	a.database(f)
	a.indexes(f)
	a.inside(f)
	a.targets(f)
	a.common(f)
	return c
}

// fix collects the patches of a folder's findings.
func (a *app) fix(ctx context.Context, ref string, write bool) error {
	folder := strings.TrimPrefix(ref, "dir:")
	root, err := os.OpenRoot(folder)
	if err != nil {
		return &exit{code: exitFailed, err: fmt.Errorf("fixing %s: only the files of a folder can be changed: %w", ref, err)}
	}
	defer root.Close()
	if len(a.only) == 0 {
		a.only = []string{bulwark.KindMisconfig} // what has patches
	}
	hygiene := a.hygiene
	a.hygiene = hygiene || a.online // for what pins images
	s, db, err := a.prepare(ctx)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	res, err := a.look(ctx, s, []string{"dir:" + folder}, nothing{})
	if err != nil {
		return err
	}
	if res.Opened == 0 {
		return a.verdict(res)
	}
	found := slices.DeleteFunc(slices.Clone(res.Findings), func(f bulwark.Finding) bool {
		return f.Exception != nil || !hygiene && slices.Contains(f.Tags, "hygiene") && !pins(&f)
	})
	files, left := patch.Join(patches(found))
	for _, err := range left {
		fmt.Fprintf(a.err, "bulwark: left out: %s\n", clean(err.Error()))
	}
	if !a.quiet {
		a.unpatched(found)
	}
	if write {
		return a.change(root, files)
	}
	return a.write(func(w io.Writer) error { return printDiffs(w, root, files) })
}

// pins tells whether the patch of a finding adds the digest of an image.
func pins(f *bulwark.Finding) bool {
	switch f.Rule {
	case "dockerfile/image-not-pinned", "dockerfile/copy-from-not-pinned", "compose/unpinned-image":
		return f.Fix != nil && f.Fix.Patch != nil
	}
	return false
}

// unpatched says what the diff leaves as it is.
func (a *app) unpatched(found []bulwark.Finding) {
	without := 0
	for _, f := range found {
		switch {
		case f.Fix != nil && f.Fix.Patch != nil:
			continue
		case f.Fix != nil && strings.Contains(f.Fix.Text, "no automatic patch"):
			fmt.Fprintf(a.err, "bulwark: no patch for %s:%d, %s: %s\n", clean(f.Path), f.Line, f.Rule, clean(f.Fix.Text))
		}
		without++
	}
	switch {
	case len(found) == 0:
		fmt.Fprintln(a.err, "bulwark: nothing was found, so there is nothing to change")
	case without == 1:
		fmt.Fprintln(a.err, "bulwark: 1 finding has no patch; bulwark scan tells what to do")
	case without > 1:
		fmt.Fprintf(a.err, "bulwark: %d findings have no patch; bulwark scan tells what to do\n", without)
	}
}

func patches(findings []bulwark.Finding) []bulwark.Patch {
	var list []bulwark.Patch
	for _, f := range findings {
		if f.Fix != nil && f.Fix.Patch != nil {
			list = append(list, *f.Fix.Patch)
		}
	}
	return list
}

func printDiffs(w io.Writer, root *os.Root, files []patch.File) error {
	for i := range files {
		content, _, err := content(root, &files[i])
		if err != nil {
			return err
		}
		text, err := files[i].Diff(content)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// change applies the patches below root, which links do not leave.
func (a *app) change(root *os.Root, files []patch.File) error {
	var failed error
	for i := range files {
		if err := rewrite(root, &files[i]); err != nil {
			failed = errors.Join(failed, fmt.Errorf("changing %w", err))
			continue
		}
		fmt.Fprintf(a.err, "changed %s\n", clean(files[i].Name))
	}
	return failed
}

// content reads the file that a patch is for.
func content(root *os.Root, f *patch.File) ([]byte, fs.FileMode, error) {
	in, err := root.Open(local(f))
	if err != nil {
		return nil, 0, err
	}
	defer in.Close()
	st, err := in.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", f.Name, bulwark.ErrUnsupported)
	}
	if err != nil {
		return nil, 0, err
	}
	b, err := limit.ReadAll(in, 16<<20, f.Name)
	return b, st.Mode().Perm(), err
}

func local(f *patch.File) string { return filepath.FromSlash(path.Clean(f.Name)) }

// rewrite puts the changed content beside the file and renames it.
func rewrite(root *os.Root, f *patch.File) error {
	old, mode, err := content(root, f)
	if err != nil {
		return err
	}
	changed, err := f.Apply(old)
	if err != nil {
		return err
	}
	name := local(f)
	beside := filepath.Join(filepath.Dir(name), ".bulwark-"+filepath.Base(name))
	out, err := root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(changed)
	if err = errors.Join(err, out.Close()); err == nil {
		err = root.Rename(beside, name)
	}
	if err != nil {
		root.Remove(beside) // best effort: the error that is returned matters more
	}
	return err
}

// nothing takes a run and writes nothing.
type nothing struct{}

func (nothing) Handle(bulwark.Record) error { return nil }
