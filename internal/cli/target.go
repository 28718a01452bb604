package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bulwark"
	"bulwark/scan"
	"bulwark/source/cluster"
	running "bulwark/source/engine"
	"bulwark/source/git"
	"bulwark/source/image"
	"bulwark/source/image/archive"
	"bulwark/source/image/engine"
	"bulwark/source/image/layout"
	"bulwark/source/image/registry"
	"bulwark/source/manifest"
	"bulwark/source/rootfs"
	"bulwark/source/sbom"
)

// jobs gives the work of opening each target.
func (a *app) jobs(refs []string) ([]scan.Job, error) {
	a.hosts = map[string]bool{}
	for _, ref := range refs {
		if r, err := image.ParseReference(strings.TrimPrefix(ref, "image:")); err == nil {
			a.hosts[r.Registry] = true
		}
	}
	for _, host := range slices.Concat(a.plainHTTP, a.registries) { // naming one for a purpose is naming it
		host, _, _ = strings.Cut(host, "/")
		a.hosts[host] = true
	}
	list := make([]scan.Job, len(refs))
	stdin := 0
	for i, ref := range refs {
		if _, rest := prefixed(ref); rest == "-" || ref == "-" {
			stdin++
		}
		list[i] = scan.Job{Ref: ref, Open: func(ctx context.Context) (*bulwark.Target, error) { return a.target(ctx, ref) }}
	}
	if stdin > 1 {
		return nil, usage("standard input can be one target only")
	}
	return list, nil
}

// kindsOfTarget are the prefixes that force what a reference is.
var kindsOfTarget = []string{"image", "tar", "oci", "rootfs", "dir", "sbom", "docker", "podman", "k8s", "cluster", "snapshot"}

// prefixed divides "kind:rest"; kind is empty when ref has no known prefix.
func prefixed(ref string) (kind, rest string) {
	kind, rest, ok := strings.Cut(ref, ":")
	if !ok {
		return "", ref
	}
	for _, k := range kindsOfTarget {
		if kind == k {
			return kind, rest
		}
	}
	return "", ref
}

// target opens what ref means.
func (a *app) target(ctx context.Context, ref string) (*bulwark.Target, error) {
	kind, rest := prefixed(ref)
	if kind != "" && rest == "" {
		return nil, fmt.Errorf("%s: names nothing after the colon: %w", ref, bulwark.ErrNotFound)
	}
	if rest == "-" {
		a.in = await(ctx, a.in)
	}
	guessed := kind == ""
	if guessed {
		var err error
		if kind, err = a.sniff(ref); err != nil {
			return nil, err
		}
	}
	if a.offline && kind == "cluster" {
		return nil, fmt.Errorf("%s would be asked of its API server, and %w", ref, errOffline)
	}
	if a.offline && kind == "image" {
		return nil, fmt.Errorf("%s would be asked of a registry, and %w", ref, errOffline)
	}
	if kind != "dir" && (a.history || a.staged) {
		return nil, fmt.Errorf("%s is no project folder: --git-history and --staged look at folders with Git: %w (dir:%s takes a folder as one)", ref, bulwark.ErrUnsupported, rest)
	}
	t, err := a.source(kind).Open(ctx, rest)
	if err != nil && guessed && kind == "image" {
		return nil, fmt.Errorf("there is no file or folder of that name, and as an image: %w", err)
	}
	return t, err
}

func (a *app) source(kind string) bulwark.Source {
	switch kind {
	case "tar":
		return &archive.Source{Platform: a.platform, Stdin: a.in, Spool: a.cacheFolder()}
	case "oci":
		return &layout.Source{Platform: a.platform}
	case "sbom":
		return &sbom.Source{Stdin: a.in}
	case "rootfs":
		return &rootfs.Rootfs{}
	case "dir":
		return a.folder()
	case "cluster":
		return a.clusters()
	case "snapshot":
		return &cluster.Snapshot{Stdin: a.in}
	case "k8s":
		return &manifest.Source{Options: a.manifests(), Stdin: a.in}
	case "host":
		return &rootfs.Host{}
	case "engine":
		return &running.Source{}
	case "docker", "podman":
		s := &engine.Source{Kind: kind, Platform: a.platform}
		if !a.noCache {
			s.Recall = filepath.Join(a.cacheFolder(), "layers", "engine") // the cache of layers keeps it tidy
		}
		return s
	}
	return a.registry()
}

// folder is the source of project folders.
func (a *app) folder() bulwark.Source {
	switch {
	case a.staged:
		return &git.Staged{Index: os.Getenv("GIT_INDEX_FILE")}
	case a.history:
		return &git.History{Folder: &manifest.Folder{Options: a.manifests(), Folder: &rootfs.Dir{}}}
	}
	return &manifest.Folder{Options: a.manifests(), Folder: &rootfs.Dir{}}
}

