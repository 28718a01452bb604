package dockerfile

import (
	"path"
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

// tidy makes a rule of hygiene.
func tidy(id, title, fix, why, noise string, tags ...string) *misconfig.Rule {
	return &misconfig.Rule{ID: "dockerfile/" + id, Severity: bulwark.SeverityLow, Hygiene: true, Title: title, Fix: fix, Why: why, Noise: noise, Tags: tags}
}

var (
	invalid = tidy("invalid", "BuildKit would not take this instruction", "mend it: the build fails",
		"The build fails, and what the line was to do is not judged. Low.", "Instructions of another frontend (# syntax=).", "hadolint:DL1000", "hadolint:DL3043", "hadolint:DL3061")
	addForCopy = tidy("add-for-copy", "ADD where COPY serves", "use COPY",
		"ADD unpacks archives and fetches addresses: what it does depends on its source. Low.", "None known.", "cis-docker:4.9", "dockle:CIS-DI-0009", "hadolint:DL3020")
	relativeWorkdir = tidy("relative-workdir", "WORKDIR is relative", "name the whole path",
		"Where it leads depends on the base image. Low.", "A path below a WORKDIR just before.", "hadolint:DL3000")
	uselessCd = tidy("cd-without-effect", "cd at the end of a RUN has no effect", "use WORKDIR",
		"The next instruction begins in WORKDIR again: what was meant does not happen. Low.", "None known.", "hadolint:DL3003")
	severalCmd = tidy("several-commands", "Of several CMD, ENTRYPOINT or HEALTHCHECK only the last counts", "leave the others out",
		"What the container runs is not what a reader thinks. Low.", "None known.", "hadolint:DL4003", "hadolint:DL4004", "hadolint:DL3012")
	maintainer = tidy("maintainer", "MAINTAINER is deprecated", "LABEL org.opencontainers.image.authors=...",
		"Tools look for the label. Low.", "None known.", "hadolint:DL4000")
	shellForm = tidy("shell-form", "ENTRYPOINT or CMD goes through a shell", "write it as a list: [\"program\", \"argument\"]",
		"The shell is process 1 and does not pass signals on: the program is killed instead of stopped, and arguments of docker run are lost. Low.", "Commands that need the shell (variables, pipes).", "hadolint:DL3025")
	noHealthcheck = tidy("no-healthcheck", "No HEALTHCHECK", "add one where the engine runs the image by itself",
		"The engine does not notice a program that hangs. Low: Kubernetes has probes of its own and ignores it.", "Images for Kubernetes; tools that run once.", "cis-docker:4.6", "dockle:CIS-DI-0006", "hadolint:DL3057")
	noPipefail = tidy("no-pipefail", "A pipe hides the failure of its first command", "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"], or set -o pipefail",
		"A download that fails halfway is taken for success. Low.", "Pipes whose first command cannot fail.", "hadolint:DL4006")
	sameName = tidy("same-stage-name", "Two stages have one name", "give each a name of its own",
		"COPY --from and FROM take the last one so far. Low.", "None known.", "hadolint:DL3024")
	copyFromSelf = tidy("copy-from-self", "COPY --from names its own stage", "name an earlier stage", "The build fails. Low.", "None known.", "hadolint:DL3023")
	copyToFile   = tidy("copy-several", "COPY of several files to what is no folder", "end the destination with /", "The build fails. Low.", "None known.", "hadolint:DL3021")
	copyRelative = tidy("copy-relative", "COPY to a relative path without WORKDIR", "set WORKDIR before, or name the whole path",
		"Where the files end depends on the base image. Low.", "Base images whose WORKDIR is known.", "hadolint:DL3045")
	fixedPlatform = tidy("fixed-platform", "FROM fixes the platform", "leave --platform out, or use $BUILDPLATFORM",
		"The image is built for one platform whatever is asked for. Low.", "Programs that exist for one platform.", "hadolint:DL3029")
	interactive = tidy("pointless-command", "The command makes no sense in a build", "leave it out",
		"ssh, vim, shutdown, service, mount and the like act on a running system; a layer keeps files alone. Low.", "Services that are started for one RUN to set them up.", "hadolint:DL3001")

	unknownStage = tidy("unknown-stage", "COPY --from names what is no stage", "name a stage of this file, or an image with its registry and digest",
		"The builder takes it for an image of Docker's library, which anybody there may be, unless a build context of that name is given. Low: most builds just fail.", "Contexts that --build-context gives.", "hadolint:DL3022")
	envSelf = tidy("env-self", "ENV uses a variable that it sets itself", "set it in an ENV before",
		"The value is the one of before, mostly an empty one: what was meant does not happen. Low.", "None known.", "hadolint:DL3044")
	highUID = tidy("high-uid", "useradd with a high user id and without -l", "add -l (--no-log-init)",
		"The log of logins becomes a file of gigabytes that is mostly empty, which builders store whole. Low.", "Distributions without that log (Alpine).", "hadolint:DL3046")

	styleRules = []*misconfig.Rule{unknownStage, envSelf, highUID, invalid, addForCopy, relativeWorkdir, uselessCd, severalCmd, maintainer, shellForm, noHealthcheck, noPipefail, sameName, copyFromSelf, copyToFile, copyRelative, fixedPlatform, interactive}
)

