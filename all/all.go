// Package all lists the plugins: the one place that imports every one of them.
package all

import (
	"context"
	"time"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/advice"
	"bulwark/check/build"
	"bulwark/check/cluster"
	"bulwark/check/compose"
	"bulwark/check/dockerfile"
	"bulwark/check/engine"
	"bulwark/check/eol"
	"bulwark/check/exposure"
	"bulwark/check/image"
	"bulwark/check/intent"
	"bulwark/check/malware"
	"bulwark/check/manifest"
	checknetwork "bulwark/check/network"
	"bulwark/check/outdated"
	"bulwark/check/policy"
	"bulwark/check/rbac"
	"bulwark/check/secret"
	"bulwark/check/secrets"
	"bulwark/check/vuln"
	"bulwark/check/workload"
	"bulwark/check/yara"
	"bulwark/detect/profile"
	"bulwark/extract/apk"
	"bulwark/extract/buildfile"
	"bulwark/extract/composer"
	"bulwark/extract/dpkg"
	"bulwark/extract/gem"
	"bulwark/extract/gobinary"
	"bulwark/extract/java"
	"bulwark/extract/lockfile"
	"bulwark/extract/npm"
	"bulwark/extract/nuget"
	"bulwark/extract/osrelease"
	"bulwark/extract/program"
	"bulwark/extract/python"
	"bulwark/extract/repositories"
	"bulwark/extract/rpm"
	"bulwark/extract/rustbinary"
	"bulwark/policy/admission"
	relatecloud "bulwark/relate/cloud"
	relatereach "bulwark/relate/reach"
	relaterights "bulwark/relate/rights"
	relateworkload "bulwark/relate/workload"
	"bulwark/report"
	"bulwark/report/alerts"
	"bulwark/report/cyclonedx"
	"bulwark/report/falco"
	"bulwark/report/gitlab"
	"bulwark/report/html"
	"bulwark/report/json"
	"bulwark/report/jsonl"
	"bulwark/report/junit"
	"bulwark/report/markdown"
	"bulwark/report/ocsf"
	"bulwark/report/openvex"
	"bulwark/report/oscal"
	"bulwark/report/sarif"
	"bulwark/report/spdx"
	"bulwark/report/table"
)

// Extractors turn files into packages, and where misconfigurations are wanted hand out
// what is checked for them.
func Extractors(o Options) []bulwark.Extractor {
	list := []bulwark.Extractor{
		apk.New(), composer.New(), dpkg.New(), gem.New(), java.New(), lockfile.New(), npm.New(),
		nuget.New(), osrelease.New(), python.New(), repositories.New(), rpm.New(),
	}
	if o.wants(bulwark.KindMisconfig) {
		list = append(list, buildfile.New(), image.NewExtractor())
	}
	return list
}

// Inspectors look at files as they stream by: they recognise programs by content, and
// find what is wanted of secrets, malicious code and odd modes.
func Inspectors(o Options) []bulwark.Inspector {
	list := []bulwark.Inspector{gobinary.New(), java.New(), program.New(), rustbinary.New()}
	if o.wants(bulwark.KindSecret) {
		list = append(list, secret.New(o.Secrets))
	}
	if o.wants(bulwark.KindMalware) {
		list = append(list, malware.New())
		if o.YARA != nil {
			list = append(list, yara.New(yara.Options{Rules: o.YARA}))
		}
	}
	if o.wants(bulwark.KindMisconfig) {
		list = append(list, image.NewInspector())
	}
	return list
}

// Resolvers settle what needs the whole image.
func Resolvers() []bulwark.Resolver {
	return []bulwark.Resolver{apk.New(), dpkg.New(), rpm.New()}
}

// Options is what plugins need to know.
type Options struct {
	DB     *advisory.DB // nil: there is none
	Now    time.Time
	Asked  bool // the kind outdated was asked for by name
	Online bool // may ask package indexes and registries
	// GoProxy and NPMRegistry are whom to ask about Go modules and npm packages.
	GoProxy, NPMRegistry string
	// Resolve gives the digest that a reference has in its registry now.
	Resolve func(ctx context.Context, ref string) (string, error)
	Secrets secret.Options
	YARA    *yara.RuleSet // the user's rules; nil: none
	// Policies are the user's; nil: none.
	Policies *admission.Set
	// Registries are those that base images may come from; empty: all.
	Registries []string
	Hygiene    bool // what is merely untidy is wanted, too
	// Wants tells whether findings of a kind are asked for; nil: all are.
	Wants func(kind string) bool
}

func (o *Options) wants(kind string) bool { return o.Wants == nil || o.Wants(kind) }

