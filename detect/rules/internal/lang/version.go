package lang

import (
	"fmt"
	"strconv"
	"strings"
)

// Engine is the version of Falco's engine whose language this is.
const Engine = "0.63.0"

// version is x.y.z; what may follow a dash or plus does not count.
type version [3]uint64

// parseVersion reads x.y.z.
func parseVersion(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(s, "+")
	s, _, _ = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// serves tells whether what needs want can do with v.
func (v version) serves(want version) bool {
	if v[0] != want[0] || v[1] != want[1] {
		return v[0] == want[0] && v[1] > want[1]
	}
	return v[2] >= want[2]
}

// engine checks what an item requires of the engine.
func engine(o *object) error {
	s, err := o.string("required_engine_version")
	if err != nil {
		return err
	}
	if n, e := strconv.ParseUint(s, 10, 32); e == nil {
		s = fmt.Sprintf("0.%d.0", n) // as versions were counted once
	}
	want, ok := parseVersion(s)
	if !ok {
		return o.fail("required_engine_version", "%s is no version: x.y.z, or a number", quoteOf(s))
	}
	if have, _ := parseVersion(Engine); !have.serves(want) {
		return o.unfit("required_engine_version", "the file needs version %s of the engine, and this is %s; nothing of the file is taken", s, Engine)
	}
	return nil
}
