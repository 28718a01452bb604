package secrets

import (
	"strings"

	"bulwark/internal/lazyregexp"
)

// strength is how surely a name is that of a secret.
type strength uint8

const (
	none     strength = iota
	probable          // TOKEN, API_KEY: also the names of what refers to secrets
	sure              // PASSWORD: what is given to it is one, however plain
)

// passwords are the words that name a password by themselves, others those that name what may
// also be a reference, and qualified those that need a word before them.
var (
	passwords = set("password passwd passphrase passwort userpassword rootpassword dbpassword dbpass pass pwd pw userpass rootpw mysqlpwd requirepass masterauth")
	others    = set("token secret apikey apitoken authtoken accesstoken accesskey secretkey privatekey clientsecret appsecret secretaccesskey credential credentials masterkey encryptionkey signingkey authkey licensekey jwtsecret")
	beforeKey = set("api secret access private auth encryption encrypt signing sign master service account storage license jwt hmac aes session cookie shared vault admin")
	trailing  = set("value base64 b64 prod production dev development staging live default plain text string 1 2 3 old new current main primary secondary")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// named tells how surely a name is that of a secret.
func named(name string) strength {
	if name == "PWD" || name == "OLDPWD" || len(name) > 100 {
		return none
	}
	parts := split(name)
	for len(parts) > 1 && trailing[parts[len(parts)-1]] {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return none
	}
	last := parts[len(parts)-1]
	switch {
	case passwords[last] || strings.HasSuffix(last, "password") || strings.HasSuffix(last, "passwd"):
		return sure
	case others[last] || strings.HasSuffix(last, "secret") && last != "nosecret":
		return probable
	case last == "key" && len(parts) > 1 && beforeKey[parts[len(parts)-2]]:
		return probable
	}
	return none
}

// split parts a name into its words, in lower case: DB_PASSWORD, apiKey, client-secret.
func split(name string) []string {
	var words []string
	start := 0
	cut := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == '.' || c == '/':
			cut(i)
			start = i + 1
		case c >= 'A' && c <= 'Z' && i > start && name[i-1] >= 'a' && name[i-1] <= 'z':
			cut(i)
			start = i
		}
	}
	cut(len(name))
	return words
}

var (
	nothings  = set("true false null none nil undefined yes no on off enabled disabled required optional n/a na - file env vault auto automatic random generate generated unset empty prompt ask stdin basic bearer oauth oidc jwt md5 scram-sha-256 trust external internal never always default string str text varchar")
	reference = lazyregexp.New(`^(?:[./~]|[a-zA-Z]:\\|[a-z][a-z0-9+.-]{1,20}://|(?:file|env|vault|arn|ssm|secretsmanager|awssm|awsps|gcpsm|azkv|kms|op|ref|sm|secret|secrets|projects?)[:+/]|ENC\[|AQICAH|\$__)`)
	fillIn    = lazyregexp.New(`(?i)\$\{|\$\(|\{\{|<[^>]*>|%\(|%\{|#\{|\[\[|^\$[A-Za-z_]|^%\w+%$|^__.*__$|^@@|your[_-]?|replace|placeholder|insert[_-]|redacted|x{4,}|\*{3,}|\.{3,}|^-+$|_here$|-here$|^todo|dummy|^test$|^example|^generated`)
	wordy     = lazyregexp.New(`^[a-z]+(?:\d{0,2}(?:[-_.](?:[a-z0-9]{1,3}|[a-z]+\d{0,3}))+)?$|^[A-Z]+(?:[-_.][A-Z0-9]+)*$|^[A-Z]?[a-z]+(?:[A-Z][a-z]+)*$`)
	counted   = lazyregexp.New(`^[\d.:]+[a-z]{0,2}$`)
)

// literal tells whether what is given to a name is the secret itself: no reference, no place
// to fill in, no switch.
func literal(name, value string) bool {
	s := named(name)
	if s == none || len(value) < 3 || len(value) > 400 || nothings[strings.ToLower(value)] || reference.MatchString(value) || fillIn.MatchString(value) || strings.ContainsAny(value, "\n\t") {
		return false
	}
	if s == sure {
		return !strings.Contains(value, " ") && !strings.HasSuffix(value, ":")
	}
	// A token or key is long and no word: a word is the name of one that stands elsewhere.
	return len(value) >= 8 && !wordy.MatchString(value) && !counted.MatchString(value) && !strings.ContainsAny(value, " ()") && !strings.EqualFold(name, value)
}

