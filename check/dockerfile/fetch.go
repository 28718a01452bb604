package dockerfile

import (
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

const noPatch = "; there is no automatic patch: only you can say which content is the right one"

var (
	pipeToShell = &misconfig.Rule{ID: "dockerfile/pipe-to-shell", Severity: bulwark.SeverityHigh, Title: "A download is run by an interpreter without being looked at",
		Tags: []string{"attack:T1195.002", "cis-docker:4.11"}, Fix: "download a named release to a file, compare its SHA-256 with one that is written in the Dockerfile, then run it" + noPatch,
		Why:   "Whoever controls the address, or the network when it is not https, runs code as root in the build, and can tell a pipe from a download. Medium over https, where one must break into the publisher; high over http or with certificates not checked.",
		Noise: "Installers of publishers whose packages are trusted anyway (rustup, nodesource): the risk is the same, the choice may stand."}
	notVerified = &misconfig.Rule{ID: "dockerfile/download-not-verified", Severity: bulwark.SeverityMedium, Title: "A download is made executable or installed, and no checksum or signature is compared",
		Tags: []string{"attack:T1195.002", "cis-docker:4.11"}, Fix: "compare its SHA-256 with one that is written in the Dockerfile (sha256sum -c), or fetch it with ADD --checksum" + noPatch,
		Why:   "A release that is replaced at its address, or a mirror that is broken into, ends in the image unseen. Low over https; medium when a script is run at once or the address is http; hygiene for archives that are merely unpacked.",
		Noise: "Verification that a called script does, or that the downloaded program does itself."}
	addNotVerified = &misconfig.Rule{ID: "dockerfile/add-not-verified", Severity: bulwark.SeverityMedium, Title: "ADD downloads without --checksum",
		Tags: []string{"cis-docker:4.9", "hadolint:DL3020"}, Fix: "ADD --checksum=sha256:... URL",
		Why:   "The build takes in whatever the address serves. Low over https, medium over http, where anybody on the way can change it.",
		Noise: "Content that is meant to change and is verified later."}
	addGit = &misconfig.Rule{ID: "dockerfile/add-git-not-pinned", Severity: bulwark.SeverityLow, Title: "ADD of a Git repository without a commit",
		Tags: []string{"slsa:materials"}, Fix: "name the commit: ADD https://...git#<40 hex digits>",
		Why: "A branch or tag can be moved. Low: it takes access to the repository.", Noise: "Repositories of one's own."}
	cloneNotPinned = &misconfig.Rule{ID: "dockerfile/git-clone-not-pinned", Severity: bulwark.SeverityLow, Title: "git clone without a commit",
		Tags: []string{"slsa:materials"}, Fix: "check out a commit by its 40 hex digits behind the clone",
		Why:   "Each build takes the newest state of a branch, unreviewed. Low: it takes access to the repository; a tag or branch by name is hygiene.",
		Noise: "Repositories of one's own, or a commit that a called script checks out."}
	plainHTTP = &misconfig.Rule{ID: "dockerfile/plain-http", Severity: bulwark.SeverityMedium, Title: "Content is fetched over http",
		Tags: []string{"cwe:CWE-319"}, Fix: "use https, and a checksum",
		Why:   "Anybody on the way can change what the build takes in. Medium: it takes a place on the network; none when a checksum or signature is compared.",
		Noise: "Hosts of a closed network; content that is verified by other means, as package managers do."}
	noTLSCheck = &misconfig.Rule{ID: "dockerfile/tls-not-verified", Severity: bulwark.SeverityHigh, Title: "Certificates are not checked",
		Tags: []string{"cwe:CWE-295"}, Fix: "take the switch out; add the authority's certificate to the image where one of your own is used",
		Why:   "https without a check of the certificate is http with a lock on it. High, because what is fetched is run as a rule, and as ENV it goes on in the container; low when a checksum is compared behind it.",
		Noise: "A host of one's own with a certificate of its own, in a closed network."}
	decodeAndRun = &misconfig.Rule{ID: "dockerfile/decode-and-run", Severity: bulwark.SeverityHigh, Title: "Decoded or fetched text is run",
		Tags: []string{"attack:T1027", "attack:T1059"}, Fix: "write the script out, so that it can be reviewed; there is no automatic patch",
		Why:   "Encoding hides what runs from whoever reviews the file; it is how droppers are written. High.",
		Noise: "Generated Dockerfiles that carry a script in base64 to get round quoting; eval of what a program prints of itself."}
	keyNotVerified = &misconfig.Rule{ID: "dockerfile/key-not-verified", Severity: bulwark.SeverityLow, Title: "A signing key is trusted without a look at its fingerprint",
		Tags: []string{"cwe:CWE-345"}, Fix: "compare the fingerprint (gpg --show-keys) or checksum of the key, or keep the key in the repository; give it to one source alone (signed-by=)",
		Why:   "Whoever serves the key decides whose packages are installed. Low over https and by full fingerprint, where it is as good as the publisher's site; apt-key trusts it for every source; a short key id can be forged.",
		Noise: "Publishers tell to do just this; the key is compared in a script."}

	fetchRules = []*misconfig.Rule{pipeToShell, notVerified, addNotVerified, addGit, cloneNotPinned, plainHTTP, noTLSCheck, decodeAndRun, keyNotVerified}
)

// script is what one instruction runs, while it is judged.
type script struct {
	*judge
	i *df.Instruction
	*df.Script
	verified bool // something in it compares a checksum or a signature
}

// about adds a finding about a command.
func (s *script) about(r *misconfig.Rule, c *df.Command, subject string) *result {
	return s.found(r, s.i, c.Line, subject, s.commandText(c))
}

func isFetch(c *df.Command) bool {
	switch c.Name {
	case "curl", "wget", "aria2c", "axel", "http", "https", "xh", "fetch", "lwp-download":
		return true
	}
	return false
}

// addresses are the URLs among the arguments of a command.
func addresses(c *df.Command) []string {
	var out []string
	for _, a := range c.Args {
		if i := strings.Index(a, "://"); i > 0 && i < 8 && !strings.ContainsAny(a[:i], "=$ ") {
			out = append(out, a)
		}
	}
	return out
}

// address is the first of them without what is behind the host and path; else the program.
func address(c *df.Command) string {
	if list := addresses(c); len(list) > 0 {
		a, _, _ := strings.Cut(list[0], "?")
		return a
	}
	for _, a := range c.Operands("-o", "-O", "-H", "-d", "-X", "-u", "--output", "--header", "--retry") {
		if strings.ContainsAny(a, "./$") {
			return a
		}
	}
	return c.Name
}

// origin is where a download comes from, without what changes from release to release: host
// and leading folders that have no digits or variables, two of them at most.
func origin(c *df.Command) string {
	scheme, rest, ok := strings.Cut(address(c), "://")
	if !ok {
		return c.Name
	}
	parts := strings.Split(rest, "/")
	n := 1
	for n < len(parts)-1 && n < 3 && !strings.ContainsAny(parts[n], "0123456789$`") {
		n++
	}
	return scheme + "://" + strings.Join(parts[:n], "/")
}

func isLocal(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	if _, after, ok := strings.Cut(rest, "@"); ok {
		rest = after
	}
	for _, host := range []string{"localhost", "127.", "0.0.0.0", "[::1]", "host.docker.internal", "169.254.", "metadata."} {
		if strings.HasPrefix(rest, host) {
			return true
		}
	}
	return false
}

func isHTTP(url string) bool {
	return (strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "ftp://")) && !isLocal(url)
}

