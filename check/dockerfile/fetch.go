package dockerfile

import (
	"path"
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

// runsOutput tells whether what c prints is run: by a pipe into an interpreter, or as a
// substitution that an interpreter is given.
func (s *script) runsOutput(k int, c *df.Command) bool {
	for n := k + 1; n < len(s.Commands); n++ {
		if d := &s.Commands[n]; c.Feeds(d) && readsCode(d) {
			return true
		}
	}
	if c.Within < 0 || c.Quoted {
		return false
	}
	d := &s.Commands[c.Within]
	if !df.IsShell(d.Name) && d.Name != "source" && d.Name != "." && !interpreter(d.Name) {
		return false
	}
	for _, a := range d.Args {
		if a = strings.TrimSpace(a); strings.HasPrefix(a, "$(") || strings.HasPrefix(a, "<(") || strings.HasPrefix(a, "`") {
			return true
		}
	}
	return false
}

func interpreter(name string) bool {
	return strings.HasPrefix(name, "python") || name == "perl" || name == "node" || name == "ruby" || name == "php" || name == "deno" || name == "pwsh"
}

// readsCode tells whether a command runs the code on its standard input.
func readsCode(c *df.Command) bool {
	if !df.IsShell(c.Name) && !interpreter(c.Name) {
		return false
	}
	for _, a := range c.Args {
		switch {
		case a == "-" || a == "--" || a == "/dev/stdin" || a == "-s" || a == "/dev/fd/0":
			return true
		case len(a) > 1 && a[0] == '-' && a[1] != '-' && df.IsShell(c.Name):
			if strings.Contains(a, "c") && !strings.ContainsAny(a, "s") {
				return false
			}
			if strings.Contains(a, "s") {
				return true
			}
		case len(a) > 1 && a[0] == '-':
			if !df.IsShell(c.Name) && a[1] != '-' {
				return false // -c, -e, -m, -p: the code is elsewhere
			}
		default:
			return false // a script
		}
	}
	return true
}

// output is the file that a download is written to; "" for standard output or unknown.
func output(c *df.Command) string {
	for _, r := range c.Redirects {
		if strings.HasPrefix(r.Op, ">") && r.Target != "/dev/null" {
			return r.Target
		}
	}
	switch c.Name {
	case "curl":
		if v, ok := c.Value("-o", "--output"); ok && v != "-" {
			return v
		}
		for i, a := range c.Args {
			if len(a) > 2 && a[0] == '-' && a[1] != '-' && strings.HasSuffix(a, "o") && i+1 < len(c.Args) && c.Args[i+1] != "-" {
				return c.Args[i+1]
			}
			if a == "--remote-name" || len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.Contains(a, "O") {
				return path.Base(address(c))
			}
		}
		return ""
	case "wget":
		if v, ok := c.Value("-O", "--output-document"); ok {
			return strings.TrimPrefix(v, "-")
		}
		for i, a := range c.Args {
			if len(a) > 2 && a[0] == '-' && a[1] != '-' {
				if at := strings.IndexByte(a, 'O'); at == len(a)-1 && i+1 < len(c.Args) {
					return strings.TrimPrefix(c.Args[i+1], "-")
				} else if at > 0 {
					return strings.TrimPrefix(a[at+1:], "-")
				}
			}
		}
	}
	return path.Base(address(c))
}

// uses judges what is done with a downloaded file that nothing verifies: in the same
// script, else in the RUNs behind it in the stage, until one of them verifies something.
func (s *script) uses(k int, c *df.Command, bad bool) {
	file, done := s.usedIn(k, c, output(c), bad)
	if done || file == "" || s.i.Stage == nil {
		return
	}
	later := 0
	for _, i := range s.i.Stage.Instructions {
		if i.First <= s.i.First || i.Name != "run" || i.Script == nil {
			continue
		}
		next := &script{judge: s.judge, i: s.i, Script: i.Script}
		if later++; later > laterScripts || next.verifies() {
			return
		}
		if file, done = next.usedIn(-1, c, file, bad); done {
			return
		}
	}
}

// laterScripts is in how many RUNs behind a download its file is looked for.
const laterScripts = 10

// usedIn judges the commands behind the k-th. It gives the name that the file has in the
// end, and whether there was something to say.
func (s *script) usedIn(k int, c *df.Command, file string, bad bool) (string, bool) {
	for n := k + 1; n < len(s.Commands); n++ {
		d := &s.Commands[n]
		piped := c.Feeds(d)
		if !piped && (file == "" || !mentions(d, file)) {
			continue
		}
		switch {
		case piped && unpacks(d), !piped && unpacks(d):
			s.about(notVerified, c, origin(c)).archive(bad)
			return file, true
		case piped:
		case runsFile(d, file):
			s.about(notVerified, c, origin(c))
			return file, true
		case installs(d):
			r := s.about(notVerified, c, origin(c))
			if !bad {
				r.rate(bulwark.SeverityLow)
			}
			return file, true
		case d.Name == "mv" || d.Name == "cp":
			file = moved(d, file)
		}
	}
	return file, false
}

// moved is what a file is called behind mv or cp.
func moved(c *df.Command, file string) string {
	ops := c.Operands("-t", "--target-directory")
	if len(ops) != 2 || strings.HasSuffix(ops[1], "/") || ops[1] == "." || path.Base(ops[0]) != path.Base(file) {
		return file
	}
	return ops[1]
}

// archive rates a download that is unpacked.
func (r *result) archive(bad bool) {
	if !bad {
		r.hygiene()
	}
}

// mentions tells whether a command has the file among its words: by its whole path, or by
// its last part, which must be no single letter.
func mentions(c *df.Command, file string) bool {
	base := path.Base(file)
	if len(base) > 1 && c.Name == base {
		return true
	}
	for _, a := range c.Args {
		if a == file || len(base) > 1 && path.Base(a) == base {
			return true
		}
	}
	return false
}

func unpacks(c *df.Command) bool {
	switch c.Name {
	case "tar", "bsdtar", "unzip", "cpio", "7z", "7za", "gunzip", "xz", "unxz", "bunzip2", "zstd":
		return true
	}
	return false
}

func runsFile(c *df.Command, file string) bool {
	if c.Name == path.Base(file) {
		return true
	}
	if !df.IsShell(c.Name) && !interpreter(c.Name) && c.Name != "source" && c.Name != "." {
		return false
	}
	ops := c.Operands()
	return len(ops) > 0 && path.Base(ops[0]) == path.Base(file)
}

func installs(c *df.Command) bool {
	switch c.Name {
	case "chmod":
		for _, a := range c.Args {
			if strings.Contains(a, "x") && strings.ContainsAny(a, "+=") || isNumber(a) && strings.ContainsAny(a, "157") {
				return true
			}
		}
	case "dpkg", "rpm":
		return c.Has("-i", "--install", "-U", "-ivh", "-Uvh", "-Uv", "-iv")
	case "apt-get", "apt", "yum", "dnf", "microdnf", "apk", "gdebi", "zypper":
		return c.Has("install", "add", "localinstall", "gdebi") || c.Name == "gdebi"
	case "install":
		return true
	case "java":
		return c.Has("-jar")
	case "pip", "pip3", "npm", "gem":
		return c.Has("install")
	}
	return false
}

// unchecked is the switch that turns the check of certificates off; "" without one.
func unchecked(c *df.Command) string {
	switch c.Name {
	case "curl":
		for _, a := range c.Args {
			if a == "--insecure" || a == "--proxy-insecure" || isShort(a, 'k', "oOHdXuAeTwmbcDFKQrtUxyYzE") {
				return a
			}
		}
	case "wget":
		if c.Has("--no-check-certificate") {
			return "--no-check-certificate"
		}
	case "aria2c":
		if c.Has("--check-certificate=false") {
			return "--check-certificate=false"
		}
	case "git":
		for _, a := range c.Args {
			if l := strings.ToLower(a); l == "http.sslverify=false" || l == "http.sslverify" && c.Has("false", "0") {
				return a
			}
		}
	case "npm", "yarn", "pnpm":
		if c.Has("strict-ssl=false", "--strict-ssl=false", "--no-strict-ssl") || c.Has("strict-ssl") && c.Has("false") {
			return "strict-ssl"
		}
	case "conda", "mamba":
		if c.Has("ssl_verify") && c.Has("false", "False", "no") {
			return "ssl_verify"
		}
	case "composer":
		if c.Has("disable-tls") && c.Has("true") {
			return "disable-tls"
		}
	case "dnf", "yum", "microdnf":
		if c.Has("--setopt=sslverify=false", "--setopt=sslverify=0", "--setopt=*.sslverify=0") {
			return "sslverify"
		}
	case "apt-get", "apt":
		for _, a := range c.Args {
			if strings.Contains(strings.ToLower(a), "verify-peer=false") {
				return a
			}
		}
	}
	for _, a := range c.Assigns {
		if offSwitch(a.Name, a.Value) {
			return a.Name
		}
	}
	if c.Name == "export" {
		for _, a := range c.Args {
			if k, v, ok := strings.Cut(a, "="); ok && offSwitch(k, v) {
				return k
			}
		}
	}
	return ""
}

// isShort tells whether a bundle of single-letter flags has the letter, before one that takes a value.
func isShort(a string, letter byte, valued string) bool {
	if len(a) < 2 || a[0] != '-' || a[1] == '-' {
		return false
	}
	for i := 1; i < len(a); i++ {
		if a[i] == letter {
			return true
		}
		if strings.IndexByte(valued, a[i]) >= 0 {
			return false
		}
	}
	return false
}

// offSwitch tells whether a variable turns checks of certificates off.
func offSwitch(key, value string) bool {
	off := value == "0" || strings.EqualFold(value, "false") || strings.EqualFold(value, "no") || strings.EqualFold(value, "off")
	on := value == "1" || strings.EqualFold(value, "true") || strings.EqualFold(value, "yes") || strings.EqualFold(value, "on")
	switch strings.ToUpper(key) {
	case "NODE_TLS_REJECT_UNAUTHORIZED", "PYTHONHTTPSVERIFY", "NPM_CONFIG_STRICT_SSL", "YARN_STRICT_SSL", "YARN_ENABLE_STRICT_SSL", "CONDA_SSL_VERIFY":
		return off
	case "GIT_SSL_NO_VERIFY", "COMPOSER_DISABLE_TLS", "HELM_KUBEINSECURESKIPTLSVERIFY":
		return on || strings.ToUpper(key) == "GIT_SSL_NO_VERIFY" && value != ""
	}
	return false
}

// insecure judges checks of certificates that are turned off.
func (s *script) insecure(c *df.Command) {
	what := unchecked(c)
	if what == "" {
		return
	}
	if list := addresses(c); len(list) > 0 && isLocal(list[0]) || s.i.Name == "healthcheck" {
		return
	}
	r := s.about(noTLSCheck, c, c.Name+" "+what)
	if s.verified {
		r.rate(bulwark.SeverityLow)
	}
}

func decodes(c *df.Command) bool {
	switch c.Name {
	case "base64", "base32", "basenc":
		return c.Has("-d", "-D", "--decode", "-di", "-id")
	case "xxd":
		return c.Has("-r", "-rp", "-r-p", "-p")
	case "openssl":
		return c.Has("-d") && (c.Has("enc") || c.Has("base64") || c.Has("-base64"))
	case "uudecode":
		return true
	}
	return false
}

// decoded judges text that is decoded and run, and eval of what is fetched or decoded.
func (s *script) decoded(k int, c *df.Command) {
	switch {
	case decodes(c) && s.runsOutput(k, c):
		s.about(decodeAndRun, c, "decoded text")
	case (isFetch(c) || decodes(c)) && s.evaluated(c):
		s.about(decodeAndRun, c, "eval")
	case strings.HasPrefix(c.Name, "python"):
		if code, ok := c.Value("-c"); ok && strings.Contains(code, "exec(") && strings.Contains(code, "b64decode") {
			s.about(decodeAndRun, c, c.Name)
		}
	}
}

// evaluated tells whether a command is a substitution in the arguments of eval.
func (s *script) evaluated(c *df.Command) bool {
	for at := c.Within; at >= 0; at = s.Commands[at].Within {
		if s.Commands[at].Name == "eval" {
			return true
		}
	}
	return false
}

// key judges keys of package sources.
func (s *script) key(c *df.Command) {
	switch c.Name {
	case "apt-key":
		if id, ok := shortKey(c); ok {
			s.about(keyNotVerified, c, id)
		} else if c.Has("add") && !s.verified {
			s.about(keyNotVerified, c, "apt-key add")
		}
	case "gpg", "gpg2":
		if id, ok := shortKey(c); ok {
			s.about(keyNotVerified, c, id)
		} else if c.Has("--dearmor", "--import", "--dearmour") && !s.verified && s.fed(c) {
			s.about(keyNotVerified, c, c.Name+" of a download")
		}
	case "rpm", "rpmkeys":
		if list := addresses(c); c.Has("--import") && len(list) > 0 && !s.verified {
			s.about(keyNotVerified, c, list[0])
		}
	}
}

// keyFile judges a download that is put where package managers look for keys.
func (s *script) keyFile(c *df.Command) {
	file := output(c)
	for _, dir := range []string{"/etc/apk/keys/", "/etc/apt/keyrings/", "/etc/apt/trusted.gpg.d/", "/usr/share/keyrings/", "/etc/pki/rpm-gpg/"} {
		if strings.HasPrefix(file, dir) {
			s.about(keyNotVerified, c, "key in "+strings.TrimSuffix(dir, "/"))
		}
	}
}

// fed tells whether a download is piped into a command.
func (s *script) fed(c *df.Command) bool {
	for k := range s.Commands {
		if d := &s.Commands[k]; isFetch(d) && d.Feeds(c) {
			return true
		}
	}
	return false
}

// shortKey is a key that is fetched by fewer digits than its fingerprint has.
func shortKey(c *df.Command) (string, bool) {
	if !c.Has("--recv-keys", "--recv-key", "--recv", "--receive-keys") {
		return "", false
	}
	for _, a := range c.Args {
		id := strings.TrimPrefix(a, "0x")
		if len(id) >= 8 && len(id) <= 16 && strings.Trim(id, "0123456789abcdefABCDEF") == "" {
			return a, true
		}
	}
	return "", false
}

// clone judges git clone: a commit must be checked out behind it.
func (s *script) clone(k int, c *df.Command) {
	for n := k + 1; n < len(s.Commands); n++ {
		d := &s.Commands[n]
		if d.Name != "git" || !d.Has("checkout", "reset", "switch", "fetch") {
			continue
		}
		for _, a := range d.Args {
			if isCommit(a) || strings.HasPrefix(a, "$") || strings.Contains(a, "${") {
				return
			}
		}
	}
	ops := c.Operands("-b", "--branch", "--depth", "-c", "--config", "-o", "--origin", "-j", "--jobs", "-C", "--filter", "--reference", "--shallow-since")
	subject := "git clone"
	for _, o := range ops {
		if o != "clone" {
			subject = o
			break
		}
	}
	if strings.HasPrefix(subject, "/") || strings.HasPrefix(subject, "./") || strings.HasPrefix(subject, "file:") {
		return
	}
	if v, ok := c.Value("--revision"); ok && isCommit(v) {
		return
	}
	if isHTTP(subject) || strings.HasPrefix(subject, "git://") {
		s.about(plainHTTP, c, subject)
	}
	r := s.about(cloneNotPinned, c, subject)
	if v, ok := c.Value("-b", "--branch"); ok && !isBranch(v) {
		r.hygiene()
	}
}

// isBranch tells whether a name is surely a branch that moves with every change.
func isBranch(s string) bool {
	switch s {
	case "main", "master", "develop", "dev", "trunk", "HEAD", "stable", "latest", "edge", "next":
		return true
	}
	return false
}

func isCommit(s string) bool {
	return len(s) >= 7 && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// added judges ADD of addresses.
func (j *judge) added(i *df.Instruction) {
	if len(i.Args) < 2 {
		return
	}
	sum, _ := i.Flag("checksum")
	for _, src := range i.Args[:len(i.Args)-1] {
		src = i.Expand(src)
		switch {
		case isGit(src):
			_, fragment, _ := strings.Cut(src, "#")
			commit, _, _ := strings.Cut(fragment, ":")
			if !isCommit(commit) && !strings.Contains(commit, "$") && sum == "" {
				j.found(addGit, i, i.First, src)
			}
		case strings.HasPrefix(src, "https://") || isHTTP(src):
			if sum == "" {
				r := j.found(addNotVerified, i, i.First, src)
				if !isHTTP(src) {
					r.rate(bulwark.SeverityLow)
				}
			}
		}
	}
}

func isGit(src string) bool {
	base, _, _ := strings.Cut(src, "#")
	return strings.HasPrefix(src, "git@") || strings.HasPrefix(src, "git://") || strings.HasPrefix(src, "ssh://") || strings.Contains(base, "://") && strings.HasSuffix(base, ".git")
}
