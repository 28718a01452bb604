package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// syntaxError is what is wrong in a condition or output, with where.
type syntaxError struct {
	pos     Pos
	text    string
	follows bool // from another that is told
	code    string
}

// What Falco calls problems of several places.
const (
	CodeInvalid    = "LOAD_ERR_VALIDATE"
	CodeForm       = "LOAD_ERR_YAML_VALIDATE"
	CodeCondition  = "LOAD_ERR_COMPILE_CONDITION"
	CodeOutput     = "LOAD_ERR_COMPILE_OUTPUT"
	CodeOdd        = "LOAD_COMPILE_CONDITION"
	CodeDeprecated = "LOAD_DEPRECATED_ITEM"
)

func (e *syntaxError) Error() string { return e.text }

// ops are the operators that are words and signs.
var ops = map[string]Op{
	"exists": Exists, "<": Less, "<=": LessEq, ">": Greater, ">=": GreaterEq, "=": Eq, "==": Eq, "!=": NotEq,
	"bcontains": BContains, "bstartswith": BStartsWith, "contains": Contains, "endswith": EndsWith, "glob": Glob,
	"icontains": IContains, "iglob": IGlob, "startswith": StartsWith, "regex": Regex,
	"in": In, "intersects": Intersects, "pmatch": PMatch,
}

var modifiers = map[string]Modifier{"oneof": OneOf, "anyof": AnyOf, "allof": AllOf}

// transformers say how many arguments they have at least and at most.
var transformers = map[string][2]int{
	"tolower": {1, 1}, "toupper": {1, 1}, "b64": {1, 1}, "basename": {1, 1}, "len": {1, 1},
	"join": {1, 64}, "concat": {1, 64}, "getopt": {1, 64},
}

// IsCall tells whether a text looks like a transformer, or val(), of something.
func IsCall(s string) bool {
	name, _, ok := strings.Cut(s, "(")
	_, known := transformers[name]
	return ok && strings.HasSuffix(s, ")") && (known || name == "val")
}

// String is the operator as it is written.
func (o Op) String() string {
	for _, name := range slices.Sorted(maps.Keys(ops)) {
		if ops[name] == o {
			return name
		}
	}
	return ""
}

// List tells whether the operator compares with a list by itself.
func (o Op) List() bool { return o == In || o == Intersects || o == PMatch }

func (o Op) number() bool { return o >= Less && o <= GreaterEq }

// modifiable tells whether the operator may have a modifier.
func (o Op) modifiable() bool { return o >= Eq && o <= Regex }

// String is the modifier as it is written.
func (m Modifier) String() string {
	for name, of := range modifiers {
		if of == m {
			return name
		}
	}
	return ""
}

// lexer stands in a text.
type lexer struct {
	text *text
	s    string // text.s
	i    int
	code string // of what is wrong in it
}

func (l *lexer) fail(at int, format string, args ...any) error {
	return &syntaxError{pos: l.text.place(at), text: fmt.Sprintf(format, args...), code: l.code}
}

func (l *lexer) pos() Pos { return l.text.place(l.i) }

func (l *lexer) rest() string { return l.s[l.i:] }

func (l *lexer) end() bool { return l.i >= len(l.s) }

// blank passes white space and tells whether there was any.
func (l *lexer) blank() bool {
	from := l.i
	for !l.end() && white(l.s[l.i]) {
		l.i++
	}
	return l.i > from
}

// sign passes c.
func (l *lexer) sign(c byte) bool {
	if l.end() || l.s[l.i] != c {
		return false
	}
	l.i++
	return true
}

// keyword passes a word that white space, a parenthesis or the end follows.
func (l *lexer) keyword(word string) bool {
	rest, ok := strings.CutPrefix(l.rest(), word)
	if !ok || rest != "" && rest[0] != '(' && !white(rest[0]) {
		return false
	}
	l.i += len(word)
	return true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// word is the name at the start of s.
func word(s string) string {
	i := 0
	for i < len(s) && (letter(s[i]) || i > 0 && (digit(s[i]) || s[i] == '_')) {
		i++
	}
	return s[:i]
}

// name is the name, with dots where it is one of a field, that the text goes on with.
func (l *lexer) name() string {
	n := len(word(l.rest()))
	for n > 0 && n < len(l.rest()) && l.rest()[n] == '.' {
		more := len(word(l.rest()[n+1:]))
		if more == 0 {
			break
		}
		n += 1 + more
	}
	return l.rest()[:n]
}

// bare passes and gives the text up to white space or one of the bytes of stop.
func (l *lexer) bare(stop string) string {
	from := l.i
	for !l.end() && !white(l.s[l.i]) && l.s[l.i] != '\v' && l.s[l.i] != '\f' && strings.IndexByte(stop, l.s[l.i]) < 0 {
		l.i++
	}
	return l.s[from:l.i]
}

const (
	stopsValue = `()"'=,`
	stopsArg   = `[]"'`
)

// quoted passes and gives a text in quotes; ok is false where none begins.
func (l *lexer) quoted() (s string, ok bool, err error) {
	if l.end() || l.s[l.i] != '"' && l.s[l.i] != '\'' {
		return "", false, nil
	}
	from, quote := l.i, l.s[l.i]
	for i := from + 1; i < len(l.s); i++ {
		switch l.s[i] {
		case '\\':
			i++
		case quote:
			l.i = i + 1
			s, wrong := unescape(l.s[from+1:i], quote)
			if wrong >= 0 {
				return "", true, l.fail(from+1+wrong, `%s is no escape; in quotes \\ \/ \b \f \n \r \t and the quote itself are`, quoteOf(l.s[from+1+wrong:from+3+wrong]))
			}
			return s, true, nil
		}
	}
	return "", true, l.fail(from, "the quote %c is not closed", quote)
}

// unescape resolves the escapes of what is in quotes; wrong is where one is that there is not, or -1.
func unescape(s string, quote byte) (out string, wrong int) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, -1
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			i++ // the closing quote is not escaped: there is one more
			switch c = s[i]; {
			case c == 'b':
				c = '\b'
			case c == 'f':
				c = '\f'
			case c == 'n':
				c = '\n'
			case c == 'r':
				c = '\r'
			case c == 't':
				c = '\t'
			case c == ' ':
				c = '\\' // as Falco does
			case c != '\\' && c != '/' && c != quote:
				return "", i - 1
			}
		}
		b.WriteByte(c)
	}
	return b.String(), -1
}

// number passes and gives a number; "" where none is.
func (l *lexer) number() string {
	s, i := l.rest(), 0
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		for i = 2; i < len(s) && (digit(s[i]) || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'f'); i++ {
		}
		if i > 2 {
			l.i += i
			return s[:i]
		}
	}
	i = 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	from := i
	if i = digits(s, i); i == from {
		return ""
	}
	if i < len(s) && s[i] == '.' {
		i = digits(s, i+1)
	}
	if i+2 < len(s) && s[i]|0x20 == 'e' && (s[i+1] == '+' || s[i+1] == '-') && digit(s[i+2]) {
		i = digits(s, i+2)
	}
	l.i += i
	return s[:i]
}

func digits(s string, i int) int {
	for i < len(s) && digit(s[i]) {
		i++
	}
	return i
}

// quoteOf is a text as errors show it: what a person wrote, short and without what terminals take for orders.
func quoteOf(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	q := fmt.Sprintf("%+q", s)
	if strings.Count(q, `\`) == 2*strings.Count(s, `\`)+strings.Count(s, `"`) {
		return `"` + s + `"`
	}
	return q
}
