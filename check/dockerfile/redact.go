package dockerfile

import (
	"regexp"
	"strings"
	"sync"

	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
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

// masks are what may hold a secret, and what is shown of it.
var masks = sync.OnceValue(func() []mask {
	return []mask{
		{regexp.MustCompile(`://[^/@\s]*@`), "://***@"},
		{regexp.MustCompile(`(?i)\b(authorization|private-token|job-token|x-api-key)(["']?\s*[:=]\s*)[^"']+`), "$1$2***"},
		{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}`), "$1 ***"},
		{regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|credential)[a-z0-9_-]*["']?\s?[=:]\s?["']?)[^\s"'$&;|][^\s"'&;|]*`), "$1***"},
		{regexp.MustCompile(`(--(?:password|token|secret|pass|passphrase|api-key|apikey|auth-token)[ =])["']?[^\s"'$-]\S*`), "$1***"},
		{regexp.MustCompile(`(\s(?:-u|--user)[ =]?["']?[^\s:"'${]+:)[^\s"'$]+`), "$1***"},
		{regexp.MustCompile(`\b(gh[pousr]_|github_pat_|glpat-|xox[baprs]-|AKIA|ASIA|sk_live_|rk_live_|npm_|pypi-|dckr_pat_|hvs\.|AIza)[A-Za-z0-9_-]{8,}`), "$1***"},
	}
})

type mask struct {
	re   *regexp.Regexp
	with string
}

// redact hides what may be a secret in a text that is shown.
func redact(s string) string {
	if len(s) > 8*mostText {
		s = strings.ToValidUTF8(s[:8*mostText], "")
	}
	const sudoers = "NOPASS\x00WD" // no password, and no secret
	s = strings.ReplaceAll(s, "NOPASSWD", sudoers)
	for _, m := range masks() {
		s = m.re.ReplaceAllString(s, m.with)
	}
	return strings.ReplaceAll(s, sudoers, "NOPASSWD")
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
