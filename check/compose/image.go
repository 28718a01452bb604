package compose

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	"bulwark/build/compose"
	"bulwark/check/internal/misconfig"
)

// image judges how surely the image is named. One that the project builds is its own.
func (j *judge) image() {
	n := j.Get("image")
	text, known := compose.Expand(n.Text())
	if text == "" || !known && strings.Contains(n.Text(), "$") || j.Get("build").Exists() || strings.Contains(text, "@sha256:") {
		return
	}
	tag := ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, '/') {
		tag = text[i+1:]
	}
	switch {
	case tag == "latest":
		j.emit(j.finding(&latest, "", n, "image: %s", text))
	case tag == "" && !strings.HasPrefix(text, "sha256:"):
		j.emit(j.finding(&latest, "", n, "image: %s has no tag, which means latest", text))
	default:
		f := j.finding(&unpinned, "", n, "image: %s", text)
		f.Fix.Patch = j.pin(n)
		j.emit(f)
	}
}

// pin is the patch that adds the digest, when somebody knows it and the reference is
// written out.
func (j *judge) pin(n compose.Node) *bulwark.Patch {
	ref := n.Text()
	if j.o.Resolve == nil || strings.Contains(ref, "$") {
		return nil
	}
	digest, err := j.o.Resolve(j.ctx, ref)
	if err != nil {
		j.note(bulwark.Record{Note: &bulwark.Note{Plugin: name, Path: j.doc.Path, Text: fmt.Sprintf("no digest to pin %s with: %s", misconfig.Clean(ref), misconfig.Clean(err.Error()))}})
		return nil
	}
	if hex, ok := strings.CutPrefix(digest, "sha256:"); !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return nil
	}
	with := ref + "@" + digest
	if quote, _ := n.IsPlain(); quote != 0 {
		with = string(quote) + with + string(quote)
	}
	return j.swap(n, with)
}

// hygiene judges what a careful file has.
func (j *judge) hygiene() {
	if j.Elsewhere != "" || j.fragment() {
		return // another file may say it
	}
	j.privileges()
	if !j.any("mem_limit") && !j.any("deploy", "resources", "limits", "memory") {
		j.emit(j.finding(&limits, "", j.At, "neither mem_limit nor deploy.resources.limits.memory"))
	}
	if !slices.ContainsFunc(j.others, func(s *compose.Service) bool { return s.Get("read_only").True() }) {
		j.emit(j.finding(&writableRoot, "", j.At, "no read_only: true"))
	}
	if h := j.Get("healthcheck"); !j.any("healthcheck") || h.Get("disable").True() {
		j.emit(j.finding(&noHealth, "", j.At, "no healthcheck"))
	}
	if l := j.List("links"); len(l) > 0 {
		j.emit(j.finding(&links, "", l[0], "%d links", len(l)))
	}
}

// any tells whether the service has a key, here or in a file beside this one.
func (j *judge) any(keys ...string) bool {
	return slices.ContainsFunc(j.others, func(s *compose.Service) bool { return s.Get(keys...).Exists() })
}

// fragment tells whether this is what a file adds to the service of another one: it has
// no image itself.
func (j *judge) fragment() bool {
	return !j.Get("image").Exists() && !j.Get("build").Exists() && (j.any("image") || j.any("build"))
}

// privileges judges whether set-uid programs are held down.
func (j *judge) privileges() {
	var options []compose.Node
	for _, s := range j.others {
		options = append(options, s.List("security_opt")...)
	}
	has := slices.ContainsFunc(options, func(n compose.Node) bool {
		switch n.Text() {
		case "no-new-privileges", "no-new-privileges:true", "no-new-privileges=true":
			return true
		}
		return false
	})
	if has || j.Get("privileged").True() {
		return
	}
	f := j.finding(&newPrivileges, "", j.At, "no security_opt no-new-privileges")
	if len(options) == 0 && !j.Get("security_opt").Exists() {
		f.Fix.Patch = j.insert("security_opt:", `  - "no-new-privileges:true"`)
	}
	j.emit(f)
}

// insert is the patch that puts lines before the first key of the service, indented as
// that is; nil where the service is written in braces or on the line of its name.
func (j *judge) insert(lines ...string) *bulwark.Patch {
	own := j.Own()
	if own.IsFlow() || own.Aliased() || own.Line() <= j.At.Line() {
		return nil
	}
	first, ok := misconfig.Line(j.doc.Data, own.Line())
	indent := misconfig.Offset(first, own.Column())
	if !ok || indent < 1 || strings.Trim(first[:indent], " ") != "" {
		return nil
	}
	var with []string
	for _, l := range lines {
		with = append(with, first[:indent]+l)
	}
	return misconfig.Replace(j.doc.Path, j.doc.Data, own.Line(), append(with, first)...)
}

// secretEnds are what names of secrets end with.
var secretEnds = []string{"PASSWORD", "PASSWD", "PASSPHRASE", "_PASS", "SECRET", "_TOKEN", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY", "ENCRYPTION_KEY", "SECRET_KEY_BASE", "AUTH_KEY", "SIGNING_KEY", "MASTER_KEY"}

func secretName(name string) bool {
	name = strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
	return slices.ContainsFunc(secretEnds, func(end string) bool { return strings.HasSuffix(name, end) }) || name == "PASS" || name == "TOKEN"
}

// literal tells whether a value is written down, rather than taken from elsewhere. The
// default of a variable is written down as well.
func literal(raw string) bool {
	value, _ := compose.Expand(raw)
	switch strings.ToLower(value) {
	case "", "true", "false", "yes", "no", "none", "null", "on", "off":
		return false
	}
	return !strings.HasPrefix(value, "/") && !strings.Contains(value, "<") && !strings.HasPrefix(value, "$")
}
