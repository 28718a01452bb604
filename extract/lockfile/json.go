package lockfile

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/jsonc"
)

// npmPackage is an entry of package-lock.json, of either layout.
type npmPackage struct {
	Name         string                `json:"name"`
	Version      string                `json:"version"`
	Dev          bool                  `json:"dev"`
	Link         bool                  `json:"link"`
	License      json.RawMessage       `json:"license"`
	Dependencies map[string]npmPackage `json:"dependencies"`
}

// packageLock reads npm's lockfile. From layout 2 on "packages" is flat and keyed by
// folder; before, "dependencies" nests.
func packageLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var file struct {
		Packages map[string]struct {
			Name    string          `json:"name"`
			Version string          `json:"version"`
			Dev     bool            `json:"dev"`
			Link    bool            `json:"link"`
			License json.RawMessage `json:"license"`
		} `json:"packages"`
		Dependencies map[string]npmPackage `json:"dependencies"`
	}
	err := json.Unmarshal(content, &file)
	var list []declared
	for _, folder := range slices.Sorted(maps.Keys(file.Packages)) {
		p := file.Packages[folder]
		i := strings.LastIndex(folder, "node_modules/")
		if i < 0 || p.Link { // the project itself and its workspaces
			continue
		}
		name := folder[i+len("node_modules/"):]
		if p.Name != "" {
			name = p.Name
		}
		list = append(list, npm(name, p.Version, p.License, p.Dev))
	}
	if len(file.Packages) > 0 {
		return list, err
	}
	return npmNested(list, file.Dependencies), err
}

// npmNested collects layout 1. The JSON decoder bounds the depth.
func npmNested(list []declared, dependencies map[string]npmPackage) []declared {
	for _, name := range slices.Sorted(maps.Keys(dependencies)) {
		p := dependencies[name]
		list = append(list, npm(name, p.Version, p.License, p.Dev))
		list = npmNested(list, p.Dependencies)
	}
	return list
}

// npm takes the place of an alias ("npm:real@1.0.0"), and drops what stands where a
// version belongs and is none: an address, a folder, a commit.
func npm(name, version string, license json.RawMessage, dev bool) declared {
	if alias, ok := strings.CutPrefix(version, "npm:"); ok {
		if i := strings.LastIndexByte(alias, '@'); i > 0 {
			name, version = alias[:i], alias[i+1:]
		}
	}
	if strings.ContainsAny(version, ":/#") {
		version = ""
	}
	d := declared{typ: "npm", name: name, version: version, dev: dev}
	var id string
	if json.Unmarshal(license, &id) == nil && plausible(id) {
		d.licenses = []string{id}
	}
	return d
}

// bunLock reads bun's textual lockfile: JSON with comments and trailing commas, whose
// packages are lists that start with "name@version".
func bunLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	var file struct {
		Packages map[string][]json.RawMessage `json:"packages"`
	}
	err := json.Unmarshal(jsonc.ToJSON(content), &file)
	var list []declared
	for _, key := range slices.Sorted(maps.Keys(file.Packages)) {
		var id string
		if p := file.Packages[key]; len(p) == 0 || json.Unmarshal(p[0], &id) != nil {
			continue
		}
		i := strings.LastIndexByte(id, '@')
		if i <= 0 || strings.HasPrefix(id[i+1:], "workspace:") {
			continue
		}
		if j := strings.IndexByte(id[1:], '@'); strings.ContainsAny(id[j+2:], ":/#") { // an address, whatever it holds
			i = j + 1
		}
		list = append(list, npm(id[:i], id[i+1:], nil, false))
	}
	return list, err
}

// composerLock reads Composer's lockfile.
func composerLock(_ context.Context, _ string, content []byte) ([]declared, error) {
	type composerPackage struct {
		Name    string   `json:"name"`
		Version string   `json:"version"`
		License []string `json:"license"`
	}
	var file struct {
		Packages []composerPackage `json:"packages"`
		Dev      []composerPackage `json:"packages-dev"`
	}
	err := json.Unmarshal(content, &file)
	var list []declared
	for i, p := range slices.Concat(file.Packages, file.Dev) {
		list = append(list, declared{
			typ: "composer", name: p.Name, version: p.Version, dev: i >= len(file.Packages),
			licenses: slices.DeleteFunc(p.License, func(s string) bool { return !plausible(s) }),
		})
	}
	return list, err
}
