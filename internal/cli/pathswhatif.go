package cli

import (
	"fmt"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/graph"
	"bulwark/report/paths"
)

// suppose makes the changes of --what-if.
func (p *attack) suppose(a *paths.Answer, q graph.Question) error {
	if len(p.whatIf) == 0 {
		return nil
	}
	first := a.Graph.Smallest(q)
	a.Before = len(first.Paths) + len(first.Uncut)
	known := a.Graph.Remedies()
	var ids []string
	for _, text := range p.whatIf {
		r, err := remedyNamed(text, &first, known)
		if err != nil {
			return err
		}
		a.WhatIf, ids = append(a.WhatIf, r), append(ids, r.ID)
	}
	a.Graph, _ = a.Graph.Without(ids...)
	return nil
}

func remedyNamed(text string, c *graph.Cut, known []bulwark.Remedy) (bulwark.Remedy, error) {
	if n, err := strconv.Atoi(text); err == nil && len(text) < 7 {
		if n < 1 || n > len(c.Remedies) {
			return bulwark.Remedy{}, usage("--what-if %d: there is no such change; the list has %s", n, changes(len(c.Remedies)))
		}
		return c.Remedies[n-1], nil
	}
	var found []bulwark.Remedy
	for _, r := range known {
		_, key, _ := strings.Cut(r.ID, " ")
		if r.ID == text {
			return r, nil
		}
		if len(text) >= 8 && strings.HasPrefix(key, text) {
			found = append(found, r)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) > 1 {
		return bulwark.Remedy{}, usage("--what-if %q begins the ids of %d changes: say more of it", text, len(found))
	}
	return bulwark.Remedy{}, usage("--what-if %q: there is no such change; say its number in the list, or an id that -f json has under \"remedies\"", text)
}

// changes says how many.
func changes(n int) string {
	switch n {
	case 0:
		return "none"
	case 1:
		return "1 change"
	}
	return fmt.Sprint(n, " changes")
}
