package dockerfile

import (
	"path"
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
)

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
