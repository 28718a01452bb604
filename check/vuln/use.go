package vuln

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/advisory"
	"bulwark/check/internal/scope"
)

// maxLinked bounds the symbols that evidence names.
const maxLinked = 5

// use judges whether what is vulnerable is in use.
type use struct{ target *bulwark.Target }

// of gives nil when it is not known, and what tells it. What is not linked is not used, whatever was loaded; what was not loaded is
// not used, whatever is linked.
func (u use) of(s *subject, p *problem) (*bool, []string) {
	still, why := u.lies(s, p)
	ran, seen := loaded(s)
	switch {
	case ran == nil || still != nil && !*still:
		return still, why
	case *ran:
		return ran, append(why, seen)
	}
	return ran, []string{seen}
}

// loaded tells whether any of the packages was loaded where the target runs: nil where of none it is known.
func loaded(s *subject) (is *bool, why string) {
	for _, p := range s.packages {
		switch {
		case p.InUse == nil:
			return nil, ""
		case *p.InUse:
			return p.InUse, p.Use
		}
		is, why = p.InUse, p.Use
	}
	return is, why
}

// lies judges by what is in the target.
func (u use) lies(s *subject, p *problem) (*bool, []string) {
	if s.packages[0].Format == "golang" || s.packages[0].Symbols != nil {
		return u.linked(s, p)
	}
	if why := u.idleKernel(s.packages[0]); why != "" {
		return new(bool), []string{why}
	}
	return nil, nil
}

// idleKernel says why p, built from the kernel's source, is not the kernel that runs.
// An image runs none of its own. Elsewhere the kernel images may run and everything
// else, such as headers, is not the kernel.
func (u use) idleKernel(p *bulwark.Package) string {
	switch {
	case !scope.OfDistribution(p) || !kernelSource(p):
		return ""
	case u.target.Image != nil || u.target.Asset.Kind == "image":
		return "an image does not run the kernel that it holds"
	case !kernelImage(p.Name):
		return "this is not the kernel that runs, but what was built beside it"
	}
	return ""
}

func kernelSource(p *bulwark.Package) bool {
	source := p.Name
	if p.Source != nil && p.Source.Name != "" {
		source = p.Source.Name
	}
	switch source {
	case "linux", "kernel", "kernel-rt", "kernel-default", "kernel-uek", "linux-lts", "linux-virt", "linux-edge", "linux-headers":
		return true
	}
	return strings.HasPrefix(source, "linux-signed") || strings.HasPrefix(source, "linux-hwe") ||
		strings.HasPrefix(p.Name, "linux-image-") || strings.HasPrefix(p.Name, "linux-headers-") || p.Name == "linux-libc-dev"
}

// kernelImage tells whether a package holds what boots, or modules of it.
func kernelImage(name string) bool {
	for _, prefix := range []string{"linux-image-", "linux-modules-", "kernel-core", "kernel-modules", "kernel-rt", "kernel-default", "kernel-uek"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "kernel", "linux", "linux-lts", "linux-virt", "linux-edge":
		return true
	}
	return false
}

// linked tells which vulnerable symbols the programs link. One program that links them
// is enough; that none does counts only when the symbols of all are known.
func (u use) linked(s *subject, p *problem) (*bool, []string) {
	if len(p.imports) == 0 {
		return nil, nil
	}
	relevant := slices.DeleteFunc(slices.Clone(p.imports), func(i advisory.Import) bool { return !u.builtFor(i) })
	if len(relevant) == 0 {
		return new(bool), []string{"only other operating systems or architectures are affected"}
	}
	var names []string
	known := true
	for _, pkg := range s.packages {
		if pkg.Symbols == nil {
			known = false
			continue
		}
		for _, i := range relevant {
			names = append(names, linkedOf(pkg.Symbols, i)...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 0 {
		yes := true
		return &yes, linkedEvidence(names)
	}
	if !known {
		return nil, nil
	}
	return new(bool), []string{"no vulnerable symbol is linked"}
}

func linkedEvidence(names []string) []string {
	var out []string
	for _, n := range names[:min(len(names), maxLinked)] {
		out = append(out, n+" is linked")
	}
	if more := len(names) - maxLinked; more > 0 {
		out = append(out, plural(more, "more vulnerable symbol is linked", "more vulnerable symbols are linked"))
	}
	return out
}

// builtFor tells whether an import can be part of the target's programs.
func (u use) builtFor(i advisory.Import) bool {
	if u.target.Image == nil {
		return true
	}
	arch, _, _ := strings.Cut(u.target.Image.Arch, "/") // arm/v7
	return allows(i.GOOS, u.target.Image.OS) && allows(i.GOARCH, arch)
}

func allows(list []string, have string) bool {
	return len(list) == 0 || have == "" || slices.Contains(list, have)
}

// linkedOf names what of an import is linked: its symbols, or the package when all
// of it is vulnerable. A method is written T.M in advisories; the linker writes
// (*T).M where the receiver is a pointer.
func linkedOf(symbols *bulwark.Symbols, i advisory.Import) []string {
	if len(i.Symbols) == 0 {
		if symbols.Has(i.Path) {
			return []string{i.Path}
		}
		return nil
	}
	var out []string
	for _, symbol := range i.Symbols {
		if symbols.Has(i.Path+"."+symbol) || symbols.Has(pointerMethod(i.Path, symbol)) {
			out = append(out, i.Path+"."+symbol)
		}
	}
	return out
}

func pointerMethod(path, symbol string) string {
	receiver, method, ok := strings.Cut(symbol, ".")
	if !ok {
		return path + "." + symbol
	}
	return path + ".(*" + strings.Trim(receiver, "(*)") + ")." + method
}
