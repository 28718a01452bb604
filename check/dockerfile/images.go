package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

var (
	notPinned = &misconfig.Rule{ID: "dockerfile/image-not-pinned", Severity: bulwark.SeverityLow, Hygiene: true, Title: "Base image is not pinned by digest",
		Tags: []string{"slsa:materials", "cis-docker:4.2"}, Fix: "pin it: FROM name:tag@sha256:..., and let a bot raise the digest",
		Why:   "A tag can be moved: the next build takes in whatever it points to then, without a review. Low, because the publisher of a tag is trusted already, and a pinned image that nobody raises grows old.",
		Noise: "Teams that want the newest patches of a tag at every build, and scan the outcome, choose this."}
	latestTag = &misconfig.Rule{ID: "dockerfile/latest-tag", Severity: bulwark.SeverityLow, Title: "Base image has no tag, or latest",
		Tags: []string{"hadolint:DL3006", "hadolint:DL3007", "cis-docker:4.2", "dockle:DKL-DI-0006"}, Fix: "name a release, best with its digest",
		Why:   "Nobody can say what the image was built from, nor build it again; a new major release comes in unseen. Low: it opens nothing by itself.",
		Noise: "Images that publish only latest; pin these by digest. A bare name that Docker's library does not have is likely an image of one's own, and then it is hygiene."}
	untrustedRegistry = &misconfig.Rule{ID: "dockerfile/untrusted-registry", Severity: bulwark.SeverityMedium, Title: "Base image comes from a registry that is not on the list of trusted ones",
		Tags: []string{"hadolint:DL3026", "cis-docker:4.2"}, Fix: "take the image from a registry on the list, or mirror it there",
		Why:   "Whoever runs the registry decides what runs in the image. Judged only when a list is given; medium, because the list is the user's own policy.",
		Noise: "A list that lacks a mirror which is trusted."}
	baseFromArg = &misconfig.Rule{ID: "dockerfile/base-from-arg", Severity: bulwark.SeverityLow, Title: "Base image is a build argument without a default that names an image",
		Tags: []string{"slsa:externalParameters"}, Fix: "give the ARG a pinned default: ARG BASE=name:tag@sha256:...",
		Why:   "What the image is built from is decided outside of the file and reviewed by nobody. Low: whoever starts the build can change more than that.",
		Noise: "Build systems that always pass a digest, and record it."}
	copyFromNotPinned = &misconfig.Rule{ID: "dockerfile/copy-from-not-pinned", Severity: bulwark.SeverityLow, Hygiene: true, Title: "COPY --from takes files from an image that is not pinned by digest",
		Tags: []string{"slsa:materials"}, Fix: "pin the image by digest, or give it a stage of its own with FROM",
		Why:   "The files are programs as a rule, and no scan of the base image covers them. Low as for FROM; with latest or no tag it is no mere hygiene.",
		Noise: "Images of one's own team that are built in the same pipeline."}
	syntaxNotPinned = &misconfig.Rule{ID: "dockerfile/syntax-not-pinned", Severity: bulwark.SeverityLow, Title: "The # syntax frontend is not pinned by digest",
		Tags: []string{"slsa:materials"}, Fix: "pin the frontend by digest, or leave the line out: BuildKit brings its own",
		Why:   "The frontend is an image that runs in the builder and decides what every line means. Low: docker/dockerfile is published by the makers of BuildKit, and then it is hygiene; any other deserves a look.",
		Noise: "docker/dockerfile:1 is what the manual tells to write."}

	imageRules = []*misconfig.Rule{notPinned, latestTag, untrustedRegistry, baseFromArg, copyFromNotPinned, syntaxNotPinned}
)

// reference is an image's name taken apart.
type reference struct{ name, tag, digest string }

func parseReference(s string) reference {
	var r reference
	s, r.digest, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, r.tag = s[:i], s[i+1:]
	}
	r.name = s
	return r
}

// loose is true without digest, and with latest or no tag.
func (r reference) loose() bool { return r.digest == "" && (r.tag == "" || r.tag == "latest") }

// registry is where it is pulled from, and what it is called there.
func (r reference) registry() (host, repository string) {
	first, rest, ok := strings.Cut(r.name, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first, rest
	}
	if !ok {
		return "docker.io", "library/" + r.name
	}
	return "docker.io", r.name
}

// images judges what the stages are built from.
func (j *judge) images() {
	if s := j.file.Syntax; s != "" && parseReference(s).digest == "" {
		line := &df.Instruction{First: j.file.SyntaxLine, Text: "# syntax=" + s}
		r := j.found(syntaxNotPinned, line, line.First, parseReference(s).name)
		if host, repository := parseReference(s).registry(); host == "docker.io" && strings.HasPrefix(repository, "docker/dockerfile") {
			r.hygiene()
		}
	}
	for _, s := range j.file.Stages {
		if s.Parent == nil && s.Image != "" && s.Image != "scratch" && !imageID(s.Image) {
			j.image(s)
		}
	}
}

func (j *judge) image(s *df.Stage) {
	i, ref := s.From, parseReference(s.Image)
	switch {
	case len(s.Unknown) > 0 && platform(s.Unknown):
		return
	case len(s.Unknown) > 0:
		if ref.digest == "" || strings.Contains(ref.digest, "$") {
			j.found(baseFromArg, i, i.First, s.Raw)
		}
		return
	case strings.Contains(s.Raw, "$") && localName(ref): // ARG base=replace-me
		j.found(baseFromArg, i, i.First, s.Raw)
		return
	case ref.loose():
		r := j.found(latestTag, i, i.First, ref.name)
		if localName(ref) {
			r.hygiene()
		}
	case ref.digest == "":
		j.pin(j.found(notPinned, i, i.First, ref.name), i, s.Raw)
	}
	j.trusted(i, ref)
}

