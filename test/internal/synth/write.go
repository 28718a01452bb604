package synth

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// encoded is a value that was written before.
type encoded []byte

// writer hands objects on as JSON: many times faster than encoding/json, which would take longer
// than what is measured.
func writer(yield func([]byte) bool) func(object) bool {
	return func(o object) bool { return yield(encode(nil, o)) }
}

// encode appends a value; names of fields are sorted.
func encode(b []byte, v any) []byte {
	switch v := v.(type) {
	case encoded:
		return append(b, v...)
	case string:
		return strconv.AppendQuote(b, v) // texts here are plain
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case bool:
		return strconv.AppendBool(b, v)
	case object:
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = encode(append(strconv.AppendQuote(b, name), ':'), v[name])
		}
		return append(b, '}')
	case list:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = encode(b, item)
		}
		return append(b, ']')
	}
	panic(fmt.Sprintf("a value of type %T", v))
}
