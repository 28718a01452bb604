package dockerfile

import (
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

var (
	aptUnsigned = &misconfig.Rule{ID: "dockerfile/unsigned-packages", Severity: bulwark.SeverityHigh, Title: "Packages are installed without their signatures being checked",
		Tags: []string{"cwe:CWE-347", "attack:T1195.002"}, Fix: "take the switch out, and give the source its key (signed-by=, gpgkey=)",
		Why:   "Signatures are all that ties a package to its publisher: without them a mirror or anybody on the way to it decides what is installed, as root. High.",
		Noise: "A file of one's own that is installed from the build context."}
	apkUntrusted = &misconfig.Rule{ID: "dockerfile/apk-untrusted", Severity: bulwark.SeverityHigh, Title: "apk installs packages without their signatures being checked",
		Tags: []string{"cwe:CWE-347", "attack:T1195.002"}, Fix: "copy the publisher's key to /etc/apk/keys and leave --allow-untrusted out",
		Why: "As for unsigned-packages. High; low for a package file that the same RUN compares with a checksum.", Noise: "A package built in an earlier stage."}
	packageIndex = &misconfig.Rule{ID: "dockerfile/package-index", Severity: bulwark.SeverityMedium, Title: "Packages come from an index that is not checked, or from two at once",
		Tags: []string{"attack:T1195.002", "cwe:CWE-427"}, Fix: "use one index over https (--index-url) that proxies the public one, and pin with hashes",
		Why:   "--extra-index-url takes whichever index has the higher version: whoever puts the private name on the public index wins (dependency confusion). --trusted-host and http leave the way open. Medium: it takes a name that is known or a place on the network.",
		Noise: "Extra indexes that hold public names only; well-known ones (PyTorch, NVIDIA, piwheels) are passed over."}
	goChecksums = &misconfig.Rule{ID: "dockerfile/go-checksums-off", Severity: bulwark.SeverityMedium, Title: "Go's check of modules against the checksum database is off",
		Tags: []string{"cwe:CWE-354"}, Fix: "set GOPRIVATE to the private modules alone, and leave GOSUMDB, GONOSUMDB, GONOSUMCHECK, GOINSECURE and GOFLAGS=-insecure unset",
		Why: "The database makes sure that everybody gets the same bytes of a version. Medium: go.sum still guards modules that it lists.", Noise: "Builds without a network, from a vendor folder."}
	lockIgnored = &misconfig.Rule{ID: "dockerfile/lock-ignored", Severity: bulwark.SeverityLow, Hygiene: true, Title: "Dependencies are installed past the lock file",
		Tags: []string{"slsa:materials"}, Fix: "npm ci, yarn install --immutable (--frozen-lockfile), pnpm install --frozen-lockfile",
		Why: "What is built is not what was reviewed and scanned. Low: the lock file still steers most versions.", Noise: "Projects without a lock file; a copy of it that is fresh."}
	unpinned = &misconfig.Rule{ID: "dockerfile/unpinned-package", Severity: bulwark.SeverityLow, Hygiene: true, Title: "Packages are installed without a version",
		Tags: []string{"hadolint:DL3013", "hadolint:DL3016", "hadolint:DL3028", "hadolint:DL3062"}, Fix: "name the version: pip install x==1.2, npm install x@1.2, gem install x:1.2, go install x@v1.2; better from a lock file with hashes",
		Why: "Each build takes the newest version, unreviewed: that of the day on which an account was taken over, too. Low: it opens nothing by itself.", Noise: "pip, setuptools and the like, which are raised on purpose."}
	unpinnedOS = &misconfig.Rule{ID: "dockerfile/unpinned-os-package", Severity: bulwark.SeverityLow, Hygiene: true, Title: "Packages of the distribution are installed without a version",
		Tags: []string{"hadolint:DL3008", "hadolint:DL3018", "hadolint:DL3033", "hadolint:DL3041", "hadolint:DL3037"}, Fix: "pin the base image by digest and take packages of a snapshot, or name versions",
		Why: "The image cannot be built again. Low, and contested: a distribution keeps only its newest version, which has the fixes, so that pins break builds.", Noise: "Most of the time; that is why it is hygiene."}
	aptUpgrade = &misconfig.Rule{ID: "dockerfile/os-upgrade", Severity: bulwark.SeverityLow, Hygiene: true, Title: "The build upgrades the whole distribution",
		Tags: []string{"dockle:DKL-DI-0003", "hadolint:DL3005", "hadolint:DL3017", "hadolint:DL3031", "hadolint:DL3039"}, Fix: "build from a base image that is up to date instead",
		Why: "What the image holds depends on the day of the build, and every file is stored twice. Low.", Noise: "Base images whose publisher is slow with security fixes: upgrading is then the better choice."}
	recommends = &misconfig.Rule{ID: "dockerfile/apt-recommends", Severity: bulwark.SeverityLow, Hygiene: true, Title: "apt installs what is merely recommended",
		Tags: []string{"hadolint:DL3015"}, Fix: "add --no-install-recommends",
		Why: "Packages that nobody asked for bring size and vulnerabilities. Low.", Noise: "Some programs need what is recommended."}
	aptLists = &misconfig.Rule{ID: "dockerfile/package-cache", Severity: bulwark.SeverityLow, Hygiene: true, Title: "The package manager's cache stays in the layer",
		Tags: []string{"dockle:DKL-DI-0004", "dockle:DKL-DI-0005", "hadolint:DL3009", "hadolint:DL3019", "hadolint:DL3032", "hadolint:DL3036", "hadolint:DL3040", "hadolint:DL3042", "hadolint:DL3060"}, Fix: "remove it in the same RUN (rm -rf /var/lib/apt/lists/*, apk add --no-cache, dnf clean all, pip install --no-cache-dir), or use a cache mount",
		Why: "Size, and a list of packages that grows stale. Low.", Noise: "Stages that are thrown away."}
	aptForPeople = &misconfig.Rule{ID: "dockerfile/apt-for-people", Severity: bulwark.SeverityLow, Hygiene: true, Title: "apt is used in a script",
		Tags: []string{"hadolint:DL3027"}, Fix: "use apt-get, whose behaviour is stable",
		Why: "apt's makers warn that its command line changes. Low.", Noise: "None known."}
	aptAsks = &misconfig.Rule{ID: "dockerfile/apt-asks", Severity: bulwark.SeverityLow, Hygiene: true, Title: "The package manager would ask, and nobody answers",
		Tags: []string{"hadolint:DL3014", "hadolint:DL3030", "hadolint:DL3034", "hadolint:DL3038"}, Fix: "add -y",
		Why: "The build fails or hangs. Low.", Noise: "A setting in apt.conf that says yes."}
	updateAlone = &misconfig.Rule{ID: "dockerfile/update-alone", Severity: bulwark.SeverityLow, Hygiene: true, Title: "Package lists are updated in a RUN of their own",
		Tags: []string{"cis-docker:4.7", "dockle:CIS-DI-0007", "hadolint:DL3009"}, Fix: "update and install in one RUN",
		Why: "The layer is cached: later installs take old versions, without the fixes of today. Low.", Noise: "Stages that are never cached."}

	packageRules = []*misconfig.Rule{aptUnsigned, apkUntrusted, packageIndex, goChecksums, lockIgnored, unpinned, unpinnedOS, aptUpgrade, recommends, aptLists, aptForPeople, aptAsks, updateAlone}
)

// packages judges package managers.
func (s *script) packages() {
	for k := range s.Commands {
		c := &s.Commands[k]
		s.unsigned(c)
		s.goModules(c)
		if s.i.Name != "run" {
			continue
		}
		switch c.Name {
		case "apt-get", "apt", "aptitude":
			s.apt(k, c)
		case "apk":
			s.apk(c)
		case "yum", "dnf", "microdnf", "zypper":
			s.rpm(k, c)
		case "pip", "pip2", "pip3", "pipx":
			s.pip(c, c.Args)
		case "python", "python2", "python3":
			if len(c.Args) > 2 && c.Args[0] == "-m" && (c.Args[1] == "pip" || c.Args[1] == "pip3") {
				s.pip(c, c.Args[2:])
			}
		case "uv":
			if len(c.Args) > 1 && c.Args[0] == "pip" {
				s.pip(c, c.Args[1:])
			}
		case "npm", "yarn", "pnpm", "bun":
			s.npm(c)
		case "gem":
			s.gem(c)
		case "go":
			s.goInstall(c)
		case "cargo":
			s.cargo(c)
		}
	}
}

// unsigned judges switches that turn signatures off.
func (s *script) unsigned(c *df.Command) {
	what := ""
	switch c.Name {
	case "apt-get", "apt", "aptitude":
		for _, a := range c.Args {
			l := strings.ToLower(a)
			if l == "--allow-unauthenticated" || l == "--force-yes" || l == "--allow-insecure-repositories" || strings.Contains(l, "allowunauthenticated=true") || strings.Contains(l, "allowinsecurerepositories=true") || strings.Contains(l, "allow-insecure-repositories=true") {
				what = a
			}
		}
	case "yum", "dnf", "microdnf", "tdnf":
		for _, a := range c.Args {
			if a == "--nogpgcheck" || a == "--no-gpgchecks" || strings.HasPrefix(a, "--setopt=") && (strings.HasSuffix(a, "gpgcheck=0") || strings.HasSuffix(strings.ToLower(a), "gpgcheck=false")) && !strings.Contains(a, "repo_gpgcheck") {
				what = a
			}
		}
	case "zypper":
		for _, a := range c.Args {
			if a == "--no-gpg-checks" || a == "--gpg-auto-import-keys" || a == "--allow-unsigned-rpm" || a == "-G" || a == "--no-gpgcheck" {
				what = a
			}
		}
	case "rpm":
		if c.Has("--nosignature", "--nogpg") {
			what = "--nosignature"
		}
	case "echo", "printf", "sed", "tee":
		for _, a := range c.Args {
			if l := strings.ToLower(a); strings.Contains(l, "trusted=yes") || strings.Contains(l, "gpgcheck=0") && !strings.Contains(l, "repo_gpgcheck=0") || strings.Contains(l, "allowunauthenticated") && strings.Contains(l, "true") || strings.Contains(l, "allow-insecure=yes") || strings.Contains(l, "allowinsecurerepositories") && strings.Contains(l, "true") {
				what = "a source without signatures"
			}
		}
	case "apk":
		if c.Has("--allow-untrusted") {
			r := s.about(apkUntrusted, c, "apk --allow-untrusted")
			if s.verified {
				r.rate(bulwark.SeverityLow)
			}
		}
	}
	if what != "" {
		s.about(aptUnsigned, c, c.Name+" "+what)
	}
}

func (s *script) goModules(c *df.Command) {
	assigns := c.Assigns
	if c.Name == "export" || c.Name == "go" && c.Has("env") {
		for _, a := range c.Args {
			if k, v, ok := strings.Cut(a, "="); ok {
				assigns = append(assigns, df.Assign{Name: k, Value: v})
			}
		}
	}
	for _, a := range assigns {
		if goUnchecked(a.Name, a.Value) {
			s.about(goChecksums, c, a.Name)
		}
	}
}

func goUnchecked(key, value string) bool {
	switch key {
	case "GOSUMDB":
		return value == "off"
	case "GONOSUMCHECK", "GONOSUMDB":
		return value != "" && value != "0"
	case "GOINSECURE":
		return value != ""
	case "GOFLAGS":
		return strings.Contains(value, "-insecure")
	}
	return false
}

func (s *script) apt(k int, c *df.Command) {
	if c.Name == "apt" && c.Has("install", "update", "upgrade", "remove") {
		s.edit(s.about(aptForPeople, c, "apt"), c.Line, "apt", "apt-get")
	}
	if c.Has("upgrade", "dist-upgrade", "full-upgrade") {
		s.about(aptUpgrade, c, c.Name)
	}
	if c.Has("update") && !s.later(k, "install", "apt-get", "apt", "aptitude") && !s.later(k, "build-dep", "apt-get", "apt") && !s.opaque(k) && !s.later(k, "upgrade", "apt-get", "apt") {
		s.about(updateAlone, c, c.Name)
	}
	if !c.Has("install") {
		return
	}
	if !yes(c) {
		s.edit(s.about(aptAsks, c, c.Name), c.Line, "install", "install -y")
	}
	if !recommendsOff(c) {
		s.edit(s.about(recommends, c, c.Name), c.Line, "install", "install --no-install-recommends")
	}
	if !s.cleans("/var/lib/apt") && !s.mounts("/var/lib/apt") && !s.mounts("/var/cache/apt") {
		s.about(aptLists, c, c.Name)
	}
	s.versions(c, "=")
}

// opaque tells whether scripts behind a command may install what is not seen.
func (s *script) opaque(k int) bool {
	for n := k + 1; n < len(s.Commands); n++ {
		c := &s.Commands[n]
		if c.Name == "" || strings.HasSuffix(c.Name, ".sh") || strings.HasPrefix(c.Name, "./") || df.IsShell(c.Name) || c.Name == "source" || c.Name == "." || c.Name == "gdebi" || c.Name == "mk-build-deps" || c.Name == "npx" || c.Name == "apt-cache" {
			return true
		}
	}
	return false
}

func recommendsOff(c *df.Command) bool {
	for _, a := range c.Args {
		if l := strings.ToLower(a); a == "--no-install-recommends" || strings.Contains(l, "install-recommends=0") || strings.Contains(l, "install-recommends=false") || strings.Contains(l, "install-recommends \"false\"") {
			return true
		}
	}
	return false
}

func yes(c *df.Command) bool {
	for _, a := range c.Args {
		if a == "--yes" || a == "--assume-yes" || a == "--assumeyes" || a == "-qq" || a == "--non-interactive" || a == "--force-yes" || isShort(a, 'y', "oct") || a == "-n" || a == "-q=2" || a == "--quiet=2" || strings.Contains(a, "Assume-Yes") {
			return true
		}
	}
	for _, a := range c.Args {
		if strings.HasPrefix(a, "$") {
			return true // flags in a variable
		}
	}
	return false
}

// later tells whether one of the programs is run with a word behind command k.
func (s *script) later(k int, word string, programs ...string) bool {
	for n := k + 1; n < len(s.Commands); n++ {
		for _, p := range programs {
			if s.Commands[n].Name == p && s.Commands[n].Has(word) {
				return true
			}
		}
	}
	return false
}

// cleans tells whether a command removes what is below a folder.
func (s *script) cleans(folder string) bool {
	for k := range s.Commands {
		c := &s.Commands[k]
		if c.Name != "rm" && c.Name != "find" {
			continue
		}
		for _, a := range c.Args {
			if strings.HasPrefix(a, folder) || strings.Contains(a, "{") && strings.HasPrefix(a, "/var/") && strings.Contains(a, "apt") || a == "/var/lib/"+"*" {
				return true
			}
		}
	}
	return false
}

// mounts tells whether the instruction has a cache or tmpfs mounted at or above a folder.
func (s *script) mounts(folder string) bool {
	for _, f := range s.i.Flags {
		if f.Name != "mount" {
			continue
		}
		for part := range strings.SplitSeq(f.Value, ",") {
			k, v, _ := strings.Cut(part, "=")
			if (k == "target" || k == "dst" || k == "destination") && strings.HasPrefix(strings.TrimSuffix(v, "/"), folder) {
				return true
			}
		}
	}
	return false
}

// versions judges packages of the distribution that come without a version.
func (s *script) versions(c *df.Command, mark string) {
	skip := true
	for _, a := range c.Operands("-o", "-t", "--target-release", "-c", "-X", "--repository", "--virtual", "-t", "--root", "-p") {
		if skip {
			skip = a != "install" && a != "add" && a != "in"
			continue
		}
		if !strings.ContainsAny(a, mark+"$/.~<>@") {
			s.about(unpinnedOS, c, c.Name)
			return
		}
	}
}

func (s *script) apk(c *df.Command) {
	if c.Has("upgrade") && len(c.Operands("-X", "--repository", "-p", "--root")) == 1 {
		s.about(aptUpgrade, c, c.Name)
	}
	if !c.Has("add") {
		return
	}
	if !c.Has("--no-cache") && !s.cleans("/var/cache/apk") && !s.mounts("/var/cache/apk") && !s.mounts("/etc/apk/cache") {
		s.edit(s.about(aptLists, c, c.Name), c.Line, "add", "add --no-cache")
	}
	s.versions(c, "=")
}

func (s *script) rpm(k int, c *df.Command) {
	switch {
	case (c.Has("upgrade") || c.Has("update", "up", "dist-upgrade", "dup")) && len(c.Operands()) < 2:
		s.about(aptUpgrade, c, c.Name)
	}
	if !c.Has("install", "in", "groupinstall", "localinstall", "reinstall") {
		return
	}
	if !yes(c) {
		s.edit(s.about(aptAsks, c, c.Name), c.Line, "install", "install -y")
	}
	cleaned := s.cleans("/var/cache") || s.mounts("/var/cache")
	for n := k; n < len(s.Commands); n++ {
		d := &s.Commands[n]
		cleaned = cleaned || d.Name == c.Name && d.Has("clean", "cc", "--no-cache") || d.Has("clean") && strings.HasSuffix(d.Name, "dnf")
	}
	if !cleaned {
		s.about(aptLists, c, c.Name)
	}
	s.versions(c, "-=")
}

// pip judges pip install; args are those behind pip.
func (s *script) pip(c *df.Command, args []string) {
	if len(args) == 0 {
		return
	}
	s.index(c)
	if args[0] != "install" {
		return
	}
	p := df.Command{Name: "pip", Args: args[1:]}
	if !p.Has("--no-cache-dir", "--no-cache") && c.Name != "uv" && !s.mounts("/root/.cache") && !s.mounts("/home") && !s.i.Stage.Has("PIP_NO_CACHE_DIR") && !s.cleans("/root/.cache") && !s.cleans("~/.cache") {
		s.edit(s.about(aptLists, c, "pip"), c.Line, "install", "install --no-cache-dir")
	}
	if p.Has("--require-hashes") {
		return
	}
	for _, o := range p.Operands("-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "--trusted-host", "-t", "--target", "-f", "--find-links", "--prefix", "--root", "-e", "--editable", "--platform", "--python-version", "--timeout", "--retries", "--proxy", "--python", "--cert", "--global-option", "--only-binary", "--no-binary", "--progress-bar", "--upgrade-strategy", "--default-timeout", "--group") {
		if strings.ContainsAny(o, "=<>~@/$*`.") || o == "pip" || o == "setuptools" || o == "wheel" || o == "virtualenv" {
			continue
		}
		if p.Has("-c", "--constraint") {
			return
		}
		s.about(unpinned, c, "pip "+o)
	}
}

// known are indexes that hold public names of their own.
var known = []string{"download.pytorch.org", "pypi.org", "pypi.nvidia.com", "pypi.ngc.nvidia.com", "developer.download.nvidia.com", "piwheels.org", "www.piwheels.org", "test.pypi.org", "wheels.vllm.ai", "flashinfer.ai", "data.pyg.org", "storage.googleapis.com/jax-releases", "files.pythonhosted.org"}

// index judges where pip looks for packages.
func (s *script) index(c *df.Command) {
	if v, ok := c.Value("--trusted-host"); ok {
		s.about(packageIndex, c, "trusted host "+v)
	}
	if v, ok := c.Value("--index-url", "-i", "global.index-url"); ok && isHTTP(v) { // the last: pip config set
		s.about(packageIndex, c, v)
	}
	if v, ok := c.Value("global.trusted-host", "install.trusted-host"); ok {
		s.about(packageIndex, c, "trusted host "+v)
	}
	v, ok := c.Value("--extra-index-url", "global.extra-index-url")
	if !ok {
		return
	}
	_, rest, _ := strings.Cut(v, "://")
	for _, k := range known {
		if strings.HasPrefix(rest, k) && !isHTTP(v) {
			return
		}
	}
	s.about(packageIndex, c, "extra index "+v)
}

func (s *script) npm(c *df.Command) {
	if v, ok := c.Value("--registry"); ok && isHTTP(v) {
		s.about(packageIndex, c, v)
	}
	for i, a := range c.Args { // npm config set registry http://...
		if a == "registry" && i+1 < len(c.Args) && isHTTP(c.Args[i+1]) {
			s.about(packageIndex, c, c.Args[i+1])
		}
	}
	ops := c.Operands("--registry", "--prefix", "-C", "--cwd", "--filter", "-w", "--workspace", "--cache", "--network-timeout", "--omit", "--only", "--include", "--loglevel", "-F", "--fetch-retries", "--fetch-timeout")
	if len(ops) == 0 {
		return
	}
	verb, names := ops[0], ops[1:]
	if c.Name == "yarn" && verb == "global" && len(names) > 0 {
		verb, names = names[0], names[1:]
	}
	switch {
	case c.Has("--no-frozen-lockfile", "--no-lockfile", "--no-immutable", "--no-package-lock", "--no-save-lockfile"):
		s.about(lockIgnored, c, c.Name)
	case c.Name == "npm" && (verb == "install" || verb == "i") && len(names) == 0 && !c.Has("-g", "--global"):
		s.edit(s.about(lockIgnored, c, c.Name), c.Line, "npm install", "npm ci")
		return
	}
	if verb != "install" && verb != "i" && verb != "add" {
		return
	}
	for _, n := range names {
		if strings.HasPrefix(n, ".") || strings.HasPrefix(n, "/") || strings.Contains(n, "://") || strings.ContainsAny(n, "$`") || strings.HasSuffix(n, ".tgz") {
			continue
		}
		if at := strings.LastIndexByte(n, '@'); at > 0 && n[at+1:] != "latest" && n[at+1:] != "" {
			continue
		}
		s.about(unpinned, c, c.Name+" "+strings.TrimSuffix(n, "@latest"))
	}
}

func (s *script) gem(c *df.Command) {
	ops := c.Operands("-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "-P", "--trust-policy", "--platform")
	if len(ops) < 2 || ops[0] != "install" && ops[0] != "i" {
		return
	}
	for i := range c.Args {
		if strings.HasPrefix(c.Args[i], "-v") || strings.HasPrefix(c.Args[i], "--version") {
			return
		}
	}
	for _, n := range ops[1:] {
		if !strings.ContainsAny(n, ":$/`") && !strings.HasSuffix(n, ".gem") {
			s.about(unpinned, c, "gem "+n)
		}
	}
}

func (s *script) goInstall(c *df.Command) {
	if len(c.Args) == 0 || c.Args[0] != "install" && c.Args[0] != "get" && c.Args[0] != "run" {
		return
	}
	for _, a := range c.Args[1:] {
		path, version, ok := strings.Cut(a, "@")
		if ok && (version == "latest" || version == "master" || version == "main" || version == "upgrade") && strings.Contains(path, "/") {
			s.about(unpinned, c, "go "+path)
		}
	}
}

// cargo judges cargo install of crates.
func (s *script) cargo(c *df.Command) {
	if !c.Has("install") || c.Has("--path", "--version", "--vers", "--rev", "--tag", "--list") || c.Has("--git") {
		return
	}
	for _, a := range c.Args {
		if strings.HasPrefix(a, "--version=") || strings.HasPrefix(a, "--vers=") || strings.HasPrefix(a, "--path=") || strings.HasPrefix(a, "--git=") {
			return
		}
	}
	for _, o := range c.Operands("--root", "--features", "-F", "--target", "-j", "--jobs", "--bin", "--profile", "--index", "--registry", "--target-dir", "--config", "--color") {
		if o != "install" && !strings.HasPrefix(o, "+") && !strings.ContainsAny(o, "@$`") {
			s.about(unpinned, c, "cargo "+o)
		}
	}
}
