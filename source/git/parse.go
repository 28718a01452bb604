package git

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"bulwark"
)

// commit is what of a commit matters here.
type commit struct {
	tree    id
	parents []id
	when    int64 // seconds since 1970, as the committer's clock said
}

// parseCommit reads the lines before the message.
func parseCommit(data []byte) (c commit, err error) {
	head, _, _ := bytes.Cut(data, []byte("\n\n"))
	for line := range strings.Lines(string(head)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		o, ok := parseID(rest)
		switch {
		case word == "tree" && ok:
			c.tree = o
		case word == "parent" && ok:
			c.parents = append(c.parents, o)
		case word == "committer":
			c.when = timeOf(rest)
		}
	}
	if c.tree == (id{}) {
		err = fmt.Errorf("a commit without tree: %w", bulwark.ErrMalformed)
	}
	return c, err
}

// timeOf reads the seconds of "NAME <MAIL> SECONDS ZONE"; 0 when there are none.
func timeOf(person string) int64 {
	fields := strings.Fields(person[strings.LastIndexByte(person, '>')+1:])
	if len(fields) == 0 {
		return 0
	}
	when, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || when < 0 || when > 1<<40 {
		return 0
	}
	return when
}

// parseTag gives what a tag names, and when it was made.
func parseTag(data []byte) (to id, when int64, err error) {
	head, _, _ := bytes.Cut(data, []byte("\n\n"))
	ok := false
	for line := range strings.Lines(string(head)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "object":
			to, ok = parseID(rest)
		case "tagger":
			when = timeOf(rest)
		}
	}
	if !ok {
		err = fmt.Errorf("a tag of nothing: %w", bulwark.ErrMalformed)
	}
	return to, when, err
}

// The modes of a tree's entries, and of the index's.
const (
	typeBits     = 0o170000
	folderMode   = 0o040000
	linkMode     = 0o120000
	moduleMode   = 0o160000
	runnableBits = 0o111
)

// child is an entry of a tree.
type child struct {
	name []byte
	mode uint32
	id   id
}

func (c *child) folder() bool { return c.mode&typeBits == folderMode }

// blob: it is a file or a link, and no commit of another repository.
func (c *child) blob() bool { return !c.folder() && c.mode&typeBits != moduleMode }

// children gives the entries of a tree; the last has an error if the tree is malformed.
func children(tree []byte) iter.Seq2[*child, error] {
	return func(yield func(*child, error) bool) {
		var c child
		for len(tree) > 0 {
			space, zero := bytes.IndexByte(tree, ' '), bytes.IndexByte(tree, 0)
			if space < 1 || space > 7 || zero < space || len(tree)-zero-1 < len(c.id) {
				yield(nil, fmt.Errorf("a tree: %w", bulwark.ErrMalformed))
				return
			}
			mode, err := strconv.ParseUint(string(tree[:space]), 8, 32)
			if err != nil {
				yield(nil, fmt.Errorf("a tree: %w: %w", bulwark.ErrMalformed, err))
				return
			}
			c.mode, c.name = uint32(mode), tree[space+1:zero]
			copy(c.id[:], tree[zero+1:])
			tree = tree[zero+1+len(c.id):]
			if !yield(&c, nil) {
				return
			}
		}
	}
}
