package workflow

import (
	"fmt"

	"bulwark"
	"bulwark/build/internal/yamldoc"
)

// GitLab is a GitLab CI file.
type GitLab struct {
	Root Node
	Jobs []*Job // without steps; templates (.name) too
	docs []*yamldoc.Doc
}

// keywords at the top of a GitLab file are no jobs.
var keywords = map[string]bool{"stages": true, "variables": true, "include": true, "default": true, "workflow": true, "image": true, "services": true, "cache": true,
	"before_script": true, "after_script": true, "spec": true, "types": true}

// ParseGitLab reads a GitLab CI file, of which a first document may be its inputs. The
// error wraps ErrMalformed or ErrLimit; what was read before it is given.
func ParseGitLab(data []byte) (*GitLab, error) {
	docs, err := yamldoc.Parse(data)
	g := &GitLab{docs: docs}
	if len(docs) == 0 {
		return g, err
	}
	g.Root = docs[len(docs)-1].Root
	for k, v := range g.Root.Pairs() {
		if keywords[k.Text()] || !v.IsMap() {
			continue
		}
		if len(g.Jobs) >= maxJobs {
			return g, fmt.Errorf("more than %d jobs: %w", maxJobs, bulwark.ErrLimit)
		}
		g.Jobs = append(g.Jobs, &Job{ID: k.Text(), At: k, Node: v})
	}
	return g, err
}

// Err wraps ErrLimit when looking at the file has cost too much.
func (g *GitLab) Err() error {
	for _, d := range g.docs {
		if d.Exhausted {
			return fmt.Errorf("aliases make the file larger than can be read: %w", bulwark.ErrLimit)
		}
	}
	return nil
}

const maxNested = 4 // lists in lists of a script

// Script gives the commands of a script, which may be lists in lists.
func Script(n Node) []Node { return script(n, maxNested) }

func script(n Node, depth int) []Node {
	if n.IsScalar() {
		return []Node{n}
	}
	var out []Node
	if depth > 0 {
		for item := range n.Items() {
			out = append(out, script(item, depth-1)...)
		}
	}
	return out
}
