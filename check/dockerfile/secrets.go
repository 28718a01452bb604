package dockerfile

import (
	"regexp"
	"strings"
	"sync"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

var (
	secretEnv = &misconfig.Rule{ID: "dockerfile/secret-in-env", Severity: bulwark.SeverityHigh, Title: "A secret is set by ENV or ARG",
		Tags: []string{"cis-docker:4.10", "dockle:CIS-DI-0010", "cwe:CWE-538", "buildkit:SecretsUsedInArgOrEnv"}, Fix: "RUN --mount=type=secret,id=... in the build, and a secret of the orchestrator when the container runs",
		Why:   "ENV is in the image's configuration, ARG in its history: whoever can pull the image reads it, and so does every process. High when the file has a value; medium when ENV keeps what an ARG brings; low for an ARG without a value, which --build-arg would leave behind.",
		Noise: "Names are judged: PASSWORD_MIN_LENGTH and the like are passed over as far as they are known; a value that is meant to be replaced (changeme) is no secret, and yet a password that stays."}
	passwordSet = &misconfig.Rule{ID: "dockerfile/password-set", Severity: bulwark.SeverityHigh, Title: "A password is set in the build",
		Tags: []string{"cis-docker:4.10", "cwe:CWE-798"}, Fix: "leave the account without a password (locked); containers need none",
		Why:   "Every container of the image has the same password, and the history tells it. High, and of use to an attacker as soon as su, sudo or a login service is there.",
		Noise: "A throw-away stage, or a value from a secret mount."}
	copyAll = &misconfig.Rule{ID: "dockerfile/copy-all", Severity: bulwark.SeverityLow, Title: "The whole build context is copied, and no .dockerignore was seen",
		Tags: []string{"cis-docker:4.10", "cwe:CWE-538"}, Fix: "copy what is needed by name, or write a .dockerignore that begins with * and lets the needed files through",
		Why:   ".git with its whole history, .env, keys and local settings end in the layer. Low: whether there is anything is not known; hygiene in a stage that is thrown away.",
		Noise: "The context is not the folder of the Dockerfile; it holds nothing else (a CI checkout has .git all the same)."}
	secretKept = &misconfig.Rule{ID: "dockerfile/secret-written", Severity: bulwark.SeverityHigh, Title: "A secret that was mounted for one RUN is written to the layer",
		Tags: []string{"cis-docker:4.10", "cwe:CWE-538"}, Fix: "use it from the mount or from an environment variable (--mount=type=secret,id=...,env=...), and write nothing",
		Why:   "The mount exists so that the secret does not stay; a copy of it stays for good. High.",
		Noise: "A file that the same RUN removes again, below a tmpfs or cache mount."}
	keyCopied = &misconfig.Rule{ID: "dockerfile/key-copied", Severity: bulwark.SeverityMedium, Title: "A file of secrets is copied into the image",
		Tags: []string{"cis-docker:4.10", "cwe:CWE-538"}, Fix: "RUN --mount=type=secret or --mount=type=ssh for the build; mount it when the container runs",
		Why:   "Private keys, .npmrc, .netrc, .env and cloud settings stay in the layer, also when a later RUN removes them. Medium: the name is all that is known.",
		Noise: "An .env or .npmrc without secrets in it."}

	secretRules = []*misconfig.Rule{secretEnv, passwordSet, copyAll, secretKept, keyCopied}
)

var secretName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|_|-|[a-z0-9])(password|passwd|passphrase|pwd|secret|token|api_?key|apikey|access_?key|secret_?key|private_?key|encryption_?key|credentials?|auth_?key|signing_?key|ssh_?key)($|_|-|[0-9])|(^|_|-)pass($|_|-)|^aws_access_key_id$`)
})

// notSecret are parts of names that speak about a secret rather than being one.
var notSecret = []string{"_file", "_path", "_dir", "_url", "_uri", "_endpoint", "_length", "_len", "_min", "_max", "_ttl", "_expir", "_timeout", "_policy", "_type", "_name", "_prefix", "_header", "_method", "_algorithm", "_enabled", "_disable", "_required", "_rotation", "_age", "_hash_", "_issuer", "_audience", "_store", "_manager", "_mount", "_location", "_version", "public", "pubkey", "tokenizer", "max_token", "num_token", "_tokens", "allow_empty", "random_", "_per_", "_count", "_limit", "_format", "_user", "_username", "_id_", "_provider", "_check", "no_", "skip_", "oldpwd", "use_", "disable_", "enable_", "_ref", "_arn"}

// isSecretName tells whether a variable of that name holds a secret.
func isSecretName(key string) bool {
	if len(key) > 100 || !secretName().MatchString(key) || strings.EqualFold(key, "PWD") {
		return false
	}
	l := strings.ToLower(key)
	for _, n := range notSecret {
		if strings.Contains(l, n) {
			return false
		}
	}
	return !strings.HasSuffix(l, "_id") || l == "aws_access_key_id"
}

// values judges ENV and ARG.
func (j *judge) values(i *df.Instruction) {
	if i.Name != "env" && i.Name != "arg" {
		return
	}
	for _, p := range i.Pairs {
		switch {
		case isSecretName(p.Key):
			j.secretValue(i, p)
		case p.HasValue && offSwitch(p.Key, p.Value):
			j.found(noTLSCheck, i, i.First, p.Key)
		case p.HasValue && goUnchecked(p.Key, p.Value):
			j.found(goChecksums, i, i.First, p.Key)
		case p.HasValue && strings.EqualFold(p.Key, "PIP_TRUSTED_HOST") && p.Value != "":
			j.found(packageIndex, i, i.First, "trusted host "+p.Value)
		case p.HasValue && strings.EqualFold(p.Key, "PIP_EXTRA_INDEX_URL") && p.Value != "":
			j.found(packageIndex, i, i.First, "extra index "+p.Value)
		}
	}
}

func (j *judge) secretValue(i *df.Instruction, p df.Pair) {
	line := j.lineOfKey(i, p.Key)
	evidence := strings.ToUpper(i.Name) + " " + p.Key
	switch {
	case i.Name == "arg" && (!p.HasValue || p.Value == ""):
		r := j.found(secretEnv, i, line, p.Key, evidence)
		r.rate(bulwark.SeverityLow)
	case p.Value == "" || isSwitch(p.Value):
	case strings.HasPrefix(p.Value, "$"):
		r := j.found(secretEnv, i, line, p.Key, evidence+"="+p.Value)
		r.rate(bulwark.SeverityMedium)
	case strings.HasPrefix(p.Value, "/") || strings.Contains(p.Value, "://"):
		// the place of a secret
	default:
		j.found(secretEnv, i, line, p.Key, evidence+"=***")
	}
}

// isSwitch is a value that is no secret whatever its name.
func isSwitch(v string) bool {
	switch strings.ToLower(v) {
	case "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1":
		return true
	}
	return false
}

// lineOfKey is the line of an instruction on which a name stands.
func (j *judge) lineOfKey(i *df.Instruction, key string) int {
	for n := i.First; n <= min(i.Last, i.First+500, len(j.file.Lines)); n++ {
		if strings.Contains(j.file.Lines[n-1], key) {
			return n
		}
	}
	return i.First
}

// secrets judges commands that handle secrets.
func (s *script) secrets() {
	mounts := s.secretMounts()
	for k := range s.Commands {
		c := &s.Commands[k]
		s.password(k, c)
		if len(mounts) > 0 {
			s.written(c, mounts)
		}
	}
}

// password judges passwords that are set.
func (s *script) password(k int, c *df.Command) {
	switch c.Name {
	case "chpasswd":
		for n := range s.Commands {
			d := &s.Commands[n]
			if !d.Feeds(c) || d.Name != "echo" && d.Name != "printf" {
				continue
			}
			for _, a := range d.Args {
				if user, pass, ok := strings.Cut(a, ":"); ok && pass != "" && !strings.HasPrefix(pass, "$") && !strings.ContainsAny(user, " \n") {
					s.found(passwordSet, s.i, d.Line, user, d.Name+" "+user+":*** | chpasswd")
					return
				}
			}
		}
	case "useradd", "usermod":
		if v, ok := c.Value("-p", "--password"); ok && v != "" && !strings.ContainsAny(v[:1], "$!*") {
			s.found(passwordSet, s.i, c.Line, c.Name, c.Name+" -p ***")
		}
	case "passwd":
		for n := range s.Commands {
			if d := &s.Commands[n]; d.Feeds(c) && (d.Name == "echo" || d.Name == "printf") && len(d.Args) > 0 && !strings.HasPrefix(d.Args[len(d.Args)-1], "$") {
				s.found(passwordSet, s.i, c.Line, "passwd", d.Name+" *** | passwd")
				return
			}
		}
		if c.Has("-d", "--delete") {
			s.found(passwordSet, s.i, c.Line, "passwd -d", s.commandText(c))
		}
	}
}
