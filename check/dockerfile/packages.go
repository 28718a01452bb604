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
		Tags: []string{"dockle:DKL-DI-0003", "hadolint:DL3005", "hadolint:DL3017", "hadolint:DL3031", "hadolint:DL3035", "hadolint:DL3039"}, Fix: "build from a base image that is up to date instead",
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
