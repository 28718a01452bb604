package engine

import (
	"strconv"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var fileRules = []*posture.Rule{
	daemon(misconfig.Rule{ID: "engine/socket-for-all", Severity: critical, Title: "Every user of the machine may use the engine", Tags: []string{"cis-docker:3.15", "cis-docker:3.16", "cis-docker:3.23", "cis-docker:3.24", "attack:T1611"},
		Fix:   "chmod 660 the socket, owned by root and a group of those who are to be root",
		Why:   "to use the engine's socket is to be root; so is every program that a user of the machine runs",
		Noise: "none known", Refs: []string{docsSocket}},
		func(o *kube.Object, _ *kube.Node) []string {
			return files(o, func(path string, mode, uid int64) bool {
				return strings.HasSuffix(path, ".sock") && (mode&0o006 != 0 || uid != 0)
			})
		}),
	daemon(misconfig.Rule{ID: "engine/settings-for-all", Severity: high, Title: "Others than root may change the engine's settings", Tags: []string{"cis-docker:3.5", "cis-docker:3.6", "cis-docker:3.17", "cis-docker:3.18"},
		Fix:   "chown root:root, and chmod 755 the folder and 644 daemon.json",
		Why:   "the engine does as root what is written there, from its next start on",
		Noise: "none known", Refs: []string{docsDaemon}},
		func(o *kube.Object, _ *kube.Node) []string {
			return files(o, func(path string, mode, uid int64) bool {
				return strings.HasPrefix(path, "/etc/") && (mode&0o022 != 0 || uid != 0)
			})
		}),
}

// files are those of an engine that are as meant.
func files(o *kube.Object, meant func(path string, mode, uid int64) bool) []string {
	if o.Root.Get("rootless").True() {
		return nil // they are the user's
	}
	var lines []string
	for _, f := range o.Root.Get("files").Items() {
		mode, err := strconv.ParseInt(f.Get("mode").Text(), 8, 64)
		uid, _ := f.Get("uid").Int()
		if path := f.Get("path").Text(); err == nil && meant(path, mode, uid) {
			lines = append(lines, path+" has the mode "+f.Get("mode").Text()+" and belongs to user "+strconv.FormatInt(uid, 10))
		}
	}
	return lines
}
