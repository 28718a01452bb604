package dockerfile

import (
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

const (
	maxScript   = 64 << 10 // bytes of one script that are parsed as a shell does; longer ones are split
	maxNesting  = 500      // brackets and the like of one script; more is no script of a person
	maxDepth    = 4        // strings in strings that are scripts
	maxCommands = 5000     // of one script
)

// script reads what an instruction runs.
func (r *reader) script(i *Instruction) *Script {
	args := i.Args
	switch i.Name {
	case "run", "cmd", "entrypoint":
	case "healthcheck":
		if len(args) < 2 {
			return nil
		}
		args = args[1:]
	default:
		return nil
	}
	if r.stage != nil && r.stage.Windows || len(args) == 0 {
		return nil
	}
	w := &walker{script: &Script{}, vars: i.vars, budget: &r.scripts, where: i.text}
	if i.JSON {
		w.script.Text = strings.Join(args, " ")
		if at := w.command(args, nil, nil, 0); at >= 0 {
			w.inner(at, args, nil)
		}
		return w.script
	}
	text, base := i.shellText(args[0])
	w.script.Text = text
	w.run(text, base)
	return w.script
}

// shellText is what the shell of an instruction reads, and where it begins in i.text.
// A here-document that is the whole command is the script itself.
func (i *Instruction) shellText(cmd string) (string, int) {
	joined := strings.TrimRight(i.text.text, " \t\r\n\v\f")
	base := max(0, len(joined)-len(cmd))
	if len(i.Heredocs) == 0 {
		return cmd, base
	}
	if only := strings.TrimLeft(cmd, "0123456789<-\"' \t"); len(i.Heredocs) == 1 && strings.TrimRight(only, "\"' \t") == i.Heredocs[0].Name {
		base = len(i.text.text)
		i.text.append(i.Heredocs[0].Data, i.Heredocs[0].Line)
		if sb, _, _ := strings.Cut(i.Heredocs[0].Data, "\n"); strings.HasPrefix(sb, "#!") && !isShell(path.Base(lastField(sb))) {
			return "", base // a script in another language
		}
		return i.Heredocs[0].Data, base
	}
	i.text.text = joined
	i.text.append("\n", i.text.next-1)
	for _, h := range i.Heredocs {
		i.text.append(h.Data+h.Name+"\n", h.Line)
	}
	return i.text.text[base:], base
}

func lastField(s string) string {
	f := strings.Fields(s)
	if len(f) == 0 {
		return ""
	}
	return f[len(f)-1]
}

// walker collects commands.
type walker struct {
	script *Script
	vars   vars
	budget *int
	where  *source
	src    string // what is parsed now
	base   int    // where that begins in where
	pipes  []pipe
	ids    int
	depth  int
	within int // index plus one
	quoted bool
}

// run parses a script that begins at base.
func (w *walker) run(text string, base int) {
	src, was := w.src, w.base
	defer func() { w.src, w.base = src, was }()
	w.src, w.base = text, base
	if *w.budget -= len(text); *w.budget < 0 || len(text) > maxScript || nesting(text) > maxNesting {
		w.script.Guessed = true
		w.split(text)
		return
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		w.script.Guessed = true
		w.split(text)
		return
	}
	w.statements(file.Stmts)
}

// nesting bounds how deep a text can nest: the parser recurses.
func nesting(text string) int {
	n := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '{', '`', '[':
			n++
		}
	}
	for _, word := range []string{"if", "while", "until", "for", "case", "!", "time", "coproc", "function", "select"} {
		n += strings.Count(text, word+" ") + strings.Count(text, word+"\n") + strings.Count(text, word+"\t")
	}
	return n
}

func (w *walker) statements(list []*syntax.Stmt) {
	for _, s := range list {
		w.node(s)
	}
}

// node walks down to simple commands.
func (w *walker) node(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			if call, ok := n.Cmd.(*syntax.CallExpr); ok {
				w.call(call, n.Redirs)
				return false
			}
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				w.pipeline(n)
				return false
			}
		case *syntax.DeclClause:
			w.declare(n)
			return false
		case *syntax.CmdSubst:
			w.substitution(n.Stmts)
			return false
		case *syntax.ProcSubst:
			w.substitution(n.Stmts)
			return false
		}
		return true
	})
}

// pipeline walks the elements of a | b | c, whichever way they are bracketed.
func (w *walker) pipeline(b *syntax.BinaryCmd) {
	w.ids++
	id, element := w.ids, 0
	outer := w.pipes
	for _, s := range elements(b, nil) {
		w.pipes = append(outer[:len(outer):len(outer)], pipe{id, element})
		w.node(s)
		element++
	}
	w.pipes = outer
}

func elements(b *syntax.BinaryCmd, list []*syntax.Stmt) []*syntax.Stmt {
	for _, s := range []*syntax.Stmt{b.X, b.Y} {
		inner, ok := s.Cmd.(*syntax.BinaryCmd)
		if ok && (inner.Op == syntax.Pipe || inner.Op == syntax.PipeAll) && len(s.Redirs) == 0 {
			list = elements(inner, list)
			continue
		}
		list = append(list, s)
	}
	return list
}

