package workflow

import "strings"

// Use is what "uses" names: an action, or a workflow of another repository. Owner is
// empty where it names a folder, an image, or what an expression decides.
type Use struct {
	Owner, Repository string
	Ref               string // behind the @: a commit, a tag, a branch
	Comment           string // the first word of the comment on the line, by custom the tag that the commit has
}

// ParseUse reads the value of "uses".
func ParseUse(n Node) Use {
	text := strings.TrimSpace(n.Text())
	if strings.HasPrefix(text, ".") || strings.Contains(text, "://") || strings.Contains(text, "${{") {
		return Use{}
	}
	name, ref, _ := strings.Cut(text, "@")
	parts := strings.Split(name, "/")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" || strings.ContainsAny(name, " \t\n%?#") {
		return Use{}
	}
	u := Use{Owner: parts[0], Repository: parts[1], Ref: ref}
	words := strings.Fields(strings.TrimLeft(n.Comment(), "# \t"))
	if len(words) > 1 && (words[0] == "tag" || words[0] == "pin" || words[0] == "tag:" || words[0] == "pin@" || words[0] == "version") {
		words = words[1:]
	}
	if len(words) > 0 {
		u.Comment = strings.TrimPrefix(strings.TrimPrefix(words[0], "tag="), "pin@")
	}
	return u
}

// IsCommit tells whether the ref is the full name of a commit: shorter ones can be made
// to collide.
func (u Use) IsCommit() bool {
	return (len(u.Ref) == 40 || len(u.Ref) == 64) && strings.Trim(strings.ToLower(u.Ref), "0123456789abcdef") == ""
}

// Version is the release that is used: the tag, or that of the comment where a commit is
// named. It is empty where that is not told to the last of its three parts.
func (u Use) Version() string {
	tag := u.Ref
	if u.IsCommit() {
		tag = u.Comment
	}
	if v := Numbers(tag); strings.Count(v, ".") >= 2 {
		return v
	}
	return ""
}

// Numbers is a tag without what stands before its version: "1.2.3" of "v1.2.3"; "" of
// what is no version.
func Numbers(tag string) string {
	v := strings.TrimPrefix(strings.TrimPrefix(tag, "release"), "/")
	v = strings.TrimPrefix(v, "v")
	if len(v) > 40 || v == "" || v[0] < '0' || v[0] > '9' || strings.Trim(v, "0123456789abcdefghijklmnopqrstuvwxyz.-+") != "" {
		return ""
	}
	for part := range strings.SplitSeq(strings.TrimRight(v, "."), ".") {
		if part == "" {
			return ""
		}
	}
	return v
}