// invalid reports what BuildKit would refuse.
func (j *judge) invalid() {
	for _, p := range j.file.Problems {
		j.found(invalid, &df.Instruction{First: p.Line}, p.Line, "instruction", p.Text)
	}
}

// style judges one instruction by itself.
func (j *judge) style(i *df.Instruction) {
	switch i.Name {
	case "add":
		j.added(i)
		j.copied(i)
		j.plainAdd(i)
		j.destination(i)
		j.mode(i)
	case "copy":
		j.copied(i)
		j.destination(i)
		j.mode(i)
	case "expose":
		j.exposed(i)
	case "maintainer":
		j.maintainer(i)
	case "env":
		j.self(i)
	case "workdir":
		j.relative(i)
	case "entrypoint", "cmd":
		if !i.JSON && !i.OnBuild && i.Stage != nil && !i.Stage.Windows && len(i.Args) > 0 && !strings.HasPrefix(i.Args[0], "exec ") {
			j.found(shellForm, i, i.First, strings.ToUpper(i.Name))
		}
	case "from":
		if v := i.Stage.Platform; v != "" && !strings.Contains(v, "$") {
			j.found(fixedPlatform, i, i.First, v)
		}
	}
}

// plainAdd judges ADD of local files that are no archives.
func (j *judge) plainAdd(i *df.Instruction) {
	if len(i.Args) < 2 {
		return
	}
	for _, src := range i.Args[:len(i.Args)-1] {
		src = strings.ToLower(i.Expand(src))
		if strings.Contains(src, "://") || strings.HasPrefix(src, "git@") || strings.ContainsAny(src, "$*?[") {
			return
		}
		for _, ext := range []string{".tar", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".zst", ".lzma", ".z"} {
			if strings.HasSuffix(src, ext) {
				return
			}
		}
	}
	for _, f := range i.Flags {
		if f.Name != "chown" && f.Name != "chmod" && f.Name != "link" && f.Name != "exclude" {
			return
		}
	}
	r := j.found(addForCopy, i, i.First, "ADD")
	word, _, _ := strings.Cut(strings.TrimSpace(j.file.Lines[i.First-1]), " ")
	if strings.EqualFold(word, "add") {
		j.edit(r, i.First, word, sameCase(word, "COPY"))
	}
}

func sameCase(like, word string) string {
	if like == strings.ToLower(like) {
		return strings.ToLower(word)
	}
	return word
}

// destination judges where COPY and ADD put files.
func (j *judge) destination(i *df.Instruction) {
	if len(i.Args) < 2 || i.Stage == nil {
		return
	}
	dest := i.Expand(i.Args[len(i.Args)-1])
	if from, ok := i.Flag("from"); ok && i.Stage.Name != "" && strings.EqualFold(from, i.Stage.Name) {
		j.found(copyFromSelf, i, i.First, from)
	}
	if len(i.Args) > 2 && !strings.HasSuffix(dest, "/") && dest != "." && dest != ".." && !strings.HasSuffix(dest, "/.") && !strings.Contains(dest, "$") && len(i.Heredocs) == 0 {
		j.found(copyToFile, i, i.First, dest)
	}
	if !path.IsAbs(dest) && !strings.ContainsAny(dest, "$%:") && !j.hasWorkdir(i) {
		j.found(copyRelative, i, i.First, "relative destination")
	}
}

// hasWorkdir tells whether WORKDIR stands before an instruction, in its stage or in those
// it is built from.
func (j *judge) hasWorkdir(i *df.Instruction) bool {
	at := j.workdir[i.Stage]
	return at > 0 && at < i.First
}

// mode judges --chmod.
func (j *judge) mode(i *df.Instruction) {
	v, ok := i.Flag("chmod")
	if !ok || len(i.Args) == 0 {
		return
	}
	world, special := modeBits(i.Expand(v))
	if world {
		j.found(worldWritable, i, i.First, i.Args[len(i.Args)-1])
	}
	if special {
		j.found(setuidSet, i, i.First, i.Args[len(i.Args)-1])
	}
}

