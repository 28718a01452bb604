package chart

import (
	"reflect"
	"strings"
	"time"

	"bulwark"
)

// The most that a rendering may take.
const (
	maxText   = 8 << 20  // bytes of one text that a function makes
	maxOutput = 32 << 20 // bytes that one chart's templates write
	maxWeight = 1 << 20  // values in one value
	maxBytes  = 16 << 20 // bytes of the texts in one value
	maxNested = 400      // how deep values nest
	maxCalls  = 512      // how deep templates call each other
	maxSteps  = 1 << 20  // actions and rounds of loops
	maxRound  = 1 << 17  // elements of a list that a function makes
	maxParsed = 1 << 17  // values in a text that is read as YAML, JSON or TOML, or written so
	perStep   = 64       // bytes that one step may make: all that a template makes is 64 MB
	maxTpl    = 4 << 20  // bytes of the texts that are given to tpl
	maxTokens = 1 << 19  // words and signs in the actions of all templates
)

// Budget is what all charts of one folder may take together.
type Budget struct {
	bytes, packed  int64 // of files, and of those in archives
	values         int   // in values files
	output, tokens int   // of templates
	time           time.Duration
}

// NewBudget is the budget of one scan.
func NewBudget() *Budget {
	return &Budget{bytes: 8 * maxChart, packed: maxChart, values: 32 * maxParsed, output: 2 * maxOutput, tokens: 4 * maxTokens, time: time.Minute}
}

// excess is what would take too much.
type excess struct{ what string }

func (e *excess) Error() string        { return e.what + ": " + bulwark.ErrLimit.Error() }
func (e *excess) Is(target error) bool { return target == bulwark.ErrLimit }

func tooMuch(what string) error { return &excess{what} }

// weigh refuses a value that has no end, or is too large to be written: lists and maps that
// hold each other many times are small in memory and endless on paper.
func weigh(v any) error {
	s := scale{}
	return s.put(v, 0)
}

type scale struct{ values, bytes int }

func (s *scale) put(v any, depth int) error {
	if s.values++; s.values > maxWeight || s.bytes > maxBytes || depth > maxNested {
		return tooMuch("a value that is too large, too deep or holds itself")
	}
	switch t := v.(type) {
	case nil, bool, int, int64, float64:
		return nil
	case string:
		s.bytes += len(t)
		return nil
	case []byte:
		s.bytes += len(t)
		return nil
	case map[string]any:
		return s.mapping(t, depth)
	case Values:
		return s.mapping(t, depth)
	case []any:
		for _, item := range t {
			if err := s.put(item, depth+1); err != nil {
				return err
			}
		}
		return nil
	case []string:
		for _, item := range t {
			s.bytes += len(item)
		}
		s.values += len(t)
		return nil
	}
	return s.other(v, depth)
}

