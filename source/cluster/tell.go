package cluster

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"bulwark"
)

func (r *reading) note(format string, args ...any) {
	r.notes = append(r.notes, bulwark.Note{Plugin: name, Text: fmt.Sprintf(format, args...), Incomplete: true})
}

// nothing is why there is nothing to look at.
func (r *reading) nothing() error {
	const advice = "(deploy/clusterrole.yaml has the rights that a scan needs; --namespaces chooses those where there are some)"
	reasons := slices.Sorted(maps.Keys(r.why))
	switch {
	case len(reasons) == 0:
		return fmt.Errorf("the API server has no resources that could be listed: %w", bulwark.ErrNotFound)
	case len(reasons) == 1 && reasons[0] == forbidden:
		return fmt.Errorf("the API server lets the user list nothing (403 Forbidden): %w %s", bulwark.ErrUntrusted, advice)
	}
	return fmt.Errorf("nothing could be listed: %s: %w", reasons[0], bulwark.ErrUnavailable)
}

const forbidden = "forbidden"

// done keeps how a list ended.
func (r *reading) done(res *resource, namespace string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	full := res.String()
	switch {
	case err == nil:
		r.listed++
		return
	case codeOf(err) == http.StatusNotFound && full != "namespaces": // it is gone since it was told of
		return
	}
	text := err.Error()
	if isPartial(err) {
		r.listed++
		r.part[text] = true
	}
	if codeOf(err) == http.StatusForbidden {
		text = forbidden
	}
	r.unseen[full] = text
	if namespace != "" {
		full += " in " + namespace
	}
	r.why[text] = append(r.why[text], full)
}

// tell makes notes of what could not be listed: one for each reason.
func (r *reading) tell() {
	for _, text := range slices.Sorted(maps.Keys(r.why)) {
		list := r.why[text]
		slices.Sort(list)
		switch {
		case r.part[text]:
			r.note("could not list all of %s: %s", shortened(list), text)
			continue
		case text != forbidden:
			r.note("could not list %s: %s", shortened(list), text)
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "secrets" || strings.HasPrefix(s, "secrets in ") })
		if len(rest) < len(list) && !r.ReadSecrets {
			list = rest
			r.notes = append(r.notes, bulwark.Note{Plugin: name, Text: "the user may not list Secrets: which there are, their types and age are not known (deploy/clusterrole-secrets.yaml lets them be listed)"})
		}
		if len(list) > 0 {
			r.note("the user may not list %s: what depends on them is not known (deploy/clusterrole.yaml has the rights that a scan needs)", shortened(list))
		}
	}
}

// shortened is a list as people read it.
func shortened(list []string) string {
	const most = 12
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