// sniff finds out what a reference without prefix is.
func (a *app) sniff(ref string) (string, error) {
	switch {
	case ref == "host":
		return "host", nil
	case ref == "cluster", ref == "engine":
		return ref, nil
	case ref == "-":
		return a.sniffInput()
	}
	file, _ := image.Split(ref)
	st, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist) && (filepath.IsAbs(ref) || strings.HasPrefix(ref, ".")):
		return "", fmt.Errorf("no such file or folder: %w", bulwark.ErrNotFound) // and no image's name
	case errors.Is(err, os.ErrNotExist) || err != nil && !strings.ContainsAny(ref, "./\\"):
		return "image", nil
	case err != nil:
		return "", fmt.Errorf("%s: %w", ref, err)
	case st.IsDir():
		return sniffDir(file), nil
	case st.Mode().IsRegular() && manifest.IsChart(file):
		return "k8s", nil
	case st.Mode()&os.ModeNamedPipe != 0 || image.IsArchive(file):
		return "tar", nil // a pipe can be opened once: whoever sends a document says sbom:
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if cluster.IsSnapshot(file) {
		return "snapshot", nil
	}
	return sniffDocument(bufio.NewReader(f), ref)
}

func sniffDir(dir string) string {
	switch {
	case image.IsLayout(dir):
		return "oci"
	case rootfs.IsRootfs(dir):
		return "rootfs"
	}
	return "dir"
}

// sniffInput looks at the start of standard input, and leaves it to be read.
func (a *app) sniffInput() (string, error) {
	kind, err := sniffDocument(a.head(), "standard input")
	if err != nil {
		return "tar", nil // not a document: the archive reader says what is wrong with it
	}
	return kind, nil
}

// head reads the start of standard input without taking it away. A regular file stays
// one, which sources can read anywhere.
func (a *app) head() *bufio.Reader {
	if f, ok := a.in.(*os.File); ok {
		st, err := f.Stat()
		at, seekErr := f.Seek(0, io.SeekCurrent)
		if err == nil && seekErr == nil && st.Mode().IsRegular() {
			return bufio.NewReader(io.NewSectionReader(f, at, st.Size()))
		}
	}
	r := bufio.NewReaderSize(a.in, 64<<10)
	a.in = r
	return r
}

func sniffDocument(r *bufio.Reader, name string) (string, error) {
	head, err := r.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	if sbom.IsSBOM(head) {
		return "sbom", nil
	}
	if manifest.IsManifest(head) {
		return "k8s", nil
	}
	return "", fmt.Errorf("%s is neither an image archive nor an SBOM (CycloneDX or SPDX JSON) nor a Kubernetes manifest: %w", name, bulwark.ErrUnsupported)
}

// registry is the source that asks registries.
func (a *app) registry() *registry.Source {
	return &registry.Source{Platform: a.platform, PlainHTTP: a.plainHTTP, CAFile: a.caFile, Mirrors: a.mirrorsByHost()}
}

// resolve gives the digest that a reference has in its registry now.
func (a *app) resolve(ctx context.Context, ref string) (string, error) {
	return a.asked(ref).Digest(ctx, ref)
}

// asked is the source for a reference that may come from a target: registries that the
// user did not name are asked only at public addresses.
func (a *app) asked(ref string) *registry.Source {
	s := a.registry()
	r, err := image.ParseReference(ref)
	s.Foreign = err != nil || !a.hosts[r.Registry]
	return s
}

// findBase opens the base image that an image's annotations name, with --online alone.
func (a *app) findBase(ctx context.Context, t *bulwark.Target) (*scan.Base, error) {
	const prefix = "org.opencontainers.image.base."
	name := cmp.Or(t.Image.Annotations[prefix+"name"], t.Image.Labels[prefix+"name"])
	digest := cmp.Or(t.Image.Annotations[prefix+"digest"], t.Image.Labels[prefix+"digest"])
	r, err := image.ParseReference(name)
	if !a.online || err != nil {
		return nil, nil
	}
	ref := r.String()
	if digest != "" {
		ref = r.Registry + "/" + r.Repository + "@" + digest
	}
	s := a.asked(ref)
	s.Platform = cmp.Or(a.platform, t.Image.OS+"/"+t.Image.Arch)
	base, err := s.Open(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("the base image that the annotations name: %w", err)
	}
	return baseOf(name, base)
}

// baseOf takes the layers of an image that is a base, and closes it.
func baseOf(name string, t *bulwark.Target) (*scan.Base, error) {
	b := &scan.Base{Name: name}
	for _, l := range t.Layers {
		b.DiffIDs = append(b.DiffIDs, l.DiffID)
	}
	if t.Close == nil {
		return b, nil
	}
	return b, t.Close()
}

func (a *app) mirrorsByHost() map[string][]string {
	hosts := map[string][]string{}
	for _, m := range a.mirrors {
		host, mirror, _ := strings.Cut(m, "=")
		hosts[host] = append(hosts[host], mirror)
	}
	return hosts
}

// namedBases opens the images that --base names, for their layers alone.
func (a *app) namedBases(ctx context.Context) ([]scan.Base, error) {
	var bases []scan.Base
	for _, ref := range a.bases {
		t, err := a.target(ctx, ref)
		if err != nil {
			return nil, fmt.Errorf("--base: %w", err)
		}
		b, err := baseOf(t.Asset.Name, t)
		if err != nil {
			return nil, fmt.Errorf("--base: %w", err)
		}
		bases = append(bases, *b)
	}
	return bases, nil
}