func (s *scale) mapping(m map[string]any, depth int) error {
	for k, item := range m {
		s.bytes += len(k)
		if err := s.put(item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// other weighs maps and lists of other types; anything else cannot hold what templates make.
func (s *scale) other(v any, depth int) error {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Map:
		for _, k := range r.MapKeys() {
			if err := s.put(r.MapIndex(k).Interface(), depth+1); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range r.Len() {
			if err := s.put(r.Index(i).Interface(), depth+1); err != nil {
				return err
			}
		}
	case reflect.String:
		s.bytes += r.Len()
	}
	return nil
}

// bounded makes a function tell what it costs: every call is a step, its arguments are
// weighed where it copies or writes them, and so is a text that it gives.
func (r *renderer) bounded(name string, f any) any {
	v := reflect.ValueOf(f)
	t := v.Type()
	fails := t.NumOut() == 2
	out := []reflect.Type{t.Out(0)}
	errorType := reflect.TypeFor[error]()
	heavy := expands[name]
	made := reflect.FuncOf(ins(t), append(out, errorType), t.IsVariadic())
	return reflect.MakeFunc(made, func(args []reflect.Value) []reflect.Value {
		r.steps += cost(args)
		err := r.step()
		if err == nil {
			err = affordable(name, args)
		}
		if err == nil && heavy {
			err = r.weighAll(name, args)
		}
		if err != nil {
			return []reflect.Value{reflect.Zero(t.Out(0)), reflect.ValueOf(&err).Elem()}
		}
		var res []reflect.Value
		if t.IsVariadic() {
			res = v.CallSlice(args)
		} else {
			res = v.Call(args)
		}
		if fails && !res[1].IsNil() {
			return res
		}
		if err := r.settled(name, args, res[0]); err != nil {
			return []reflect.Value{reflect.Zero(t.Out(0)), reflect.ValueOf(&err).Elem()}
		}
		return []reflect.Value{res[0], reflect.Zero(errorType)}
	}).Interface()
}

func ins(t reflect.Type) []reflect.Type {
	list := make([]reflect.Type, t.NumIn())
	for i := range list {
		list[i] = t.In(i)
	}
	return list
}

// weighAll refuses arguments that are too large, and counts what going through them, copying
// or writing them takes.
func (r *renderer) weighAll(name string, args []reflect.Value) error {
	s := scale{}
	for _, a := range args {
		if err := s.put(a.Interface(), 0); err != nil {
			return err
		}
	}
	if copies[name] {
		r.steps += s.values
	}
	r.steps += s.values>>5 + s.bytes>>10
	if writes[name] && s.values > maxParsed {
		return tooMuch(name)
	}
	return r.within()
}

// settled refuses what a call made when it is too large. A merge that made a map hold
// itself is undone as far as that goes.
func (r *renderer) settled(name string, args []reflect.Value, res reflect.Value) error {
	if err := r.made(name, res); err != nil {
		return err
	}
	if merges[name] {
		to, _ := table(args[0].Interface())
		if err := weigh(to); err != nil {
			clear(to)
			return err
		}
	}
	return small(res)
}

// made counts what a call made.
func (r *renderer) made(name string, v reflect.Value) error {
	if v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		r.steps += v.Len() / perStep
	case reflect.Slice:
		r.steps += v.Len() * int(v.Type().Elem().Size()) / perStep
	}
	if parses[name] {
		s := scale{}
		if err := s.put(v.Interface(), 0); err != nil {
			return err
		}
		r.steps += s.values
	}
	return r.within()
}

// copies are the functions whose result is as large as what they are given, parses those that
// make values of a text, writes those that make a text of values by way of a tree.
var (
	copies = words("deepCopy mustDeepCopy merge mergeOverwrite mustMerge mustMergeOverwrite concat values sortAlpha toStrings uniq mustUniq without mustWithout")
	parses = words("fromYaml fromYamlArray fromJson fromJsonArray mustFromJson fromToml")
	writes = words("toYaml toYamlPretty toToml toJson mustToJson toPrettyJson mustToPrettyJson toRawJson mustToRawJson")
)

var merges = words("merge mergeOverwrite mustMerge mustMergeOverwrite")

// small refuses a text that is too long, and a list.
func small(v reflect.Value) error {
	if v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() > maxText {
			return tooMuch("a text of more than 8 MB")
		}
	case reflect.Slice:
		if v.Len() > maxRound && v.Type().Elem().Kind() != reflect.Uint8 || v.Len() > maxText {
			return tooMuch("a list that is too long")
		}
	}
	return nil
}

// expands names the functions that write values as text, copy them, or put them into
// others: what they are given is weighed before.
var expands = words("toYaml toYamlPretty toJson mustToJson toPrettyJson mustToPrettyJson toRawJson mustToRawJson toToml print printf println html js urlquery toString toStrings quote squote cat join " +
	"deepCopy mustDeepCopy merge mergeOverwrite mustMerge mustMergeOverwrite deepEqual list tuple dict append mustAppend push mustPush prepend mustPrepend concat uniq mustUniq without mustWithout has mustHas compact mustCompact " +
	"sortAlpha trim b64enc b32enc wrap wrapWith urlJoin values pluck pick omit chunk mustChunk slice mustSlice coalesce default ternary reverse mustReverse fail required")

func words(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

func repeat(n int, s string) (string, error) {
	if n > 0 && n > maxText/max(1, len(s)) {
		return "", tooMuch("repeat")
	}
	return strings.Repeat(s, max(n, 0)), nil
}

func indent(n int, s string) (string, error) {
	if n > 10_000 || n*(1+strings.Count(s, "\n")) > maxText {
		return "", tooMuch("indent")
	}
	pad := strings.Repeat(" ", max(n, 0))
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad), nil
}

func nindent(n int, s string) (string, error) {
	out, err := indent(n, s)
	return "\n" + out, err
}

func replace(old, with, s string) (string, error) {
	if n := strings.Count(s, old); n > 0 && len(with) > maxText/n {
		return "", tooMuch("replace")
	}
	return strings.ReplaceAll(s, old, with), nil
}

// set puts a value into a map. One that would then hold itself, or be too large, is left
// as it was.
func set(m map[string]any, key string, v any) (map[string]any, error) {
	old, had := m[key]
	m[key] = v
	err := weigh(m)
	if err == nil {
		return m, nil
	}
	delete(m, key)
	if had {
		m[key] = old
	}
	return nil, err
}

// cost is what the size of texts and lists adds to a step.
func cost(args []reflect.Value) int {
	n := 0
	for _, a := range args {
		if a.Kind() == reflect.Interface && !a.IsNil() {
			a = a.Elem()
		}
		switch a.Kind() {
		case reflect.String:
			n += a.Len() >> 10
		case reflect.Slice:
			n += a.Len() >> 3
		}
	}
	return n
}

// affordable refuses calls that would make far more of what they are given, or compare all
// of it with all of it.
func affordable(name string, args []reflect.Value) error {
	name = strings.TrimPrefix(strings.ToLower(name), "must")
	size := func(i int) int {
		if i >= len(args) {
			return 0
		}
		a := args[i]
		if a.Kind() == reflect.Interface && !a.IsNil() {
			a = a.Elem()
		}
		switch a.Kind() {
		case reflect.String, reflect.Slice, reflect.Map:
			return a.Len()
		}
		return 0
	}
	text := func(i int) string { return args[i].String() }
	much := false
	switch name {
	case "regexreplaceall", "regexreplaceallliteral":
		most := size(2)*(size(1)+1) + strings.Count(text(2), "$")*size(1)
		much = size(0) > maxPattern || most > 8*maxText
	case "regexmatch", "regexfind":
		much = size(0) > maxPattern
	case "regexfindall", "regexsplit":
		much = size(0) > maxPattern || size(1) > maxText/8
	case "printf":
		much = printed(args) > maxText
	case "fromyaml", "fromyamlarray", "fromjson", "fromjsonarray", "fromtoml":
		much = dense([]byte(text(0))) > maxParsed
	case "join":
		much = size(0)*size(1) > maxText
	case "wrapwith":
		much = size(1)*size(2) > maxText
	case "trimall":
		much = size(0) > maxPattern
	case "split", "splitlist":
		much = strings.Count(text(1), text(0)) > maxRound/8
	case "splitn":
		much = strings.Count(text(2), text(0)) > maxRound/8
	case "uniq", "without":
		much = size(0) > 4096 || size(1) > 4096
	case "semver", "semvercompare", "todate", "duration", "durationround", "snakecase", "camelcase", "kebabcase":
		much = size(0) > 1<<20 || size(1) > 1<<20
	}
	if much {
		return tooMuch(name)
	}
	return nil
}

// printed is how many bytes printf may write: each verb may name an argument anew, and make
// it as wide as it likes.
func printed(args []reflect.Value) int {
	format := args[0].String()
	wide, digits := 0, 0
	for i := range len(format) {
		if c := format[i]; c >= '0' && c <= '9' {
			digits = min(digits*10+int(c-'0'), 1_000_000)
			wide = max(wide, digits)
			continue
		}
		digits = 0
	}
	s := scale{}
	for i := range args[1].Len() {
		v := args[1].Index(i).Interface()
		if s.put(v, 0) != nil {
			return maxText + 1
		}
		if n, ok := v.(int); ok && strings.Contains(format, "*") {
			wide = max(wide, min(n, 1_000_000))
		}
	}
	verbs := strings.Count(format, "%")
	once := s.bytes + 8*s.values
	if strings.Contains(format, "[") && verbs > 0 {
		once = min(once, maxText) * verbs
	}
	return len(format) + min(verbs, 1<<20)*wide + once
}

// tokens is how many words and signs the actions of a template have, roughly; each takes 60
// bytes or more when it is parsed.
func tokens(text string) int {
	n := 0
	for {
		i := strings.Index(text, "{{")
		if i < 0 {
			return n
		}
		text = text[i+2:]
		end := strings.Index(text, "}}")
		if end < 0 {
			end = len(text)
		}
		n += 4
		for i := 1; i < end; i++ {
			switch text[i] {
			case ' ', '.', '|', '(', '\t', '\n':
				n++
			}
		}
		text = text[end:]
	}
}

// dense is how many values a text of YAML, JSON or TOML may have, roughly.
func dense(text []byte) int {
	n := 0
	for _, c := range text {
		switch c {
		case ',', '\n', '[', '{', ':':
			n++
		}
	}
	return n
}

const maxPattern = 4096 // bytes of a regular expression, or of a set of letters
