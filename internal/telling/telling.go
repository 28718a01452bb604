// Package telling tells which lines of a file may hold the value of a secret. Diffs leave
// them out: they go where reports go.
package telling

import (
	"regexp"
	"strings"
	"sync"
)

var secretValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api_?key|access_?key|private_?key|signing_?key|encryption_?key|master_?key|credentials?)[a-z0-9_.-]*["']?(?:\s*[:=]\s*|\s+)["']?([^\s"']{3,})`)
})

var secretShape = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`://[^/@\s]*:[^/@\s]+@|-----BEGIN|\b(?:AKIA|ASIA)[A-Z0-9]{12}|\b(?:gh[opsu]_|github_pat_|glpat-|xox[abp]-|sk_live_|sk-|npm_|pypi-|hf_|dckr_pat_)\w{8}|\b(?:chpasswd|(?:useradd|usermod)\s.*-p)\b|(?i)authorization:|\bbearer\s|(?:\s|["'])(?:-u|--user)["',\s=]+[^\s:"'$]+:[^\s"'$]+|^\s*[A-Za-z0-9+/_-]{40,}={0,2}\s*$`)
})

// harmless are values behind such names that are none of secrets.
var harmless = map[string]bool{"true": true, "false": true, "write": true, "read": true, "none": true, "inherit": true, "required": true, "null": true, "yes": true, "type=secret": true, "default": true}

// Line tells whether a line may hold the value of a secret, or a part of one that has
// several lines.
func Line(line string) bool {
	if mayHaveShape(line) && secretShape().MatchString(line) {
		return true
	}
	if !mayHaveValue(line) {
		return false
	}
	for _, m := range secretValue().FindAllStringSubmatch(line, -1) {
		if v := strings.ToLower(m[1]); !harmless[v] && !strings.ContainsAny(v[:1], "$/<{[(|&;\\#-.=") {
			return true
		}
	}
	return false
}
