package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/advisory"
)

func (a *app) dbCommand() *cobra.Command {
	c := &cobra.Command{Use: "db", Short: "Build, update or describe the advisory database", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.dbBuild(), a.dbUpdate(), a.dbInfo())
	return c
}

func (a *app) dbBuild() *cobra.Command {
	var from advisory.BuildOptions
	var osv []string
	c := &cobra.Command{
		Use: "build --osv DIR|URL -o FILE", Short: "Make a database from OSV records and other data", Args: cobra.NoArgs,
		PreRunE: a.settle,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(osv) == 0 || slices.Contains(osv, "") || a.output == "" {
				return usage("db build needs --osv DIR|URL and --output FILE")
			}
			from.OSV, from.Feeds = osv[0], osv[1:]
			ctx, cancel := context.WithTimeout(c.Context(), a.timeout)
			defer cancel()
			var err error
			if from.Now, err = a.clock(); err != nil {
				return err
			}
			from.Progress, from.Warn = a.say, a.warn
			if err := advisory.Build(ctx, from, a.output); err != nil {
				return err
			}
			return a.describe(a.output, "table")
		},
	}
	f := c.Flags()
	a.common(f)
	f.StringVarP(&a.output, "output", "o", "", "write the database to `FILE`")
	f.StringArrayVar(&osv, "osv", nil, "`DIR or URL` that holds <Ecosystem>/all.zip, or .json files of a record or a list of them (repeatable)")
	f.StringVar(&from.KEV, "kev", "", "known exploited vulnerabilities, `FILE or URL`")
	f.StringVar(&from.EPSS, "epss", "", "exploit probabilities, `FILE or URL`")
	f.StringVar(&from.EOL, "eol", "", "end-of-life dates, `FILE or URL`")
	return c
}

func (a *app) dbUpdate() *cobra.Command {
	var from string
	c := &cobra.Command{
		Use: "update", Short: "Fetch what changed and put the new database in place", Args: cobra.NoArgs,
		PreRunE: a.settle,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), a.timeout)
			defer cancel()
			now, err := a.clock()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(a.dbFile()), 0o755); err != nil {
				return fmt.Errorf("making the database's folder: %w", err)
			}
			if err := advisory.Update(ctx, advisory.UpdateOptions{From: from, Now: now, Progress: a.say, Warn: a.warn}, a.dbFile()); err != nil {
				return err
			}
			return a.describe(a.dbFile(), "table")
		},
	}
	f := c.Flags()
	a.common(f)
	a.database(f)
	f.StringVar(&a.cacheDir, "cache-dir", "", "`folder` for results of layers and other data (default "+defaultDir()+")")
	f.StringVar(&from, "from", "", "`DIR or URL` of a mirror (default: the public bucket)")
	return c
}

func (a *app) dbInfo() *cobra.Command {
	c := &cobra.Command{
		Use: "info", Short: "Say what is in the database and how old it is", Args: cobra.NoArgs,
		PreRunE: a.settle,
		RunE: func(c *cobra.Command, _ []string) error {
			format := "table"
			if len(a.formats) > 0 {
				format = a.formats[0]
			}
			if format != "table" && format != "json" {
				return usage("this command has no format %q; it has table json", format)
			}
			return a.describe(a.dbFile(), format)
		},
	}
	f := c.Flags()
	a.common(f)
	a.database(f)
	a.results(f, []string{"table", "json"}, "table")
	f.StringVar(&a.cacheDir, "cache-dir", "", "`folder` for results of layers and other data (default "+defaultDir()+")")
	return c
}

// describe prints what is in a database.
func (a *app) describe(file, format string) error {
	db, err := advisory.Open(file)
	if err != nil {
		return &exit{code: exitFailed, err: err, hint: "run: bulwark db update"}
	}
	defer db.Close()
	info := db.Info()
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if format == "json" {
		enc := json.NewEncoder(a.out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			File  string `json:"file"`
			Bytes int64  `json:"bytes"`
			bulwark.Advisories
		}{file, st.Size(), info})
	}
	now, err := a.clock()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n%d records, %.1f MB, built %s (%s)\n\n", file, info.Records, float64(st.Size())/1e6, info.Built.Format(time.RFC3339), age(now.Sub(info.Built)))
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tRECORDS\tNEWEST")
	for _, s := range info.Sources {
		newest := "unknown"
		if !s.Newest.IsZero() {
			newest = s.Newest.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", clean(s.Name), s.Records, newest)
	}
	return w.Flush()
}

// age says how long ago something was, to the day.
func age(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case days < 1:
		return "today"
	case days == 1:
		return "a day old"
	default:
		return fmt.Sprintf("%d days old", days)
	}
}

// say tells a person who watches what goes on.
func (a *app) say(what string) {
	if a.interactive() {
		a.warn(what)
	}
}

// warn tells what was left out or could not be had, to whoever reads stderr.
func (a *app) warn(what string) {
	if !a.quiet {
		fmt.Fprintf(a.err, "bulwark: %s\n", clean(what))
	}
}
