package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
)

// secretMounts are the paths at which secrets are mounted.
func (s *script) secretMounts() []string {
	var out []string
	for _, f := range s.i.Flags {
		if f.Name != "mount" || !strings.Contains(f.Value, "type=secret") {
			continue
		}
		target, id, env := "", "", ""
		for part := range strings.SplitSeq(f.Value, ",") {
			switch k, v, _ := strings.Cut(part, "="); k {
			case "target", "dst", "destination":
				target = v
			case "id":
				id = v
			case "env":
				env = v
			case "source", "src":
				id = v
			}
		}
		if env != "" {
			out = append(out, "$"+env, "${"+env)
		}
		if target == "" && id != "" {
			target = "/run/secrets/" + id
		}
		if target != "" {
			out = append(out, target)
		}
	}
	return out
}

// written judges commands that copy a mounted secret elsewhere.
func (s *script) written(c *df.Command, mounts []string) {
	uses := false
	for _, a := range c.Args {
		for _, m := range mounts {
			uses = uses || strings.Contains(a, m)
		}
	}
	if !uses {
		return
	}
	switch c.Name {
	case "cp", "install", "mv", "ln", "tee", "dd":
		if c.Name == "ln" {
			return
		}
		dest := c.Operands()
		if n := len(dest); n > 1 && s.stays(dest[n-1]) {
			s.about(secretKept, c, "secret to "+dest[n-1])
		}
		return
	}
	if (c.Name == "npm" || c.Name == "yarn" || c.Name == "git" || c.Name == "pip") && c.Has("config", "set") && !c.Has("get") {
		s.about(secretKept, c, "secret to the settings of "+c.Name)
		return
	}
	for k := range s.Commands { // echo $(cat secret) > file, cat secret | tee file
		if d := &s.Commands[k]; d == c || c.Within == k || c.Feeds(d) {
			s.output(c, d)
		}
	}
}

func (s *script) output(c, d *df.Command) {
	for _, r := range d.Redirects {
		if strings.HasPrefix(r.Op, ">") && s.stays(r.Target) {
			s.about(secretKept, c, "secret to "+r.Target)
			return
		}
	}
	if d.Name == "tee" && c.Feeds(d) && len(d.Operands()) > 0 && s.stays(d.Operands()[0]) {
		s.about(secretKept, c, "secret to "+d.Operands()[0])
	}
}

// stays tells whether a file that is written stays in the layer: it is not removed behind.
func (s *script) stays(file string) bool {
	if file == "" || file == "-" || strings.HasPrefix(file, "/dev/") || strings.HasPrefix(file, "/proc/") || strings.HasPrefix(file, "&") || isNumber(file) {
		return false
	}
	for k := range s.Commands {
		if c := &s.Commands[k]; (c.Name == "rm" || c.Name == "shred" || c.Name == "unlink") && mentions(c, file) {
			return false
		}
	}
	return !s.mounts(file)
}