// verifies tells whether some command compares a checksum or a signature.
func (s *script) verifies() bool {
	for k := range s.Commands {
		c := &s.Commands[k]
		switch c.Name {
		case "sha256sum", "sha512sum", "sha1sum", "sha384sum", "sha224sum", "b2sum", "md5sum", "shasum", "cksum", "gpgv", "cosign", "minisign", "signify", "slsa-verifier", "rhash", "sha256", "sha512":
			return true
		case "gpg", "gpg2", "apksigner", "jarsigner":
			if c.Has("--verify", "-verify", "--show-keys", "--verify-files", "--decrypt") {
				return true
			}
		case "openssl":
			if c.Has("dgst", "sha256") {
				return true
			}
		case "gh":
			if c.Has("attestation") {
				return true
			}
		}
	}
	return false
}

// fetches judges what is downloaded.
func (s *script) fetches() {
	for k := range s.Commands {
		c := &s.Commands[k]
		if isFetch(c) {
			s.fetch(k, c)
		}
		s.insecure(c)
		s.decoded(k, c)
		s.key(c)
		if c.Name == "git" && c.Has("clone") {
			s.clone(k, c)
		}
	}
}

func (s *script) fetch(k int, c *df.Command) {
	bad := unchecked(c) != "" || anyHTTP(c)
	if s.runsOutput(k, c) {
		r := s.about(pipeToShell, c, origin(c))
		if !bad {
			r.rate(bulwark.SeverityMedium)
		}
		return
	}
	for _, url := range addresses(c) {
		if isHTTP(url) && !s.verified && !probes(c) && s.i.Name == "run" {
			s.about(plainHTTP, c, origin(c))
		}
	}
	if !s.verified && s.i.Name == "run" {
		s.uses(k, c, bad)
		s.keyFile(c)
	}
}

func anyHTTP(c *df.Command) bool {
	for _, url := range addresses(c) {
		if isHTTP(url) {
			return true
		}
	}
	return false
}

// probes is true for a request that looks whether something answers: nothing comes of its body.
func probes(c *df.Command) bool {
	v, _ := c.Value("-o", "--output", "-O")
	return v == "/dev/null" || c.Has("-I", "--head", "--spider") || redirectsTo(c, "/dev/null")
}

func redirectsTo(c *df.Command, target string) bool {
	for _, r := range c.Redirects {
		if r.Target == target {
			return true
		}
	}
	return false
}