// Checks reason about what was found: those whose kind is wanted.
func Checks(o Options) []bulwark.Check {
	var list []bulwark.Check
	add := func(kind string, checks ...bulwark.Check) {
		if o.wants(kind) {
			list = append(list, checks...)
		}
	}
	if o.wants(bulwark.KindVulnerability) || o.wants(bulwark.KindMalware) && o.DB != nil {
		list = append(list, vuln.New(o.DB, vuln.Options{Now: o.Now})) // records of malicious packages are malware
	}
	add(bulwark.KindEOL, eol.New(o.DB, eol.Options{Now: o.Now}))
	add(bulwark.KindOutdated, outdated.New(outdated.Options{Now: o.Now, Online: o.Online, Wanted: o.Asked, GoProxy: o.GoProxy, NPMRegistry: o.NPMRegistry, Resolve: o.Resolve}))
	add(bulwark.KindSecret, secret.NewConfig(o.Secrets))
	add(bulwark.KindMalware, malware.NewCheck(malware.Options{Hygiene: o.Hygiene}))
	resolve := o.Resolve
	if !o.Online {
		resolve = nil
	}
	if o.YARA != nil {
		add(bulwark.KindMalware, yara.New(yara.Options{Rules: o.YARA}).Check())
	}
	add(bulwark.KindMisconfig, image.New(), dockerfile.New(dockerfile.Options{Registries: o.Registries, Resolve: resolve}), compose.New(compose.Options{Resolve: resolve}), build.New())
	add(bulwark.KindMisconfig, workload.With(workload.Options{Registries: o.Registries}).WithHygiene(o.Hygiene), rbac.New().WithHygiene(o.Hygiene))
	add(bulwark.KindMisconfig, cluster.New().WithHygiene(o.Hygiene), engine.New().WithHygiene(o.Hygiene), manifest.New().WithHygiene(o.Hygiene))
	if o.Policies != nil {
		add(bulwark.KindMisconfig, policy.New(o.Policies))
	}
	if o.wants(bulwark.KindMisconfig) || o.wants(bulwark.KindSecret) {
		list = append(list, secrets.New(secrets.Options{Now: o.Now}).WithHygiene(o.Hygiene))
	}
	if o.wants(bulwark.KindMisconfig) || o.wants(bulwark.KindExposure) {
		list = append(list, exposure.New(exposure.Options{Now: o.Now}).WithHygiene(o.Hygiene), checknetwork.New().WithHygiene(o.Hygiene))
	}
	list = append(list, components(o)...)
	return list
}

// components judges the versions of what clusters are made of, by those who judge packages.
func components(o Options) []bulwark.Check {
	if o.DB == nil {
		return nil // those who judge packages say so
	}
	c := cluster.ComponentOptions{Record: o.DB.Record}
	if o.wants(bulwark.KindVulnerability) {
		c.Vulnerabilities = vuln.New(o.DB, vuln.Options{Now: o.Now})
	}
	if o.wants(bulwark.KindEOL) {
		c.Lifetimes = eol.New(o.DB, eol.Options{Now: o.Now})
	}
	return []bulwark.Check{cluster.NewComponents(c)}
}

// Advisors say what to do first.
func Advisors(o Options) []bulwark.Advisor {
	return []bulwark.Advisor{advice.New(o.DB, advice.Options{Now: o.Now})}
}

// Relaters tell what is connected.
func Relaters() []bulwark.Relater {
	return []bulwark.Relater{relateworkload.New(), relaterights.New(), relatecloud.New(), relatereach.New()}
}

// Plugins lists every plugin that can be explained.
func Plugins() []bulwark.Plugin {
	var list []bulwark.Plugin
	for _, p := range Extractors(Options{}) {
		list = append(list, p)
	}
	for _, p := range Inspectors(Options{}) {
		list = append(list, p)
	}
	for _, p := range Checks(Options{}) {
		list = append(list, p)
	}
	for _, p := range Advisors(Options{}) {
		list = append(list, p)
	}
	for _, p := range Detectors(Detecting{}) {
		list = append(list, p)
	}
	return append(list, yara.New(yara.Options{}).Check(), intent.New(nil), profile.Listed())
}

// Formats are the ways to write a run.
func Formats() []report.Format {
	return []report.Format{
		table.Format(), json.Format(), jsonl.Format(), sarif.Format(), cyclonedx.Format(), spdx.Format(),
		openvex.Format(), junit.Format(), gitlab.Format(), markdown.Format(), html.Format(), oscal.Format(),
	}
}

// Streams are the ways to write findings as they happen; the first one is for people.
func Streams() []report.Format {
	return []report.Format{alerts.Format(), jsonl.Format(), falco.Format(), ocsf.Format()}
}
