package bulwark

import "context"

// VertexID names somebody or something that an attacker may hold, as kind:name:
// "internet", "workload:shop/Deployment/cart", "node:worker-1", "account:shop/cart",
// "secret:shop/db", "image:<digest>", "cloud:aws/role", "identity:Group ops". A group is a
// vertex between those that are alike (all pods of a namespace), so that ten thousand that
// reach ten thousand take twenty thousand relations: its kind is "group", and people are not
// shown it.
type VertexID string

// Relation says that whoever holds From may come to hold To.
type Relation struct {
	From VertexID `json:"from"`
	To   VertexID `json:"to"`
	// Type names how: KubeHound's names where it has one ("CE_PRIV_MOUNT", "POD_EXEC").
	Type string `json:"type"`
	// Likelihood is the chance, 0 to 1, that an attacker who holds From succeeds. 0 stands for
	// 1: nothing is left to chance.
	Likelihood float64 `json:"likelihood,omitempty"`
	// Text says what the attacker does, and by what: "mounts the node's disk (privileged)".
	Text string `json:"text,omitempty"`
	// Place is the file and line that makes it so.
	Place *Place `json:"place,omitempty"`
	// Because are the keys of the findings that make it.
	Because []string `json:"because,omitempty"`
	// Remedies are the ids of those that remove the relation, each alone.
	Remedies []string `json:"remedies,omitempty"`
}

// Remedy is a change that removes relations.
type Remedy struct {
	ID   string `json:"id"`   // stable across runs: "shop/Deployment/cart privileged"
	Text string `json:"text"` // what to change
	Fix  *Fix   `json:"fix,omitempty"`
}

// Relations takes what relaters find, from one goroutine.
type Relations interface {
	Relation(Relation)
	Remedy(Remedy)
	Note(Note)
}

// Relater says what is connected: by the network, by rights, by what runs where.
type Relater interface {
	Plugin
	// Relate is asked after all checks, with what they found: a relation that a finding makes
	// names its key, and is removed by its fix: [RemedyOf] is that remedy's id, and the engine
	// adds it.
	Relate(ctx context.Context, t *Target, inv *Inventory, findings []Finding, to Relations) error
}

// RemedyOf is the id of the remedy that a finding's fix is.
func RemedyOf(f *Finding) string { return string(f.Asset) + " " + f.Key }