// self judges an ENV whose later values use what it sets first.
func (j *judge) self(i *df.Instruction) {
	set := map[string]bool{}
	for a := i.Args; len(a) >= 3; a = a[3:] {
		for part := range strings.SplitSeq(a[1], "$") {
			name := strings.TrimLeft(part, "{")
			if end := strings.IndexFunc(name, func(r rune) bool {
				return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
			}); end >= 0 {
				name = name[:end]
			}
			if set[name] && strings.Contains(a[1], "$"+part) && !strings.Contains(a[1], `\$`) {
				j.found(envSelf, i, i.First, name, "ENV "+a[0]+" uses "+name)
				return
			}
		}
		set[a[0]] = true
	}
}

func (j *judge) maintainer(i *df.Instruction) {
	r := j.found(maintainer, i, i.First, "MAINTAINER")
	if i.First != i.Last || i.OnBuild || len(i.Args) == 0 {
		return
	}
	who := strings.Trim(i.Args[0], `"'`)
	if !strings.ContainsAny(who, "\"\\$`") {
		r.edits = append(r.edits, misconfig.Edit{Line: i.First, With: []string{`LABEL org.opencontainers.image.authors="` + who + `"`}})
	}
}

func (j *judge) relative(i *df.Instruction) {
	dir := strings.Trim(i.Expand(strings.Join(i.Args, " ")), `"'`)
	if dir == "" || path.IsAbs(dir) || strings.ContainsAny(dir, `$\:%`) || j.hasWorkdir(i) {
		return
	}
	j.found(relativeWorkdir, i, i.First, dir)
}

// shell judges how a script is written.
func (s *script) shell() {
	if s.i.Name != "run" {
		return
	}
	last := -1
	for k := range s.Commands {
		c := &s.Commands[k]
		if c.Depth == 0 {
			last = k
		}
		switch c.Name {
		case "useradd":
			s.number(c)
		case "ssh", "vim", "vi", "nano", "shutdown", "reboot", "service", "systemctl", "ifconfig", "free", "top", "htop", "mount", "kill", "killall", "ps":
			if c.Depth == 0 && !s.running(c) {
				s.about(interactive, c, c.Name)
			}
		}
	}
	if last >= 0 && s.Commands[last].Name == "cd" && !s.Guessed && !s.Commands[last].Has("..", "-", "/") {
		s.about(uselessCd, &s.Commands[last], "cd")
	}
	s.pipefail()
}

// number judges the user id of a new user.
func (s *script) number(c *df.Command) {
	v, ok := c.Value("-u", "--uid")
	if !ok || !isNumber(v) || len(v) < 6 || c.Has("-l", "--no-log-init") {
		return
	}
	s.edit(s.about(highUID, c, "useradd"), c.Line, "useradd", "useradd -l")
}

// running are uses of such commands that do leave files behind.
func (s *script) running(c *df.Command) bool {
	return c.Name == "systemctl" && c.Has("enable", "disable", "mask", "set-default", "preset") || c.Name == "mount" && s.i.Flags != nil
}

func (s *script) pipefail() {
	if s.i.Stage == nil || s.i.Stage.Pipefail || s.i.JSON {
		return
	}
	for k := range s.Commands {
		c := &s.Commands[k]
		if strings.Contains(strings.Join(c.Args, " "), "pipefail") {
			return
		}
	}
	for k := range s.Commands {
		c := &s.Commands[k]
		if (isFetch(c) || c.Name == "gpg" || c.Name == "openssl" || c.Name == "git") && c.Depth == 0 && s.Piped(c) {
			s.about(noPipefail, c, c.Name)
		}
	}
}

// whole judges what only the whole file tells.
func (j *judge) whole() {
	names := map[string]bool{}
	for _, s := range j.file.Stages {
		if s.Name != "" && names[s.Name] {
			j.found(sameName, s.From, s.From.First, s.Name)
		}
		names[s.Name] = true
		j.repeated(s)
	}
	if n := len(j.file.Stages); n > 0 && !j.hasHealthcheck(j.file.Stages[n-1]) && !export(j.file.Stages[n-1]) {
		last := j.file.Stages[n-1]
		j.found(noHealthcheck, last.From, last.From.First, "HEALTHCHECK", "no HEALTHCHECK in the last stage")
	}
}

func (j *judge) repeated(s *df.Stage) {
	seen := map[string]*df.Instruction{}
	for _, i := range s.Instructions {
		if i.OnBuild || i.Name != "cmd" && i.Name != "entrypoint" && i.Name != "healthcheck" {
			continue
		}
		if old := seen[i.Name]; old != nil {
			j.found(severalCmd, old, old.First, strings.ToUpper(i.Name))
		}
		seen[i.Name] = i
	}
}

func (j *judge) hasHealthcheck(s *df.Stage) bool {
	for ; s != nil; s = s.Parent {
		for _, i := range s.Instructions {
			if i.Name == "healthcheck" {
				return true
			}
		}
	}
	return false
}
