package rights

import (
	"fmt"
	"strings"

	"bulwark"
	"bulwark/rbac"
)

// mostDangling bindings to roles that are nowhere are told of one by one.
const mostDangling = 5

// dangling tells of bindings to roles that are nowhere. What they give is only known to be
// nothing where the cluster was asked for all roles; of system: there are more than are known
// by heart.
func (e *engine) dangling() {
	n, elsewhere := 0, 0
	for _, b := range e.rights.Bindings {
		known := e.rights.Known(strings.ToLower(b.RefKind) + "s")
		if b.Role != nil || b.RefKind == "ClusterRole" && strings.HasPrefix(b.RefName, "system:") && !known {
			continue
		}
		if !known {
			elsewhere++
		}
		if n++; n <= mostDangling {
			e.nowhere(b, known)
		}
	}
	if n > mostDangling {
		e.to.Note(bulwark.Note{Plugin: "relate/rights", Asset: e.asset, Text: fmt.Sprintf("%d more bindings are to roles that are not there", n-mostDangling), Incomplete: elsewhere > 0})
	}
}

func (e *engine) nowhere(b *rbac.Binding, known bool) {
	text := b.Object.ID() + b.Place() + " is bound to " + b.RefID() + ", which is not "
	switch {
	case b.RefKind != "Role" && b.RefKind != "ClusterRole":
		text += "a role: it gives nothing"
		known = true
	case known:
		text += "there: it gives nothing, until somebody makes that role"
	default:
		text += "among these objects: what it gives, where it is written elsewhere, is not counted"
	}
	e.to.Note(bulwark.Note{Plugin: "relate/rights", Asset: e.asset, Text: text, Incomplete: !known})
}