// call takes a simple command and what is inside of its words.
func (w *walker) call(call *syntax.CallExpr, redirs []*syntax.Redirect) {
	var assigns []Assign
	for _, a := range call.Assigns {
		if a.Name != nil {
			assigns = append(assigns, Assign{a.Name.Value, w.word(a.Value)})
		}
	}
	words := make([]string, 0, len(call.Args))
	for _, a := range call.Args {
		words = append(words, w.word(a))
	}
	at := w.command(words, assigns, w.redirects(redirs), int(call.Pos().Offset()))
	if at < 0 {
		return
	}
	outer := w.within
	w.within = at + 1
	for _, a := range call.Assigns {
		w.parts(a.Value)
	}
	for _, a := range call.Args {
		w.parts(a)
	}
	for _, r := range redirs {
		w.parts(r.Word)
		w.parts(r.Hdoc)
	}
	w.within = outer
	w.strings(at, call.Args)
	w.documents(at, redirs)
}

// parts walks the substitutions in a word.
func (w *walker) parts(word *syntax.Word) {
	if word != nil {
		w.node(word)
	}
}

func (w *walker) substitution(list []*syntax.Stmt) {
	pipes, quoted := w.pipes, w.quoted
	w.pipes, w.quoted = nil, false
	w.depth++
	w.statements(list)
	w.depth--
	w.pipes, w.quoted = pipes, quoted
}

// declare takes export, local, declare and readonly.
func (w *walker) declare(d *syntax.DeclClause) {
	words := []string{d.Variant.Value}
	for _, a := range d.Args {
		switch {
		case a.Name == nil:
			words = append(words, w.word(a.Value))
		case a.Naked:
			words = append(words, a.Name.Value)
		default:
			words = append(words, a.Name.Value+"="+w.word(a.Value))
		}
	}
	w.command(words, nil, nil, int(d.Pos().Offset()))
	for _, a := range d.Args {
		w.parts(a.Value)
	}
}

// command adds a command of these words, and gives its index, -1 for none.
func (w *walker) command(words []string, assigns []Assign, redirects []Redirect, offset int) int {
	if len(w.script.Commands) >= maxCommands || len(words)+len(assigns)+len(redirects) == 0 {
		return -1
	}
	c := Command{Assigns: assigns, Redirects: redirects, Line: w.where.line(w.base + offset), Depth: w.depth, Within: w.within - 1, Quoted: w.quoted, pipes: w.pipes}
	c.name(words)
	w.script.Commands = append(w.script.Commands, c)
	return len(w.script.Commands) - 1
}

// strings reads the script that a shell is given with -c.
func (w *walker) strings(at int, args []*syntax.Word) {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = w.word(a)
	}
	w.inner(at, words, args)
}

// inner runs the script in the words of a command "sh -c SCRIPT", "su -c SCRIPT" or "eval SCRIPT".
func (w *walker) inner(at int, words []string, args []*syntax.Word) {
	c := &w.script.Commands[at]
	i := -1
	switch {
	case isShell(c.Name) || c.Name == "su" || c.Name == "runuser":
		i = dashC(words)
	case c.Name == "eval" && len(c.Args) == 1:
		i = len(words) - 1
	}
	if i < 0 || w.depth >= maxDepth {
		return
	}
	base := w.base
	if args != nil {
		base += int(args[i].Pos().Offset()) + 1 // behind the quote
	}
	pipes, quoted, within := w.pipes, w.quoted, w.within
	w.quoted, w.within = true, at+1
	w.depth++
	text := words[i]
	if text == "" {
		text = " "
	}
	w.run(text, base)
	w.depth--
	w.pipes, w.quoted, w.within = pipes, quoted, within
}

// dashC is the index of the word behind -c (or -lc, -exc); -1 without one.
func dashC(words []string) int {
	for i := 1; i+1 < len(words); i++ {
		a := words[i]
		if len(a) > 1 && a[0] == '-' && a[1] != '-' && a[len(a)-1] == 'c' {
			return i + 1
		}
	}
	return -1
}

// documents reads the here-document that a shell is given as its script.
func (w *walker) documents(at int, redirs []*syntax.Redirect) {
	for _, r := range redirs {
		c := &w.script.Commands[at]
		if r.Hdoc == nil || !isShell(c.Name) || len(c.Operands()) > 0 || w.depth >= maxDepth {
			continue
		}
		w.depth++
		within, quoted := w.within, w.quoted
		w.within, w.quoted = at+1, true
		w.run(w.word(r.Hdoc), w.base+int(r.Hdoc.Pos().Offset()))
		w.within, w.quoted = within, quoted
		w.depth--
	}
}

// IsShell tells whether a program is a shell.
func IsShell(name string) bool { return isShell(name) }

func isShell(name string) bool {
	switch name {
	case "sh", "bash", "ash", "dash", "zsh", "ksh", "mksh", "fish":
		return true
	}
	return false
}

func (w *walker) redirects(list []*syntax.Redirect) []Redirect {
	var out []Redirect
	for _, r := range list {
		if r.Word != nil {
			out = append(out, Redirect{r.Op.String(), w.word(r.Word)})
		}
	}
	return out
}
