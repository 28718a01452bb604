// Package pss judges pods by the Pod Security Standards, with the library that the API
// server itself judges them with: the newest version of every control.
package pss

import (
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// The levels, from the least to the most secure.
const (
	Privileged = string(api.LevelPrivileged)
	Baseline   = string(api.LevelBaseline)
	Restricted = string(api.LevelRestricted)
)

// Miss is a control that pods do not meet.
type Miss struct {
	ID     string // as the library calls it: "hostNamespaces"
	Level  string // that the control belongs to
	Reason string // "host namespaces"
	Detail string // "hostPID=true"; may be empty
}

// Level is the most secure level that pods of that metadata and spec reach.
func Level(meta *metav1.ObjectMeta, spec *corev1.PodSpec) string {
	level, _ := Judge(meta, spec)
	return level
}

// Judge gives the level that pods reach, and the controls of the next level that they do
// not meet, by id; none when they reach restricted.
func Judge(meta *metav1.ObjectMeta, spec *corev1.PodSpec) (level string, misses []Miss) {
	c := newest()
	misses = run(c.restricted, meta, spec)
	if len(misses) == 0 {
		return Restricted, nil
	}
	if base := run(c.baseline, meta, spec); len(base) > 0 {
		return Privileged, base
	}
	return Baseline, misses
}

// Unrestricted gives the controls of restricted that pods do not meet, whatever their level.
func Unrestricted(meta *metav1.ObjectMeta, spec *corev1.PodSpec) []Miss {
	return run(newest().restricted, meta, spec)
}

// controls are the newest versions of the checks of each level. Restricted has those of
// baseline that it does not put stricter ones in the place of.
type controls struct{ baseline, restricted []control }

type control struct {
	id, level string
	check     policy.CheckPodFn
}

var newest = sync.OnceValue(func() controls {
	var c controls
	stricter := map[policy.CheckID]bool{}
	for _, check := range policy.DefaultChecks() {
		newest := check.Versions[len(check.Versions)-1]
		k := control{string(check.ID), string(check.Level), newest.CheckPod}
		if check.Level == api.LevelBaseline {
			c.baseline = append(c.baseline, k)
			continue
		}
		c.restricted = append(c.restricted, k)
		for _, id := range newest.OverrideCheckIDs {
			stricter[id] = true
		}
	}
	for _, k := range c.baseline {
		if !stricter[policy.CheckID(k.id)] {
			c.restricted = append(c.restricted, k)
		}
	}
	byID := func(a, b control) int { return strings.Compare(a.id, b.id) }
	slices.SortFunc(c.baseline, byID)
	slices.SortFunc(c.restricted, byID)
	return c
})

func run(list []control, meta *metav1.ObjectMeta, spec *corev1.PodSpec) []Miss {
	var misses []Miss
	for _, k := range list {
		if res := k.check(meta, spec); !res.Allowed {
			misses = append(misses, Miss{k.id, k.level, res.ForbiddenReason, res.ForbiddenDetail})
		}
	}
	return misses
}

// IDs are the ids of all controls, baseline's first.
func IDs() []string {
	var list []string
	for _, k := range slices.Concat(newest().baseline, newest().restricted) {
		if !slices.Contains(list, k.id) {
			list = append(list, k.id)
		}
	}
	return list
}
