package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bulwark"
	"bulwark/advisory"
	"bulwark/all"
)

func (a *app) explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "explain ID", Short: "Say what a vulnerability, a rule, a control of a framework, a kind of finding, a plugin or an exit code means",
		Example: "  bulwark explain CVE-2024-3094\n  bulwark explain image/root-user\n  bulwark explain cis:5.2.2\n  bulwark explain extract/dpkg\n  bulwark explain 3",
		Args:    cobra.ExactArgs(1), PreRunE: a.settle,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.write(func(w io.Writer) error { return a.explain(w, args[0]) })
		},
	}
	f := c.Flags()
	f.StringVarP(&a.output, "output", "o", "", "write to `FILE` instead of stdout")
	f.StringVar(&a.cacheDir, "cache-dir", "", "`folder` for results of layers and other data (default "+defaultDir()+")")
	a.database(f)
	a.common(f)
	return c
}

var exitCodes = map[string]string{
	"0":   "The command did its work. For scan: nothing met --fail-on.",
	"1":   "No target could be opened, or the command could not do its work. The error says why.",
	"2":   "The command line, an environment variable or a settings file is wrong.",
	"3":   "A finding that no exception covers reaches what --fail-on names.",
	"4":   "--require-complete was given and something that was asked for could not be looked at; the notes say what.",
	"130": "Interrupted by a signal.",
}

var kindMeaning = map[string]string{
	bulwark.KindVulnerability: "A package whose version an advisory says is vulnerable. Rules are vuln/<advisory id>.",
	bulwark.KindOutdated:      "A package behind the index it came from, a deprecated one, or an image that is old or whose tag has moved on. Packages need --online.",
	bulwark.KindSecret:        "A key, token or password in a file, an archive, a lower layer or an image's configuration. Its value is never shown.",
	bulwark.KindMalware:       "Code that is malicious or not what it should be: changed package files, miners, shells, what starts them, what YARA rules of yours match.",
	bulwark.KindMisconfig:     "A setting of an image, of the files that it is built from, of a Kubernetes object, a cluster or a container that runs, that makes an attack easier. Those with the tag hygiene need --hygiene.",
	bulwark.KindExposure:      "A way in that is open wider than it should be, or data that travels unprotected: an Ingress without TLS, a load balancer to a database.",
	bulwark.KindEOL:           "A distribution release or a runtime that its makers no longer fix, or soon will not.",
}

func (a *app) explain(w io.Writer, id string) error {
	id = strings.TrimSpace(id)
	if text, ok := exitCodes[strings.TrimPrefix(id, "exit ")]; ok {
		_, err := fmt.Fprintf(w, "exit code %s: %s\n", strings.TrimPrefix(id, "exit "), text)
		return err
	}
	if text, ok := kindMeaning[id]; ok {
		_, err := fmt.Fprintf(w, "%s: %s\n", id, text)
		return err
	}
	if i := slices.IndexFunc(all.Plugins(), func(p bulwark.Plugin) bool { return p.Info().Name == id }); i >= 0 {
		info := all.Plugins()[i].Info()
		_, err := fmt.Fprintf(w, "%s: %s\n", info.Name, info.Summary)
		return err
	}
	if known, err := explainControl(w, id); known {
		return err
	}
	if r, ok := ruleNamed(id); ok && (family(id) != "vuln" || r.ID == id) {
		return showRule(w, &r)
	}
	return a.explainAdvisory(w, strings.TrimPrefix(id, "vuln/"))
}

func (a *app) explainAdvisory(w io.Writer, id string) error {
	db, err := advisory.Open(a.dbFile())
	if errors.Is(err, bulwark.ErrNotFound) {
		return &exit{code: exitFailed, err: fmt.Errorf("%s is no rule, kind, plugin or exit code, and without a database vulnerabilities are not known: %w", id, err),
			hint: "bulwark rule list names the rules; bulwark db update gets a database"}
	}
	if err != nil {
		return &exit{code: exitFailed, err: fmt.Errorf("explaining %s: %w", id, err), hint: "bulwark db update"}
	}
	defer db.Close()
	ids := []string{id}
	if _, err := db.Record(id); errors.Is(err, bulwark.ErrNotFound) {
		ids = db.Naming(id)
	}
	if len(ids) == 0 {
		return &exit{code: exitFailed, err: fmt.Errorf("%s is no vulnerability of the database, rule, kind, plugin or exit code: %w", id, bulwark.ErrNotFound)}
	}
	for i, id := range ids {
		r, err := db.Record(id)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprint(w, "\n---\n\n")
		}
		if _, err := io.WriteString(w, clean(advisoryText(db, &r))); err != nil {
			return err
		}
	}
	return nil
}

func advisoryText(db *advisory.DB, r *advisory.Record) string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-11s %s\n", label, text)
		}
	}
	line(r.ID, r.Summary)
	line("aliases", strings.Join(r.Aliases, " "))
	line("upstream", strings.Join(r.Upstream, " "))
	line("related", strings.Join(r.Related, " "))
	if !r.Withdrawn.IsZero() {
		line("withdrawn", r.Withdrawn.Format(time.DateOnly))
	}
	if r.Severity != bulwark.SeverityUnknown {
		line("severity", r.Severity.String())
	}
	for _, v := range r.CVSS {
		if score, err := advisory.Score(v); err == nil {
			line("CVSS", fmt.Sprintf("%.1f %s", score, v))
		}
	}
	for _, cve := range slices.Concat([]string{r.ID}, r.Aliases, r.Upstream) {
		if k, ok := db.KEV(cve); ok {
			line("exploited", fmt.Sprintf("%s is in CISA's catalogue of known exploited vulnerabilities since %s", cve, k.Added.Format(time.DateOnly)))
		}
		if e, ok := db.EPSS(cve); ok {
			line("EPSS", fmt.Sprintf("%s: %.2f %% within 30 days, higher than %.0f %% of all", cve, e.Score*100, e.Percentile*100))
		}
	}
	for _, p := range r.Affected {
		line("affects", strings.Join(nonEmpty(p.Ecosystem, p.Name, strings.Join(p.Ranges, " or ")), " "))
	}
	if r.Details != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(r.Details))
	}
	if len(r.References) > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(r.References, "\n"))
	}
	return b.String()
}
