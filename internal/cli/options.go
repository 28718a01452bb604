package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/internal/glob"
	"bulwark/internal/limit"
)

// options are the flags that commands share. Flag beats environment beats file.
type options struct {
	inUse       []string
	formats     []string
	output      string
	only        []string
	personal    bool
	dockerfile  string
	history     bool
	staged      bool
	yara        []string
	policies    []string
	inline      bool
	registries  []string
	secretRules []string
	skip        []string
	severity    []string
	fixable     bool
	hygiene     bool
	failOn      []string
	complete    bool
	baseline    string
	exclude     []string
	exceptions  []string
	db          string
	maxAge      time.Duration
	offline     bool
	online      bool
	config      string
	timeout     time.Duration
	quiet       bool
	verbose     bool
	noColor     bool
	platform    string
	distro      string
	cacheDir    string
	noCache     bool
	now         string
	bases       []string
	plainHTTP   []string
	caFile      string
	mirrors     []string
	goProxy     string
	npm         string
	frameworks  []string
	failUnder   int
	byPaths     bool
	chart       chartOptions
	cluster     clusterOptions
}

// common adds the flags of every command.
func (o *options) common(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "settings `FILE` (default bulwark.yaml in this folder)")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this `duration`")
	f.BoolVar(&o.quiet, "quiet", false, "no progress and no notes on stderr")
	f.BoolVar(&o.verbose, "verbose", false, "say more")
	f.BoolVar(&o.noColor, "no-color", false, "no colour, as with NO_COLOR")
	f.StringVar(&o.now, "now", "", "the `time` that checks see (RFC 3339); makes a run reproducible")
}

// results adds the flags of commands that write a report; formats names those they have.
func (o *options) results(f *pflag.FlagSet, formats []string, normal string) {
	f.StringArrayVarP(&o.formats, "format", "f", nil, "`FORMAT`, or FORMAT=FILE to write several (default "+normal+"): "+strings.Join(formats, " "))
	f.Lookup("format").Annotations = map[string][]string{formatWords: formats}
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of stdout")
}

// indexes adds the flags that name whom --online may ask.
func (o *options) indexes(f *pflag.FlagSet) {
	f.StringVar(&o.goProxy, "go-proxy", firstURL(os.Getenv("GOPROXY")), "`URL` of the module proxy to ask about Go modules, with --online (default: GOPROXY)")
	f.StringVar(&o.npm, "npm-registry", firstURL(os.Getenv("npm_config_registry")), "`URL` of the registry to ask about npm packages, with --online (default: npm_config_registry)")
}

// firstURL is the first address of a list as GOPROXY has it.
func firstURL(list string) string {
	for one := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == '|' }) {
		if strings.HasPrefix(one, "http://") || strings.HasPrefix(one, "https://") {
			return one
		}
	}
	return ""
}

// targets adds the flags of commands that open targets.
func (o *options) targets(f *pflag.FlagSet) {
	f.StringVar(&o.platform, "platform", "", "`OS/ARCH[/VARIANT]` to choose from a multi-platform image")
	f.StringVar(&o.distro, "distro", "", "take the distribution to be `NAME:VERSION`")
	f.StringArrayVar(&o.exclude, "exclude", nil, "`GLOB` of paths not to read (repeatable)")
	f.StringVar(&o.cacheDir, "cache-dir", "", "`folder` for results of layers and other data (default "+defaultDir()+")")
	f.BoolVar(&o.noCache, "no-cache", false, "neither use nor keep results of layers")
	f.BoolVar(&o.offline, "offline", false, "no network at all")
	f.BoolVar(&o.online, "online", false, "may ask package indexes and registries about what is in the target")
	f.StringArrayVar(&o.bases, "base", nil, "`IMAGE` that the target is built on (repeatable)")
	f.StringArrayVar(&o.plainHTTP, "plain-http", nil, "`HOST` of a registry to speak plain http with (repeatable)")
	f.StringVar(&o.caFile, "ca", "", "`FILE` with certificates (PEM) to trust beside the system's")
	f.StringArrayVar(&o.mirrors, "mirror", nil, "`HOST=MIRROR` of a registry to ask first (repeatable)")
}

// database adds the flags of commands that use the advisory database.
func (o *options) database(f *pflag.FlagSet) {
	f.StringVar(&o.db, "db", "", "advisory database `FILE` (default "+filepath.Join(defaultDir(), "advisories.db")+")")
	f.DurationVar(&o.maxAge, "max-db-age", 0, "refuse a database older than this `duration` (default: warn past 7 days)")
}

