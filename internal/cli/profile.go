package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/detect/profile"
	"bulwark/detect/profile/export"
)

// profiles are the flags of the profile commands.
type profiles struct {
	*app
	formats []string
	output  string
}

func (a *app) profileCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "profile", Short: "What the containers of an image do, as bulwark watch --learn saw it: profiles for seccomp, AppArmor and more",
		Long: "A profile of an image is learned by bulwark watch --learn FOLDER. Export makes of it what holds containers to it; each line is\n" +
			"explained by the event that it comes from. Docs: docs/profiles.md.",
	}
	c.AddCommand(a.profileListCommand(), a.profileExportCommand(), a.profileAddCommand())
	return c
}

func (a *app) profileListCommand() *cobra.Command {
	p := &profiles{app: a}
	return &cobra.Command{
		Use: "list FOLDER", Short: "List the profiles of a folder, and how long each was learned",
		Example: "  bulwark profile list /var/lib/bulwark/profiles", Args: cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error { return p.list(args[0]) },
	}
}

func exportNames() (list []string) {
	for _, f := range export.Formats() {
		list = append(list, f.Name)
	}
	return list
}

func (a *app) profileExportCommand() *cobra.Command {
	p := &profiles{app: a}
	var b strings.Builder
	for _, f := range export.Formats() {
		fmt.Fprintf(&b, "  %-16s %s\n", f.Name, f.Summary)
	}
	c := &cobra.Command{
		Use: "export PROFILE [IMAGE]", Short: "Write a seccomp profile, AppArmor profile, capabilities, NetworkPolicy or securityContext of what was learned",
		Long: "PROFILE is a file that bulwark watch --learn wrote, or its folder: IMAGE then says which one, by reference or digest.\nFormats:\n" + b.String() +
			"What was observed for a short time lacks what is rare: the document says so, and so does a note.",
		Example: "  bulwark profile export profiles/ nginx:1.27 -f explained\n  bulwark profile export sha256-5e7c.json -f seccomp=nginx.json -f apparmor=nginx.aa\n" +
			"  bulwark profile export profiles/ nginx -f in-use=loaded.json && bulwark scan nginx:1.27 --in-use loaded.json",
		Args: cobra.RangeArgs(1, 2), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error { return p.export(args) },
	}
	c.Flags().StringArrayVarP(&p.formats, "format", "f", nil, "`FORMAT` to write, or FORMAT=FILE (repeatable): "+strings.Join(exportNames(), " ")+" (default explained)")
	c.Flags().StringVarP(&p.output, "output", "o", "", "`FILE` to write to instead of stdout")
	c.Flags().BoolVarP(&a.quiet, "quiet", "q", false, "no notes")
	return c
}

func (a *app) profileAddCommand() *cobra.Command {
	p := &profiles{app: a}
	return &cobra.Command{
		Use: "add FILE SORT VALUE", Short: "Add to a profile what containers of the image may do",
		Long: "SORT and VALUE: executable PATH; read, write or map PATH (a folder has / at its end); destination 'tcp ADDRESS PORT' or 'unix PATH 0';\n" +
			"listener 'tcp PORT'; syscall NAME; capability CAP_NAME. A running watch takes it when it starts anew.",
		Example: "  bulwark profile add sha256-5e7c.json executable /usr/bin/logrotate\n  bulwark profile add sha256-5e7c.json destination 'tcp 10.0.0.0/24 5432'",
		Args:    cobra.ExactArgs(3), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error { return p.add(args[0], args[1], args[2]) },
	}
}

// folder reads all profiles of a folder, and tells of files that are none.
func (p *profiles) folder(dir string) (map[string]*profile.Profile, error) {
	all, err := profile.Folder(dir, func(file string, err error) { fmt.Fprintf(p.err, "bulwark: note: %s\n", clean(file+": "+err.Error())) })
	if err != nil {
		return nil, &exit{code: exitFailed, err: err, hint: "profiles are made by bulwark watch --learn FOLDER"}
	}
	return all, nil
}

