package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
)

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
