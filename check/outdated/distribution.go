package outdated

import (
	"context"
	"errors"
	"strings"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/scope"
)

// maxRepositories bounds how many indexes an image can make the scanner ask.
const maxRepositories = 32

// distribution asks the indexes that the image's package manager is set up for.
func (r *run) distribution(ctx context.Context) {
	wanted := map[string]string{} // the newest version, by name
	var subjects []*subject
	for _, s := range r.packages {
		if scope.OfDistribution(s.Package) && (s.Format == "deb" || s.Format == "apk") {
			subjects = append(subjects, s)
			wanted[s.Name] = ""
		}
	}
	if len(subjects) == 0 {
		return
	}
	repositories := r.inv.Repositories
	if len(repositories) == 0 {
		r.note(true, "the target names no package index, so %d packages of the distribution were not asked about", len(subjects))
		return
	}
	if len(repositories) > maxRepositories {
		r.note(true, "the target names %d package indexes; %d were asked", len(repositories), maxRepositories)
		repositories = repositories[:maxRepositories]
	}
	asked := 0
	for _, repo := range repositories {
		n, err := r.index(ctx, repo, subjects, func(name, version string) {
			have, ok := wanted[name]
			if ok && newer(subjects[0].Ecosystem, have, version) {
				wanted[name] = version
			}
		})
		asked += n
		if err != nil {
			r.note(!errors.Is(err, bulwark.ErrNotFound), "package index: %v", err)
		}
	}
	if asked > 0 {
		r.note(false, "%d package indexes were read as they came: signatures of indexes are not verified", asked)
	}
	for _, s := range subjects {
		if latest := wanted[s.Name]; latest != "" && newer(s.Ecosystem, s.Version, latest) {
			r.behind(s, latest, "its distribution's index")
		}
	}
}

// newer tells whether version is newer than have, which may be empty.
func newer(ecosystem, have, version string) bool {
	if have == "" {
		return true
	}
	order, err := advisory.Compare(ecosystem, have, version)
	return err == nil && order < 0
}

// index reads one repository and calls found for each of its packages; n is how many
// files it read.
func (r *run) index(ctx context.Context, repo bulwark.Repository, subjects []*subject, found func(name, version string)) (n int, err error) {
	arch := archOfPackages(subjects, r.arch)
	switch repo.Kind {
	case "apt":
		return r.apt(ctx, repo, arch, found)
	case "apk":
		return 1, r.apk(ctx, repo, arch, found)
	}
	return 0, nil
}

// archOfPackages is the architecture in the package manager's words: that of the first
// package which has one of its own.
func archOfPackages(subjects []*subject, fallback string) string {
	for _, s := range subjects {
		if s.Arch != "" && s.Arch != "all" && s.Arch != "noarch" {
			return s.Arch
		}
	}
	return fallback
}

func archOf(t *bulwark.Target) string {
	if t.Image == nil {
		return "amd64"
	}
	arch, _, _ := strings.Cut(t.Image.Arch, "/")
	return arch
}