// plain tells whether a secret is so simple that the search for secrets in files passes it
// over: a word, a few characters.
func plain(name, value string) bool {
	return len(value) < 6 || distinct(value) < 5 || wordy.MatchString(value) || counted.MatchString(value) ||
		strings.Contains(strings.ToLower(name), strings.ToLower(value)) || strings.ContainsAny(value, "()<>\"'`;{}|")
}

func distinct(s string) int {
	var seen [256]bool
	n := 0
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			n++
		}
	}
	return n
}

// token is a form that a vendor gives its tokens.
type token struct {
	anchor string
	re     *lazyregexp.Regexp
	what   string
}

var tokens = []token{
	{"AKIA", lazyregexp.New(`\bAKIA[A-Z2-7]{16}\b`), "an access key of AWS"},
	{"ghp_", lazyregexp.New(`\bghp_[A-Za-z0-9]{36}\b`), "a token of GitHub"},
	{"gho_", lazyregexp.New(`\bgho_[A-Za-z0-9]{36}\b`), "a token of GitHub"},
	{"ghs_", lazyregexp.New(`\bghs_[A-Za-z0-9]{36}\b`), "a token of GitHub"},
	{"github_pat_", lazyregexp.New(`\bgithub_pat_[A-Za-z0-9_]{60,}`), "a token of GitHub"},
	{"glpat-", lazyregexp.New(`\bglpat-[A-Za-z0-9_-]{20,}`), "a token of GitLab"},
	{"xox", lazyregexp.New(`\bxox[abprs]-[A-Za-z0-9-]{20,}`), "a token of Slack"},
	{"hooks.slack.com/services/", lazyregexp.New(`hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}`), "a webhook of Slack"},
	{"sk_live_", lazyregexp.New(`\bsk_live_[A-Za-z0-9]{20,}`), "a key of Stripe"},
	{"rk_live_", lazyregexp.New(`\brk_live_[A-Za-z0-9]{20,}`), "a key of Stripe"},
	{"AIza", lazyregexp.New(`\bAIza[A-Za-z0-9_-]{35}\b`), "a key of Google"},
	{"npm_", lazyregexp.New(`\bnpm_[A-Za-z0-9]{36}\b`), "a token of npm"},
	{"dckr_pat_", lazyregexp.New(`\bdckr_pat_[A-Za-z0-9_-]{20,}`), "a token of Docker Hub"},
	{"hvs.", lazyregexp.New(`\bhvs\.[A-Za-z0-9_-]{24,}`), "a token of Vault"},
	{"pypi-", lazyregexp.New(`\bpypi-AgEI[A-Za-z0-9_-]{50,}`), "a token of PyPI"},
	{"sk-ant-", lazyregexp.New(`\bsk-ant-[A-Za-z0-9_-]{40,}`), "a key of Anthropic"},
	{"sk-proj-", lazyregexp.New(`\bsk-proj-[A-Za-z0-9_-]{40,}`), "a key of OpenAI"},
	{"SG.", lazyregexp.New(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b`), "a key of SendGrid"},
	{"AccountKey=", lazyregexp.New(`AccountKey=[A-Za-z0-9+/]{80,}={0,2}`), "the key of a storage account of Azure"},
	{"PRIVATE KEY-----", lazyregexp.New(`-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+(?:[A-Za-z0-9+/=-]+[:\s][^\n]*\n)*[A-Za-z0-9+/=\s]{100,}`), "a private key"},
}

var inURL = lazyregexp.New(`[a-z][a-z0-9+.-]*://[^\s/:@"'<>]*:([^\s/@"'<>]+)@[\w.\[-]`)

// credentials tells whether an address in the text has its password with it.
func credentials(text string) bool {
	if !strings.Contains(text, "://") || !strings.Contains(text, "@") {
		return false
	}
	for _, m := range inURL.FindAllStringSubmatch(text, 5) {
		if p := m[1]; !fillIn.MatchString(p) && !strings.ContainsAny(p[:1], "$%") && len(p) > 1 {
			return true
		}
	}
	return false
}
