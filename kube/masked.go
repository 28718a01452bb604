package kube

import (
	"fmt"
	"strconv"
	"strings"
)

// Masked stands in an object of a cluster or snapshot in place of a text that may be the
// value of a secret: in a container's env or args, an annotation, a ConfigMap. The source
// puts it there while it reads, so that neither a snapshot nor a report can hold the value,
// and a scan of the cluster and one of its snapshot see the same.
//
// It is written "bulwark.masked:<why>:<length>:<shown>:<hash>". A text that is a secret in a
// part only has it in that part, as "postgres://app:bulwark.masked:...@db".
type Masked struct {
	Why    string // what it was taken for, in one word: "name" (that of its field says so), "shape", "url", "pem"
	Length int    // bytes of the value
	Shown  string // its first 4 characters at most where it has a shape that tells what it is; may be empty
	Hash   string // equal for equal values of one set, as [Key.Hash]
}

const maskedPrefix = "bulwark.masked:"

// String is the text that stands for the value.
func (m Masked) String() string {
	return fmt.Sprintf("%s%s:%d:%s:%s", maskedPrefix, word(m.Why), m.Length, word(m.Shown), word(m.Hash))
}

// word keeps what can stand in a masked text.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s)
}

// ParseMasked finds the first masked value in a text: before and after are what stands
// around it.
func ParseMasked(text string) (m Masked, before, after string, ok bool) {
	before, rest, ok := strings.Cut(text, maskedPrefix)
	if !ok {
		return Masked{}, "", "", false
	}
	parts := strings.SplitN(rest, ":", 4)
	if len(parts) != 4 {
		return Masked{}, "", "", false
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 0 {
		return Masked{}, "", "", false
	}
	end := 0
	for end < len(parts[3]) && word(parts[3][end:end+1]) != "" {
		end++
	}
	return Masked{Why: word(parts[0]), Length: n, Shown: word(parts[2]), Hash: parts[3][:end]}, before, parts[3][end:], true
}
