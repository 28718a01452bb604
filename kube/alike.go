package kube

const (
	longestAlike = 4 << 10 // bytes of a value that may be met again
	mostAlike    = 4 << 20 // bytes of such values that are kept
)

// alike keeps maps and lists by how they are written, for others that are written so. What
// repeats stands close together, as the pods of a workload do: when too much is kept, all of
// it is forgotten.
type alike struct {
	nodes map[string]alikeNode
	bytes int
}

type alikeNode struct {
	node  *Node
	count int // of the values in it
	depth int // at which it stood
}

// shared is the map or list that begins here: one that was read before, if that was written
// in the same way, on one line, and no deeper.
func (p *jsonReader) shared(depth int) *Node {
	end := p.closing()
	if end == 0 {
		return p.collection(depth)
	}
	text := p.data[p.at:end]
	if known, ok := p.known.nodes[string(text)]; ok && known.depth >= depth {
		p.at, p.count = end, p.count+known.count
		return known.node
	}
	before := p.count
	n := p.collection(depth)
	if p.err == nil && p.at == end {
		p.known.keep(text, alikeNode{n, p.count - before, depth})
	}
	return n
}

func (a *alike) keep(text []byte, n alikeNode) {
	if a.bytes += len(text); a.bytes > mostAlike || a.nodes == nil {
		a.nodes, a.bytes = map[string]alikeNode{}, len(text)
	}
	a.nodes[string(text)] = n
}

// closing is where the map or list that begins here ends; 0 where that is far, or in another
// line.
func (p *jsonReader) closing() int {
	depth, quoted := 0, false
	for i := p.at; i < min(len(p.data), p.at+longestAlike); i++ {
		switch c := p.data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			return 0
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