// platform tells whether all of the variables are those that BuildKit sets.
func platform(names []string) bool {
	for _, n := range names {
		if !strings.HasPrefix(n, "TARGET") && !strings.HasPrefix(n, "BUILD") {
			return false
		}
		if _, rest, _ := strings.Cut(n, "PLATFORM"); rest != "" {
			return false
		}
		switch strings.TrimPrefix(strings.TrimPrefix(n, "TARGET"), "BUILD") {
		case "PLATFORM", "OS", "ARCH", "VARIANT":
		default:
			return false
		}
	}
	return true
}

func (j *judge) trusted(i *df.Instruction, ref reference) {
	if len(j.o.Registries) == 0 {
		return
	}
	host, repository := ref.registry()
	full := host + "/" + repository
	for _, r := range j.o.Registries {
		r = strings.TrimSuffix(r, "/")
		if full == r || strings.HasPrefix(full, r+"/") {
			return
		}
	}
	j.found(untrustedRegistry, i, i.First, host)
}

// pin makes the patch that adds the digest, when somebody knows it and the reference is
// written out.
func (j *judge) pin(r *result, i *df.Instruction, raw string) {
	if j.o.Resolve == nil || strings.Contains(raw, "$") || r.Fix == nil {
		return
	}
	digest, err := j.o.Resolve(j.ctx, raw)
	if err == nil && !isDigest(digest) {
		err = fmt.Errorf("it answers with no digest: %w", bulwark.ErrMalformed)
	}
	if err != nil {
		j.notes = append(j.notes, fmt.Sprintf("no digest to pin %s with: %s", misconfig.Clean(redact(raw)), misconfig.Clean(redact(err.Error()))))
		return
	}
	r.fix("pin it: " + raw + "@" + digest)
	for line := i.First; line <= i.Last; line++ {
		j.edit(r, line, raw, raw+"@"+digest)
	}
}

func isDigest(s string) bool {
	hex, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// copies judges COPY --from and RUN --mount from= of images that are no stages.
func (j *judge) copies() {
	for _, i := range j.file.Instructions {
		from, ok := i.Flag("from")
		if i.Name == "run" {
			from, ok = mountFrom(i)
		}
		if from = i.Expand(from); !ok || from == "" || strings.Contains(from, "$") || j.file.StageNamed(from) != nil || isNumber(from) || from == "scratch" {
			continue
		}
		ref := parseReference(from)
		if ref.digest != "" {
			j.trusted(i, ref)
			continue
		}
		if localName(ref) && j.o.Registries == nil {
			j.found(unknownStage, i, i.First, from) // or the name of a build context, as --build-context gives it
			continue
		}
		r := j.found(copyFromNotPinned, i, i.First, ref.name)
		if ref.loose() {
			r.rate(bulwark.SeverityLow)
		}
		if i.Name == "copy" {
			j.pin(r, i, from)
		}
		j.trusted(i, ref)
	}
}

// official are images of Docker's library: a bare name that is none of them is an image of
// the builder's own, or a build context that --build-context names.
var official = strings.Fields(`adminer almalinux alpine amazoncorretto amazonlinux api-firewall archlinux bash bonita buildpack-deps busybox caddy cassandra centos chronograf
	cirros clearlinux clefos clojure composer convertigo couchbase couchdb crate dart debian docker drupal eclipse-mosquitto eclipse-temurin elasticsearch elixir emqx erlang
	eggdrop fedora flink fluentd friendica gazebo gcc geonetwork ghost golang gradle groovy haproxy haskell haxe hello-world hitch httpd hylang ibm-semeru-runtimes ibmjava
	influxdb irssi jetty joomla jruby julia kapacitor kibana kong krakend lightstreamer liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo mongo-express
	monica mono mysql nats neo4j neurodebian nextcloud nginx node notary odoo open-liberty openjdk oraclelinux orientdb percona perl photon php phpmyadmin plone postgres
	postfixadmin pypy python r-base rabbitmq rakudo-star redis redmine registry rethinkdb rockylinux ros ruby rust sapmachine satosa sl solr sonarqube spark spiped
	storm swift swipl teamspeak telegraf tomcat tomee traefik ubuntu unit varnish vault websphere-liberty wordpress xwiki yourls znc zookeeper`)

// officialName tells whether a bare word is one of them.
func officialName(s string) bool { return slices.Contains(official, s) }

// localName tells whether a reference is a bare word that Docker's library does not have.
func localName(ref reference) bool {
	return ref.tag == "" && ref.digest == "" && !strings.ContainsAny(ref.name, "/.:") && !officialName(ref.name)
}

// imageID tells whether a reference is the id of an image that the builder has.
func imageID(s string) bool {
	return isDigest(s) || isDigest("sha256:"+s)
}

func mountFrom(i *df.Instruction) (string, bool) {
	for _, f := range i.Flags {
		if f.Name != "mount" {
			continue
		}
		for part := range strings.SplitSeq(f.Value, ",") {
			if v, ok := strings.CutPrefix(part, "from="); ok {
				return v, true
			}
		}
	}
	return "", false
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func without(list []string, s string) []string {
	var out []string
	for _, l := range list {
		if l != s {
			out = append(out, l)
		}
	}
	return out
}
