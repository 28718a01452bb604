package rules

import (
	"strconv"

	"bulwark"
)

// stdioTypes is what the standard descriptors are.
func stdioTypes(arg string) (getter, error) {
	from, to := 0, 3
	if arg != "" {
		n, err := strconv.Atoi(arg)
		if err != nil || n > 2 {
			none := func(bulwark.Kind) bool { return false }
			return getter{list: func(*event) ([]string, bool) { return nil, false }, has: none}, nil
		}
		from, to = n, n+1
	}
	var list []string
	return getter{list: func(v *event) ([]string, bool) {
		if v.p == nil {
			return nil, false
		}
		list = list[:0]
		for _, k := range v.p.Stdio[from:to] {
			if k != bulwark.FDNone {
				list = append(list, typeNames[k])
			}
		}
		return list, len(list) > 0
	}}, nil
}

// stdioType is what one of the standard descriptors is.
func stdioType(n int) func(string) (getter, error) {
	return text(func(v *event) (string, bool) {
		if v.p == nil || v.p.Stdio[n] == bulwark.FDNone {
			return "", false
		}
		return typeNames[v.p.Stdio[n]], true
	})
}

// joinedField is text that is put together for the event.
func joinedField(put func(*event, []byte) ([]byte, bool)) func(string) (getter, error) {
	return func(string) (getter, error) {
		var k kept
		ok := false
		return getter{cost: medium, text: func(v *event) (string, bool) {
			if !k.fresh(v, v.p) {
				k.buf, ok = put(v, k.buf)
			}
			return str(k.buf), ok
		}}, nil
	}
}

func appendNumber(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }
