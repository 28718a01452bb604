package dockerfile

import (
	"strings"

	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
	"bulwark/internal/telling"
)

const mostText = 200 // bytes of one text that is shown

// cut makes a text fit to be shown: short, on one line, without control characters.
func cut(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > mostText {
		s = strings.ToValidUTF8(s[:mostText], "") + "..."
	}
	return misconfig.Clean(s)
}

// redact hides what may be a secret in a text that is shown.
func redact(s string) string {
	if len(s) > 8*mostText {
		s = strings.ToValidUTF8(s[:8*mostText], "")
	}
	return telling.Mask(s)
}

// instructionText is an instruction as it is shown: values of ENV and ARG hidden where the
// name is that of a secret.
func instructionText(i *df.Instruction) string {
	if i.Name != "env" && i.Name != "arg" || len(i.Pairs) == 0 {
		return i.Text
	}
	var b strings.Builder
	b.WriteString(strings.ToUpper(i.Name))
	for _, p := range i.Pairs {
		b.WriteString(" " + p.Key)
		switch {
		case !p.HasValue:
		case isSecretName(p.Key) && p.Value != "":
			b.WriteString("=***")
		default:
			b.WriteString("=" + p.Value)
		}
	}
	return b.String()
}

// commandText is a command as it is shown: its line where that is short, else its words.
func (j *judge) commandText(c *df.Command) string {
	if c.Line >= 1 && c.Line <= len(j.file.Lines) {
		line := strings.TrimSpace(strings.TrimRight(j.file.Lines[c.Line-1], " \t\\`"))
		if len(line) <= mostText && (len(c.Args) == 0 || strings.Contains(line, lastWord(c))) {
			return line
		}
	}
	return strings.Join(append([]string{c.Name}, c.Args...), " ")
}

// lastWord is the last word of the last argument: a line that has it shows the command whole.
func lastWord(c *df.Command) string {
	f := strings.FieldsFunc(c.Args[len(c.Args)-1], func(r rune) bool { return strings.ContainsRune(" \t\"'\\${}", r) })
	if len(f) == 0 {
		return ""
	}
	return f[len(f)-1]
}
