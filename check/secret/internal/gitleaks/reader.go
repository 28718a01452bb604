package gitleaks

import (
	"fmt"

	"bulwark"
)

// reader takes values out of a table and says what is of the wrong kind.
type reader struct {
	l                *loader
	t                map[string]any
	file, path, rule string
	where            positions
	failed           bool
}

// wrong reports what is wrong with a key.
func (r *reader) wrong(key, format string, args ...any) {
	r.failed = true
	r.l.problem(r.file, r.where.of(r.path+"/"+key), r.rule, format, args...)
}

func (r *reader) text(key string) string {
	switch v := r.t[key].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		r.wrong(key, "%s is no text", key)
		return ""
	}
}

func (r *reader) number(key string) float64 {
	switch v := r.t[key].(type) {
	case nil:
		return 0
	case int64:
		if v >= -1<<30 && v <= 1<<30 {
			return float64(v)
		}
	case float64:
		if v >= -1<<30 && v <= 1<<30 {
			return v
		}
	}
	r.wrong(key, "%s is no number of use", key)
	return 0
}

func (r *reader) flag(key string) bool {
	v, ok := r.t[key].(bool)
	if !ok && r.t[key] != nil {
		r.wrong(key, "%s is neither true nor false", key)
	}
	return v
}

// texts takes a list, or one text for a list of it.
func (r *reader) texts(key string) []string {
	switch v := r.t[key].(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				r.wrong(key, "%s holds something else than texts", key)
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	r.wrong(key, "%s is no list", key)
	return nil
}

// tables takes a list of tables, or one table.
func tables(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var out []map[string]any
		for _, e := range v {
			if t, ok := e.(map[string]any); ok {
				out = append(out, t)
			}
		}
		return out
	}
	return nil
}

func tooMany(name string) error {
	return fmt.Errorf("%s has more than %d rules: %w", name, MaxRules, bulwark.ErrLimit)
}