func (p *profiles) list(dir string) error {
	all, err := p.folder(dir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintf(p.err, "bulwark: note: %s has no profiles; bulwark watch --learn FOLDER makes them\n", clean(dir))
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "IMAGE\tFILE\tSTARTS\tTIME\tEXECUTABLES\tSYSCALLS\tCAPABILITIES\tDESTINATIONS\tLISTENERS\tENOUGH")
	for _, key := range slices.Sorted(maps.Keys(all)) {
		one := all[key]
		enough := "yes"
		if one.Thin() != "" {
			enough = "no"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", clean(export.Name(one)), profile.FileName(key), one.Starts, time.Duration(one.Seconds)*time.Second,
			len(one.Executables), len(one.Syscalls), len(one.Capabilities), len(one.Destinations), len(one.Listeners), enough)
	}
	return w.Flush()
}

// find is the profile that the operands name.
func (p *profiles) find(args []string) (*profile.Profile, error) {
	if st, err := os.Stat(args[0]); err != nil || !st.IsDir() {
		if err == nil && len(args) > 1 {
			return nil, usage("%s is one profile: name no image", args[0])
		}
		one, err := profile.Read(args[0])
		if err != nil {
			return nil, &exit{code: exitFailed, err: err, hint: "profiles are made by bulwark watch --learn FOLDER"}
		}
		return one, nil
	}
	all, err := p.folder(args[0])
	if err != nil {
		return nil, err
	}
	var found []*profile.Profile
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if len(args) == 1 || fitsImage(all[key], args[1]) {
			found = append(found, all[key])
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &exit{code: exitFailed, err: fmt.Errorf("%s has no such profile: %w", args[0], bulwark.ErrNotFound), hint: "bulwark profile list FOLDER"}
	}
	return nil, &exit{code: exitUsage, err: fmt.Errorf("%d profiles fit: name the image by its digest", len(found)), hint: "bulwark profile list FOLDER"}
}

// fitsImage tells whether people call the image so: by reference, with or without its registry and tag, or by the front of a digest.
func fitsImage(p *profile.Profile, name string) bool {
	if p.Image == name || p.ID == name || p.Digest == name || strings.HasSuffix(p.Image, "/"+name) || strings.HasPrefix(p.Image, name+":") || strings.Contains(p.Image, "/"+name+":") {
		return true
	}
	short := strings.TrimPrefix(name, "sha256:")
	return len(short) >= 6 && (strings.HasPrefix(strings.TrimPrefix(p.ID, "sha256:"), short) || strings.HasPrefix(strings.TrimPrefix(p.Digest, "sha256:"), short))
}

func (p *profiles) export(args []string) error {
	one, err := p.find(args)
	if err != nil {
		return err
	}
	if len(p.formats) == 0 {
		p.formats = []string{"explained"}
	}
	type output struct{ file, text string }
	var outputs []output
	plain := 0
	for _, spec := range p.formats {
		name, file, several := strings.Cut(spec, "=")
		f, ok := export.Named(name)
		switch {
		case !ok:
			return usage("-f %s: say one of %s", name, strings.Join(exportNames(), ", "))
		case several && file == "":
			return usage("-f %s names no file after =", spec)
		case !several:
			if plain++; plain > 1 {
				return usage("one format goes to stdout or --output; give the others a file: -f %s=FILE", name)
			}
			file = p.output
		}
		text, err := f.Write(one)
		if err != nil {
			return &exit{code: exitFailed, err: err}
		}
		outputs = append(outputs, output{file, text})
	}
	for _, o := range outputs { // all of them, or none where one cannot be
		if err := p.to(o.file, o.text); err != nil {
			return err
		}
	}
	if why := one.Thin(); why != "" && !p.quiet {
		fmt.Fprintf(p.err, "bulwark: note: it may lack what containers need: %s\n", clean(why))
	}
	return nil
}

// to writes a text to a file, or to stdout where none is named.
func (p *profiles) to(file, text string) error {
	if file == "" {
		_, err := io.WriteString(p.out, text)
		return err
	}
	f, err := create(file)
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	_, err = io.WriteString(f, text)
	return (&sinks{files: []*pending{f}}).close(err)
}

func (p *profiles) add(file, sort, value string) error {
	one, err := profile.Read(file)
	if err != nil {
		return &exit{code: exitFailed, err: err, hint: "profiles are made by bulwark watch --learn FOLDER"}
	}
	now, err := p.clock()
	if err != nil {
		return err
	}
	if err := one.Allow(sort, value, now); err != nil {
		return &exit{code: exitUsage, err: err}
	}
	if err := one.Write(filepath.Dir(file), filepath.Base(file)); err != nil {
		return errors.Join(fmt.Errorf("writing %s", file), err)
	}
	return nil
}
