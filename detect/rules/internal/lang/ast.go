package lang

// Pos is where something stands: in a file of [Set.Files], at a line and column from 1. The zero Pos is nowhere.
type Pos struct {
	File, Line, Column int32
}

// Expr is a condition: one of *[And], *[Or], *[Not], *[Macro] and *[Check]. What macros stand for is shared by all
// that name them: the same node may be met on many ways, and nobody may change it.
type Expr interface{ Where() Pos }

// And is met when all of its terms are; there are two or more.
type And struct {
	Pos   Pos
	Terms []Expr
}

// Or is met when any of its terms is; there are two or more.
type Or struct {
	Pos   Pos
	Terms []Expr
}

// Not is met when its term is not; after Load its term is no Not.
type Not struct {
	Pos  Pos
	Term Expr
}

// Macro is the condition that a name stands for. After Load, Expr is never nil.
type Macro struct {
	Pos  Pos // of the name, where it is used
	Name string
	Expr Expr
}

// Check compares what is on its left with what is on its right.
type Check struct {
	Pos      Pos
	Left     Term // a *Field or a *Call
	Op       Op
	Modifier Modifier // Plain but where a list is compared with one by one
	// Values is the right side as literals, or none where Right is set or Op is Exists. An operator that compares with a
	// list (In, Intersects, PMatch, and any with a modifier) has any number of them, lists spliced in; all others
	// have exactly one. It is shared with others that name the same list: nobody may change it.
	Values []Value
	Empty  string // the list because of which there are no Values: it has no items
	Right  Term   // another field or transformer on the right side: a *Field (from val()) or a *Call; else nil
	OpPos  Pos    // of the operator
}

// Where is where the expression begins.
func (e *And) Where() Pos   { return e.Pos }
func (e *Or) Where() Pos    { return e.Pos }
func (e *Not) Where() Pos   { return e.Pos }
func (e *Macro) Where() Pos { return e.Pos }
func (e *Check) Where() Pos { return e.Pos }

// Term is what has a value: one of *[Field] and *[Call], and as arguments of a Call also *[Value] and *[List].
type Term interface{ Where() Pos }

// Field is a field of an event: proc.aname[2], evt.arg.flags, ka.val[/a/b].
type Field struct {
	Pos    Pos
	Name   string // with neither the brackets nor what is in them
	Arg    string // what is in the brackets, without quotes
	HasArg bool
	ArgPos Pos
}

// Call is a transformer of what its arguments give: tolower, toupper, b64, basename, len, join, concat, getopt.
// tolower, toupper, b64, basename and len have exactly one, a Field or Call; of the others nothing is checked here.
type Call struct {
	Pos  Pos
	Name string
	Args []Term // one or more
}

// Value is a literal: bare or quoted text, or a number as it is written. An operator on numbers has one that
// reads as a number (decimal with sign, point or exponent; or hexadecimal after 0x).
type Value struct {
	Text   string // without quotes, escapes resolved
	Quoted bool
	Pos    Pos
}

// List is an argument in parentheses: join(",", (proc.name, proc.pname)).
type List struct {
	Pos   Pos
	Items []Term // *Field, *Call or *Value; perhaps none
}

// Where is where the term begins.
func (t *List) Where() Pos  { return t.Pos }
func (t *Field) Where() Pos { return t.Pos }
func (t *Call) Where() Pos  { return t.Pos }
func (t *Value) Where() Pos { return t.Pos }

// Op is an operator.
type Op uint8

// The operators. == is read as Eq.
const (
	Exists Op = iota + 1
	Less
	LessEq
	Greater
	GreaterEq
	Eq
	NotEq
	BContains
	BStartsWith
	Contains
	EndsWith
	Glob
	IContains
	IGlob
	StartsWith
	Regex
	In
	Intersects
	PMatch
)

// Modifier makes an operator that compares with one value compare with each of a list, and says for how many of
// them it has to hold: "proc.name startswith anyof (kube-, etcd-)". With an empty list it never holds, whichever
// the modifier.
type Modifier uint8

// The modifiers. Only Eq, NotEq and the operators on text (BContains to Regex) have one.
const (
	Plain Modifier = iota
	OneOf          // exactly one
	AnyOf          // one or more
	AllOf          // all
)

// Piece is a part of an output: the text, or where Field is set what that field or transformer gives.
type Piece struct {
	Text  string // the literal text; of a field: as it is written, without %
	Term  Term   // *Field or *Call; nil: literal
	Width int    // the number after %, as in %20proc.name; 0: none
	Pos   Pos
}

// Output is a format of text, as rules have it.
type Output struct {
	Text   string // as it is written
	Pieces []Piece
	// Strict: the output does not begin with *; engines that print fields that are missing as <NA> all the same
	// ignore it.
	Strict bool
}

// Priority is how bad what a rule finds is: lower is worse.
type Priority uint8

// The priorities.
const (
	Emergency Priority = iota
	Alert
	Critical
	Error
	Warning
	Notice
	Informational
	Debug
)

// Rule is a rule after all overrides.
type Rule struct {
	Name      string
	Desc      string
	Source    string // "syscall" where none is given
	Priority  Priority
	Enabled   bool
	Tags      []string
	Condition Expr   // with what exceptions say: (condition) and not (exception or ...)
	Text      string // the condition as it is written, without exceptions
	// Exceptions are those that the rule has of its own or had appended, in the order in which they were first named.
	Exceptions []Exception
	Output     Output
	// WarnEventTypes: the user wants to hear that no kind of event is named.
	WarnEventTypes bool
	// SkipUnknown: with a field that nobody knows in its condition, output or exceptions, the rule is left out
	// with a warning and not an error.
	SkipUnknown bool
	// Action is what is done about it beside telling: "", "alert", "freeze", "kill" or "deny". Falco has no such key.
	Action     string
	Capture    bool  // what happened around is kept
	CaptureFor int64 // milliseconds after it; 0: the default

	Pos, ConditionPos, OutputPos, ActionPos Pos
}

// Exception is when a rule does not hold.
type Exception struct {
	Name string
	Expr Expr // nil: never, as it has no values yet
}

// Problem is something wrong, or with Warning odd, in the files.
type Problem struct {
	Pos     Pos
	Kind    string // of what Rule names: rule, macro, list; "": none
	Rule    string // the rule, macro or list that it is in; "": none
	Text    string
	Warning bool
	// Code is what Falco calls it: LOAD_UNUSED_LIST; "": nothing that it tells.
	Code string
	// Source is that of the rule, where its condition or output is wrong; engines that have no such events need not look at them.
	Source string
}

// Plugin is a plugin that files want.
type Plugin struct {
	Pos           Pos
	Name, Version string
	Alternatives  []Plugin
}

// Set is what files of rules say together. The rules that are in Rules are whole: their conditions hold no name of a
// macro or list any more, exceptions are part of them, and overrides were applied in the order of the files.
// What is wrong is in Problems and not in Rules.
type Set struct {
	Files    []string
	Rules    []*Rule // in the order in which they were first named; disabled ones too
	Problems []Problem
	Plugins  []Plugin
	Macros   []*Named // all, with whether any rule uses them
	Lists    []*Named
}

// Named is a macro or list.
type Named struct {
	Name string
	Pos  Pos
	Used bool
	Expr Expr    // of a macro
	Vals []Value // of a list
}