// inside adds the flags that say what to look for in files.
func (o *options) inside(f *pflag.FlagSet) {
	f.StringArrayVar(&o.yara, "yara", nil, "`FILE` or folder of YARA rules to look for, too (repeatable; kind malware)")
	f.StringArrayVar(&o.secretRules, "secret-rules", nil, "gitleaks configuration `FILE` whose rules count, too (repeatable; kind secret)")
	f.StringArrayVar(&o.policies, "policy", nil, "`FILE` or folder of policies to hold Kubernetes objects to: ValidatingAdmissionPolicies, bindings, parameters (repeatable; kind misconfig)")
	f.StringArrayVar(&o.registries, "trusted-registry", nil, "`HOST[/PATH]` that base images may come from; others are findings (repeatable; kind misconfig)")
	f.StringVar(&o.dockerfile, "dockerfile", "", "the `FILE` that the image was built from: findings say which of its lines made what they are about")
	f.BoolVar(&o.personal, "personal-data", false, "also find data about people: payment cards, account numbers, lists of addresses (kind secret)")
}

// repository adds the flags that look at what a Git repository holds beside its files.
func (o *options) repository(f *pflag.FlagSet) {
	f.BoolVar(&o.history, "git-history", false, "of a folder with Git, look for secrets in every version of every file as well")
	f.BoolVar(&o.staged, "staged", false, "of a folder with Git, look only at what is staged for the next commit")
}

// selection adds the flags that choose findings.
func (o *options) selection(f *pflag.FlagSet) {
	f.StringSliceVar(&o.only, "only", nil, "only these `KINDS` of findings: vulnerability outdated eol secret malware misconfig exposure")
	f.StringSliceVar(&o.skip, "skip", nil, "all but these `KINDS` of findings")
	f.StringSliceVar(&o.severity, "severity", nil, "only these `LEVELS`: unknown low medium high critical")
	f.BoolVar(&o.fixable, "fixable-only", false, "only what has a fix")
	f.BoolVar(&o.hygiene, "hygiene", false, "also what is merely untidy")
	f.StringSliceVar(&o.failOn, "fail-on", nil, "exit 3 when a finding reaches `LEVEL`: unknown low medium high critical, also kev, fixable (repeatable)")
	f.BoolVar(&o.complete, "require-complete", false, "exit 4 when something could not be looked at")
	f.StringVar(&o.baseline, "baseline", "", "report only what this saved `REPORT` (json) does not have")
	f.StringArrayVar(&o.exceptions, "exceptions", nil, "`FILE` of exceptions or VEX (repeatable)")
	f.BoolVar(&o.inline, "inline-exceptions", false, "honour exceptions found in the target: annotations bulwark.dev/except of Kubernetes objects, comments of manifests")
}

var kinds = []string{
	bulwark.KindVulnerability, bulwark.KindOutdated, bulwark.KindEOL, bulwark.KindSecret, bulwark.KindMalware,
	bulwark.KindMisconfig, bulwark.KindExposure, bulwark.KindTrust, bulwark.KindHost, bulwark.KindRuntime,
}

// settle fills flags that were not given from the environment and the file, and checks
// what does not depend on a command. It is every command's PreRunE.
func (o *options) settle(c *cobra.Command, args []string) error {
	file, name, err := o.readConfig(c, args)
	if err != nil {
		return err
	}
	var failed error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || failed != nil || f.Name == "help" || f.Name == "config" {
			return
		}
		env := "BULWARK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := os.LookupEnv(env); ok {
			failed = set(c.Flags(), f, []string{v}, env)
		} else if v, ok := file[f.Name]; ok {
			failed = set(c.Flags(), f, v.values, fmt.Sprintf("%s:%d: %s", name, v.line, f.Name))
		}
	})
	if failed != nil {
		return failed
	}
	return o.validate()
}

func set(flags *pflag.FlagSet, f *pflag.Flag, values []string, where string) error {
	for _, v := range values {
		if err := flags.Set(f.Name, v); err != nil {
			return usage("%s: %w", where, err)
		}
	}
	return nil
}

func (o *options) validate() error {
	for _, k := range append(slices.Clone(o.only), o.skip...) {
		if !slices.Contains(kinds, k) {
			return usage("%q is no kind of finding; the kinds are %s", k, strings.Join(kinds, " "))
		}
	}
	for _, s := range o.severity {
		if new(bulwark.Severity).UnmarshalText([]byte(s)) != nil {
			return usage("%q is no severity; they are unknown low medium high critical", s)
		}
	}
	for _, s := range o.failOn {
		if s != "kev" && s != "fixable" && new(bulwark.Severity).UnmarshalText([]byte(s)) != nil {
			return usage("--fail-on %q: say unknown, low, medium, high, critical, kev or fixable", s)
		}
	}
	for _, g := range o.exclude {
		if !glob.Valid(g) {
			return usage("--exclude %q is no glob", g)
		}
	}
	if o.history && o.staged {
		return usage("--git-history and --staged exclude each other")
	}
	if o.offline && o.online {
		return usage("--offline and --online exclude each other")
	}
	if parts := strings.Split(o.platform, "/"); o.platform != "" && (len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "")) {
		return usage("--platform %q: say OS/ARCH, as in linux/arm64", o.platform)
	}
	if _, err := o.release(); err != nil {
		return err
	}
	if _, err := o.clock(); err != nil {
		return err
	}
	return o.chart.check()
}

