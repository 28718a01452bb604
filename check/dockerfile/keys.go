package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
)

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
