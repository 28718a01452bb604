package outdated

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"bulwark"
	"bulwark/advisory"
)

// answer is what a registry says of one package.
type answer struct {
	latest     string
	deprecated map[string]string // why, by version; "*" for all of them
	err        error
}

// why tells why a version is deprecated; empty when it is not.
func (a *answer) why(version string) string {
	if s := a.deprecated[version]; s != "" {
		return s
	}
	return a.deprecated["*"]
}

// registry asks one registry about all packages of one format.
func (r *run) registry(ctx context.Context, what, ecosystem string, subjects []*subject, ask func(string) answer) {
	var names []string
	for _, s := range subjects {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	answers, missed := each(ctx, names, ask)
	failed, first := 0, error(nil)
	for _, a := range answers {
		if a.err != nil && !errors.Is(a.err, bulwark.ErrNotFound) {
			failed++
			if first == nil {
				first = a.err
			}
		}
	}
	if failed > 0 {
		r.note(true, "%s: %d of %d packages could not be asked about, the first because of %v", what, failed, len(names), first)
	}
	if missed > 0 {
		r.note(true, "%s: %d of %d packages were not asked about, for want of time", what, missed, len(names))
	}
	for _, s := range subjects {
		i, _ := slices.BinarySearch(names, s.Name)
		a := &answers[i]
		if a.err != nil {
			continue
		}
		if why := a.why(s.Version); why != "" {
			r.deprecated(s, why)
		}
		if order, err := advisory.Compare(ecosystem, s.Version, a.latest); a.latest != "" && err == nil && order < 0 {
			r.behind(s, a.latest, what)
		}
	}
}

// unnamed notes that there are packages to ask about and nobody to ask.
func (r *run) unnamed(packages int, address, what, flag string) bool {
	if packages > 0 && address == "" {
		r.note(r.o.Wanted, "%d packages were not asked about, because no %s is named; %s names one", packages, what, flag)
	}
	return packages == 0 || address == ""
}

// goModules asks the module proxy (https://go.dev/ref/mod#goproxy-protocol).
func (r *run) goModules(ctx context.Context) {
	var subjects []*subject
	for _, s := range r.packages {
		if s.Ecosystem == "Go" && s.Name != "stdlib" && s.Name != "toolchain" && semver.IsValid(canonical(s.Version)) {
			subjects = append(subjects, s)
		}
	}
	if r.unnamed(len(subjects), r.o.GoProxy, "Go module proxy", "--go-proxy URL") {
		return
	}
	r.registry(ctx, "the Go module proxy", "Go", subjects, func(name string) answer { return r.goModule(ctx, name) })
}

func canonical(version string) string { return "v" + strings.TrimPrefix(version, "v") }

func (r *run) goModule(ctx context.Context, name string) answer {
	escaped, err := module.EscapePath(name)
	if err != nil {
		return answer{err: bulwark.ErrNotFound} // the proxy cannot have it
	}
	base := r.o.GoProxy + "/" + escaped
	body, err := get(ctx, r.o.Client, base+"/@latest", "application/json", maxAnswer)
	if err != nil {
		return answer{err: err}
	}
	var latest struct{ Version string }
	if err := json.Unmarshal(body, &latest); err != nil || !semver.IsValid(latest.Version) {
		return answer{err: bulwark.ErrMalformed}
	}
	a := answer{latest: latest.Version}
	if version, err := module.EscapeVersion(latest.Version); err == nil {
		a.deprecated = map[string]string{"*": r.goDeprecated(ctx, base+"/@v/"+version+".mod")}
	}
	return a
}

// goDeprecated is the comment of the latest go.mod that calls the module deprecated.
func (r *run) goDeprecated(ctx context.Context, address string) string {
	body, err := get(ctx, r.o.Client, address, "", maxAnswer)
	if err != nil {
		return ""
	}
	f, err := modfile.ParseLax("go.mod", body, nil)
	if err != nil || f.Module == nil {
		return ""
	}
	return f.Module.Deprecated
}

// npmPackages asks the registry
// (https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md).
func (r *run) npmPackages(ctx context.Context) {
	var subjects []*subject
	for _, s := range r.packages {
		if s.Ecosystem == "npm" {
			subjects = append(subjects, s)
		}
	}
	if r.unnamed(len(subjects), r.o.NPMRegistry, "npm registry", "--npm-registry URL") {
		return
	}
	r.registry(ctx, "the npm registry", "npm", subjects, func(name string) answer { return r.npmPackage(ctx, name) })
}

func (r *run) npmPackage(ctx context.Context, name string) answer {
	if name == "" || strings.HasPrefix(name, ".") || strings.Contains(name, "..") || len(name) > 214 {
		return answer{err: bulwark.ErrNotFound}
	}
	body, err := get(ctx, r.o.Client, r.o.NPMRegistry+"/"+url.PathEscape(name), "application/vnd.npm.install-v1+json, application/json;q=0.8", maxAnswer)
	if err != nil {
		return answer{err: err}
	}
	var doc struct {
		Tags     map[string]string `json:"dist-tags"`
		Versions map[string]struct {
			Deprecated any `json:"deprecated"` // why, or a boolean
		} `json:"versions"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return answer{err: bulwark.ErrMalformed}
	}
	a := answer{latest: line(doc.Tags["latest"]), deprecated: map[string]string{}}
	for version, v := range doc.Versions {
		switch why := v.Deprecated.(type) {
		case string:
			a.deprecated[version] = why
		case bool:
			if why {
				a.deprecated[version] = "its maintainers say no more"
			}
		}
	}
	return a
}
