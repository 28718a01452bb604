package dockerfile

import (
	"path"
	"strings"
)

// Script is what a shell would run.
type Script struct {
	// Commands are the simple commands, in order, those inside of substitutions and of
	// "sh -c" included.
	Commands []Command
	// Guessed is true when the text is no shell that can be parsed: the commands are then
	// what a tolerant splitter makes of it.
	Guessed bool
	// Text is what the shell is given.
	Text string
}

// Command is a simple command.
type Command struct {
	// Name is the program without folder and without the wrappers in front of it: "curl"
	// for "sudo -E /usr/bin/curl". "" when it is a variable.
	Name string
	// Args are the arguments behind the name: quotes taken away, variables replaced where
	// the Dockerfile gives them a value, else as written; substitutions as written.
	Args []string
	// Wrappers are sudo, env, exec and the like, in front of the name.
	Wrappers []string
	// Assigns are the variables set for it: GOSUMDB=off.
	Assigns []Assign
	// Redirects are those of its statement.
	Redirects []Redirect
	Line      int
	// Depth is in how many "sh -c", evaluated strings or substitutions it stands.
	Depth int
	// Within is the index of the command in whose arguments it stands as a substitution, or
	// whose "-c" it is; -1 for none.
	Within int
	// Quoted is true for commands of a string that a shell is given, not of a substitution.
	Quoted bool

	pipes []pipe
}

// Assign is NAME=value.
type Assign struct{ Name, Value string }

// Redirect is ">file" and the like.
type Redirect struct{ Op, Target string }

// pipe says in which element of which pipeline a command stands.
type pipe struct{ id, element int }

// Feeds tells whether c's output can reach d through a pipe.
func (c *Command) Feeds(d *Command) bool {
	for _, p := range c.pipes {
		for _, q := range d.pipes {
			if p.id == q.id && p.element < q.element {
				return true
			}
		}
	}
	return false
}

// Piped tells whether it stands in a pipeline, and not as its last element.
func (s *Script) Piped(c *Command) bool {
	for i := range s.Commands {
		if c.Feeds(&s.Commands[i]) {
			return true
		}
	}
	return false
}

// Has tells whether one of the arguments is given.
func (c *Command) Has(args ...string) bool {
	for _, a := range c.Args {
		for _, want := range args {
			if a == want {
				return true
			}
		}
	}
	return false
}

// Operands are the arguments that are no flags: all behind "--", and before it those
// without a dash. Values of flags that stand apart are among them, unless named.
func (c *Command) Operands(valued ...string) []string {
	var out []string
	for i := 0; i < len(c.Args); i++ {
		a := c.Args[i]
		switch {
		case a == "--":
			return append(out, c.Args[i+1:]...)
		case len(a) < 2 || a[0] != '-':
			out = append(out, a)
		case isOneOf(a, valued):
			i++
		}
	}
	return out
}

// Value gives the value of a flag: "--x=v", "--x v"; and "-xv" for a single letter.
func (c *Command) Value(flags ...string) (string, bool) {
	for i, a := range c.Args {
		for _, f := range flags {
			if v, ok := strings.CutPrefix(a, f+"="); ok {
				return v, true
			}
			if a == f && i+1 < len(c.Args) {
				return c.Args[i+1], true
			}
			if len(f) == 2 && len(a) > 2 && strings.HasPrefix(a, f) && a[1] != '-' {
				return a[2:], true
			}
		}
	}
	return "", false
}

func isOneOf(s string, list []string) bool {
	for _, l := range list {
		if s == l {
			return true
		}
	}
	return false
}

// wrappers run the command behind them; the value says which of their flags take a value
// that stands apart, and operands how many words come before the command.
var wrappers = map[string]struct {
	valued   string
	operands int
}{
	"sudo": {"-u -g -h -p -C -T -U -r -t --user --group", 0}, "doas": {"-u -C", 0}, "env": {"-u -C -S --unset --chdir", 0}, "exec": {"-a", 0}, "command": {}, "builtin": {}, "nohup": {}, "time": {"-f -o", 0},
	"nice": {"-n", 0}, "ionice": {"-c -n", 0}, "eatmydata": {}, "xargs": {"-n -I -P -L -d -a -s -E", 0}, "stdbuf": {"-i -o -e", 0}, "timeout": {"-s -k", 1}, "gosu": {"", 1}, "su-exec": {"", 1}, "chroot": {"", 1},
	"setarch": {"", 1}, "linux32": {}, "linux64": {}, "unbuffer": {}, "if": {}, "then": {}, "elif": {}, "else": {}, "while": {}, "until": {}, "do": {}, "!": {},
}

// name settles Name, Wrappers and Args from the words of a command.
func (c *Command) name(words []string) {
	for len(words) > 0 {
		base := words[0]
		if strings.HasPrefix(base, "$") {
			c.Args = words[1:]
			return
		}
		base = path.Base(base)
		w, ok := wrappers[base]
		rest := words[1:]
		if ok {
			rest = c.unwrap(rest, strings.Fields(w.valued), w.operands)
		}
		if !ok || len(rest) == 0 {
			c.Name, c.Args = base, words[1:]
			return
		}
		c.Wrappers = append(c.Wrappers, base)
		words = rest
	}
}

// unwrap drops flags, assignments and operands of a wrapper.
func (c *Command) unwrap(words, valued []string, operands int) []string {
	for len(words) > 0 {
		w := words[0]
		switch name, value, ok := strings.Cut(w, "="); {
		case strings.HasPrefix(w, "-"):
			if isOneOf(w, valued) && len(words) > 1 {
				words = words[1:]
			}
		case ok && isName(name):
			c.Assigns = append(c.Assigns, Assign{name, value})
		case operands > 0:
			operands--
		default:
			return words
		}
		words = words[1:]
	}
	return nil
}

func isName(s string) bool {
	for i := range len(s) {
		b := s[i]
		if b != '_' && (b|0x20 < 'a' || b|0x20 > 'z') && (i == 0 || b < '0' || b > '9') {
			return false
		}
	}
	return s != ""
}
