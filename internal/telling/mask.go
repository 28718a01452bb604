package telling

import (
	"regexp"
	"strings"
	"sync"
)

// masks are what may hold a secret, and what is shown of it.
var masks = sync.OnceValue(func() []mask {
	return []mask{
		{[]string{"://"}, regexp.MustCompile(`://[^/@\s]*@`), "://***@"},
		{[]string{"authorization", "private-token", "job-token", "x-api-key"}, regexp.MustCompile(`(?i)\b(authorization|private-token|job-token|x-api-key)(\\*["']?\s*[:=]\s*(?:\\*["'])?)(?:[^"'\\\r\n]|\\+[^"'\\\r\n])+`), "$1$2***"},
		{[]string{"bearer", "basic"}, regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}`), "$1 ***"},
		{names, regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|credential)[a-z0-9_-]*(?:\\*["'])?[ \t]?[=:][ \t]?(?:\\*["'])?)(?:[^\s"'$&;|\\]|\\+[^\s"'\\])(?:[^\s"'&;|\\]|\\+[^\s"'\\])*`), "$1***"},
		{[]string{"--"}, regexp.MustCompile(`(--(?:password|token|secret|pass|passphrase|api-key|apikey|auth-token)[ =])["']?[^\s"'$-]\S*`), "$1***"},
		{[]string{"-u", "--user"}, regexp.MustCompile(`(\s(?:-u|--user)[ =]?["']?[^\s:"'${]+:)[^\s"'$]+`), "$1***"},
		{[]string{"base64"}, regexp.MustCompile(`[A-Za-z0-9+/]{16,}={0,2}(["']?\s*\|\s*(?:openssl\s+)?base64\b)`), "***$1"},
		{[]string{"?", "&"}, regexp.MustCompile(`(?i)([?&][a-z0-9_.-]*(?:key|token|secret|sig|signature|auth|password|passwd|pwd|pass|credential|code)=)[^\s"'&$]{4,}`), "$1***"},
		{prefixes, regexp.MustCompile(`\b(gh[pousr]_|github_pat_|glpat-|xox[baprs]-|AKIA|ASIA|sk_live_|rk_live_|npm_|pypi-|dckr_pat_|hvs\.|AIza)[A-Za-z0-9_-]{8,}`), "$1***"},
	}
})

type mask struct {
	needs []string // one of these is in every match, in lower case
	re    *regexp.Regexp
	with  string
}

// Mask hides what may be a secret in a text that is shown.
func Mask(s string) string {
	const sudoers = "NOPASS\x00WD" // no password, and no secret
	s = strings.ReplaceAll(s, "NOPASSWD", sudoers)
	lower, ascii := lowered(s)
	for _, m := range masks() {
		if ascii && !needed(lower, m.needs) {
			continue
		}
		s = m.re.ReplaceAllStringFunc(s, func(found string) string {
			if i := strings.LastIndexAny(found, "=: "); harmless[strings.ToLower(strings.Trim(found[i+1:], `\"',;)`))] {
				return found
			}
			return m.re.ReplaceAllString(found, m.with)
		})
	}
	return strings.ReplaceAll(s, sudoers, "NOPASSWD")
}
