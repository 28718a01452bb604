package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
)

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
