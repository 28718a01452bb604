package overlay

import (
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/resource"
)

// asJSON is what the object's own MarshalJSON gives. That writes YAML and reads it again, which
// takes as long as building the object did; here it is done only for what is not plainly the
// same in both notations.
func asJSON(res *resource.Resource) ([]byte, error) {
	if b, ok := appendNode(nil, res.YNode()); ok {
		return b, nil
	}
	return res.MarshalJSON()
}

func appendNode(b []byte, n *yaml.Node) (_ []byte, ok bool) {
	switch {
	case n == nil || n.Anchor != "" || n.Alias != nil:
		return b, false
	case n.Kind == yaml.MappingNode && (n.Tag == "" || n.Tag == "!!map"):
		return appendFields(b, n)
	case n.Kind == yaml.SequenceNode && (n.Tag == "" || n.Tag == "!!seq"):
		return appendItems(b, n)
	case n.Kind == yaml.ScalarNode:
		return appendScalar(b, n)
	}
	return b, false
}

// appendFields writes a map as encoding/json does: its keys in order.
func appendFields(b []byte, n *yaml.Node) (_ []byte, ok bool) {
	order := make([]int, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Kind != yaml.ScalarNode || k.Tag != "!!str" {
			return b, false
		}
		order = append(order, i)
	}
	slices.SortFunc(order, func(x, y int) int { return strings.Compare(n.Content[x].Value, n.Content[y].Value) })
	b = append(b, '{')
	for at, i := range order {
		if at > 0 {
			if n.Content[order[at-1]].Value == n.Content[i].Value {
				return b, false
			}
			b = append(b, ',')
		}
		if b, ok = appendNode(b, n.Content[i]); !ok {
			return b, false
		}
		b = append(b, ':')
		if b, ok = appendNode(b, n.Content[i+1]); !ok {
			return b, false
		}
	}
	return append(b, '}'), true
}

func appendItems(b []byte, n *yaml.Node) (_ []byte, ok bool) {
	b = append(b, '[')
	for i, item := range n.Content {
		if i > 0 {
			b = append(b, ',')
		}
		if b, ok = appendNode(b, item); !ok {
			return b, false
		}
	}
	return append(b, ']'), true
}

// appendScalar writes what every reader takes for the same: short numbers, texts.
func appendScalar(b []byte, n *yaml.Node) (_ []byte, ok bool) {
	switch v := n.Value; {
	case n.Tag == "!!str" && printable(v) && (n.Style&yaml.FoldedStyle == 0 || !strings.Contains(v, "\n")): // the library's writer gets some folds wrong
		text, err := json.Marshal(v)
		return append(b, text...), err == nil
	case n.Style != 0:
	case n.Tag == "!!int" && isInt(v), n.Tag == "!!bool" && (v == "true" || v == "false"):
		return append(b, v...), true
	case n.Tag == "!!null" && v == "null":
		return append(b, v...), true
	}
	return b, false
}

// printable tells whether a text is ASCII without control characters but line feeds, and
// begins with no space.
func printable(s string) bool {
	if s != "" && s[0] <= ' ' && strings.Contains(s, "\n") {
		return false
	}
	for i := range len(s) {
		if (s[i] < ' ' || s[i] > '~') && s[i] != '\n' {
			return false
		}
	}
	return true
}

// isInt tells whether a text is a whole number as JSON writes it.
func isInt(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 18 || digits[0] == '0' && s != "0" {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}