// release is the distribution that --distro names; nil without one.
func (o *options) release() (*bulwark.Release, error) {
	if o.distro == "" {
		return nil, nil
	}
	id, v, ok := strings.Cut(o.distro, ":")
	if !ok || id == "" || v == "" {
		return nil, usage("--distro %q: say NAME:VERSION, as in debian:12", o.distro)
	}
	return &bulwark.Release{ID: strings.ToLower(id), VersionID: v}, nil
}

// clock is the time that checks see.
func (o *options) clock() (time.Time, error) {
	if o.now == "" {
		return time.Now().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, o.now)
	if err != nil {
		return t, usage("--now %q: say it as 2006-01-02T15:04:05Z", o.now)
	}
	return t.UTC(), nil
}

// wants tells whether findings of that kind are asked for.
func (o *options) wants(kind string) bool {
	if len(o.only) > 0 {
		return slices.Contains(o.only, kind)
	}
	return !slices.Contains(o.skip, kind)
}

// wantsAdvisories tells whether anything that needs the advisory database is asked for.
func (o *options) wantsAdvisories() bool {
	return o.wants(bulwark.KindVulnerability) || o.wants(bulwark.KindMalware) || o.wants(bulwark.KindEOL) || o.wants(bulwark.KindOutdated)
}

type setting struct {
	values []string
	line   int
}

const maxConfig = 1 << 20

// readConfig reads the settings file: flag names with a value or a list.
// One that nobody named is not read when it lies in a target: what is scanned does not
// configure the scanner.
func (o *options) readConfig(c *cobra.Command, args []string) (map[string]setting, string, error) {
	name := o.config
	if name == "" {
		name = os.Getenv("BULWARK_CONFIG")
	}
	asked := name != ""
	if !asked {
		name = "bulwark.yaml"
	}
	f, err := os.Open(name)
	if err != nil {
		if asked {
			return nil, "", usage("reading settings: %w", err)
		}
		return nil, "", nil
	}
	defer f.Close()
	if !asked && slices.ContainsFunc(args, holds) {
		fmt.Fprintln(c.ErrOrStderr(), "bulwark: note: bulwark.yaml lies in the target and is not obeyed; to use it say --config bulwark.yaml")
		return nil, "", nil
	}
	data, err := limit.ReadAll(f, maxConfig, name)
	if err != nil {
		return nil, "", usage("reading settings: %w", err)
	}
	settings, err := parseConfig(data, name, c.Root())
	return settings, name, err
}

// holds tells whether a target is this folder or one that holds it.
func holds(target string) bool {
	_, dir := prefixed(target)
	here, err := filepath.Abs(".")
	if err != nil {
		return true
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return true
	}
	st, err := os.Stat(dir)
	rel, relErr := filepath.Rel(dir, here)
	return err == nil && st.IsDir() && relErr == nil && filepath.IsLocal(rel) && dir != "/"
}

// parseConfig takes any flag of any command, so that one file serves them all.
func parseConfig(data []byte, name string, root *cobra.Command) (map[string]setting, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, usage("%s: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, usage("%s:%d: settings are written as \"flag: value\"", name, top.Line)
	}
	known := map[string]bool{}
	flagNames(root, known)
	settings := map[string]setting{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], top.Content[i+1]
		if !known[k.Value] {
			return nil, usage("%s:%d: unknown setting %q", name, k.Line, k.Value)
		}
		values := []string{v.Value}
		switch v.Kind {
		case yaml.SequenceNode:
			values = nil
			for _, item := range v.Content {
				values = append(values, item.Value)
			}
		case yaml.ScalarNode:
		default:
			return nil, usage("%s:%d: %s takes a value or a list", name, v.Line, k.Value)
		}
		settings[k.Value] = setting{values, k.Line}
	}
	return settings, nil
}

func flagNames(c *cobra.Command, into map[string]bool) {
	c.Flags().VisitAll(func(f *pflag.Flag) { into[f.Name] = f.Name != "config" && f.Name != "help" })
	for _, sub := range c.Commands() {
		flagNames(sub, into)
	}
}

// defaultDir is where data is kept for the user.
func defaultDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "bulwark")
}

func (o *options) cacheFolder() string {
	if o.cacheDir != "" {
		return o.cacheDir
	}
	return defaultDir()
}

func (o *options) dbFile() string {
	if o.db != "" {
		return o.db
	}
	return filepath.Join(o.cacheFolder(), "advisories.db")
}

// Version is set when a release is built.
var Version = ""

// version is what this program calls itself; development builds tell themselves
// apart by the time that the binary was written.
func version() string {
	if Version != "" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	exe, err := os.Executable()
	if err != nil {
		return "devel"
	}
	st, err := os.Stat(exe)
	if err != nil {
		return "devel"
	}
	return "devel-" + st.ModTime().UTC().Format("20060102150405")
}
