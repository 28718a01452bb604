package posture

import (
	"strings"

	"bulwark/kube"
)

// byHand are the rules about pods that say as much of a container that Docker or Podman runs,
// and what mends it there. A name that ends with a dash stands for all that begin so.
var byHand = map[string]string{
	"workload/privileged":              "run it without --privileged, and give it the one capability (--cap-add) or device (--device) that it needs",
	"workload/host-pid":                "run it without --pid host",
	"workload/host-ipc":                "run it without --ipc host; --ipc container:NAME shares memory with one container alone",
	"workload/host-network":            "run it without --network host, and publish the ports that it needs (-p)",
	"workload/share-process-namespace": "run it without --pid container:NAME",
	"workload/user-namespace":          "let the engine map users (userns-remap in daemon.json, or a rootless engine)",
	"workload/cap-":                    "run it without that --cap-add",
	"workload/caps-not-dropped":        "run it with --cap-drop ALL, and add what it needs",
	"workload/hostpath-":               "mount a volume of the engine instead, or the one file that is needed, with :ro",
	"workload/runtime-socket":          "take the engine's socket out; where it must be asked, put a proxy before it that lets few requests through",
	"workload/mount-propagation":       "mount it without :shared",
	"workload/proc-mount":              "run it without --security-opt systempaths=unconfined or unmask",
	"workload/seccomp-unconfined":      "run it without --security-opt seccomp=unconfined; a profile of its own can allow what it lacks",
	"workload/apparmor-unconfined":     "run it without --security-opt apparmor=unconfined",
	"workload/selinux-options":         "run it without --security-opt label=disable or label=type:...",
	"workload/sysctl":                  "run it without that --sysctl",
	"workload/root-group":              "run it with --user UID:GID of a group that is not root's",
	"workload/writable-root":           "run it with --read-only, and --tmpfs for what it writes",
	"workload/no-memory-limit":         "run it with --memory",
	"workload/no-cpu-limit":            "run it with --cpus",
	"workload/image-tag":               "run it from an image with a version, or by digest",
	"workload/image-digest":            "run it from an image by digest (name@sha256:...)",
	"workload/image-registry":          "run it from an image of a registry that is on the list",
	"workload/image-frozen-registry":   "run it from where the image is kept now",
	"workload/miner":                   "stop it, find out who started it and how, and change what they could read",
	"workload/reverse-shell":           "stop it, and find out who started it",
	"workload/node-shell":              "stop it, and find out who started it",
	"workload/download-and-run":        "",
	"workload/installs-at-start":       "",
	"workload/ssh-server":              "",
	"workload/no-authentication":       "",
	"workload/engine-in-container":     "",
	"workload/tls-not-verified":        "",
	"workload/idle-privileged":         "",
}

// applies tells whether a rule is asked about a set: those of engines about what engines run,
// others about what is declared to Kubernetes, and a few of them about both. fix is what
// mends it when that is something else than the rule says.
func (f *Family) applies(r *Rule, s *kube.Set) (fix string, ok bool) {
	if s.Engine == f.Engines {
		return "", true
	}
	if f.Engines {
		return "", false
	}
	if fix, ok = byHand[r.ID]; ok {
		return fix, true
	}
	for name, fix := range byHand {
		if strings.HasSuffix(name, "-") && strings.HasPrefix(r.ID, name) {
			return fix, true
		}
	}
	return "", false
}
