package version

import "strings"

// pep440 is a version of packaging.python.org's version specifiers, taken apart.
type pep440 struct {
	epoch, release   string
	pre              byte // a, b, c (rc), 0: none
	preNumber        string
	post, dev        string
	hasPost, hasDev  bool
	local            string
	hasLocal, parsed bool
}

func validPEP440(v string) bool { return parsePEP440(v).parsed }

func parsePEP440(v string) pep440 {
	var p pep440
	v = strings.TrimSpace(v)
	if v != "" && (v[0] == 'v' || v[0] == 'V') {
		v = v[1:]
	}
	if n := digits(v); n > 0 && n < len(v) && v[n] == '!' {
		p.epoch, v = v[:n], v[n+1:]
	}
	if digits(v) == 0 {
		return p
	}
	i := 0
	for i < len(v) && (isDigit(v[i]) || v[i] == '.' && i+1 < len(v) && isDigit(v[i+1])) {
		i++
	}
	p.release, v = v[:i], v[i:]
	v = p.takePre(v)
	v = p.takePost(v)
	if word, number, rest, ok := takeWord(v); ok && word == "dev" {
		p.dev, p.hasDev, v = number, true, rest
	}
	if v != "" && v[0] == '+' {
		p.local, p.hasLocal, v = v[1:], true, ""
	}
	p.parsed = v == "" && (!p.hasLocal || validLocal(p.local))
	return p
}

func (p *pep440) takePre(v string) string {
	word, number, rest, ok := takeWord(v)
	if !ok {
		return v
	}
	switch word {
	case "a", "alpha":
		p.pre = 'a'
	case "b", "beta":
		p.pre = 'b'
	case "c", "rc", "pre", "preview":
		p.pre = 'c'
	default:
		return v
	}
	p.preNumber = number
	return rest
}

func (p *pep440) takePost(v string) string {
	if len(v) > 1 && v[0] == '-' && isDigit(v[1]) {
		n := 1 + digits(v[1:])
		p.post, p.hasPost = v[1:n], true
		return v[n:]
	}
	word, number, rest, ok := takeWord(v)
	if !ok || word != "post" && word != "rev" && word != "r" {
		return v
	}
	p.post, p.hasPost = number, true
	return rest
}

// takeWord reads [-_.]?word[-_.]?number?, the word as one of those known.
func takeWord(v string) (word, number, rest string, ok bool) {
	s := trimSeparator(v)
	n := letters(s)
	if n == 0 {
		return "", "", v, false
	}
	word, s = known(s[:n]), s[n:]
	if word == "" {
		return "", "", v, false
	}
	t := s
	if u := trimSeparator(s); u != "" && isDigit(u[0]) {
		t = u
	}
	d := digits(t)
	return word, t[:d], t[d:], true
}

func trimSeparator(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '_' || s[0] == '.') {
		return s[1:]
	}
	return s
}

// known folds case without allocating.
func known(word string) string {
	for _, w := range [...]string{"a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "post", "rev", "r", "dev"} {
		if strings.EqualFold(w, word) {
			return w
		}
	}
	return ""
}

// validLocal accepts letters and digits, single separators between them.
func validLocal(s string) bool {
	separated := true
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c) || isLetter(c):
			separated = false
		case separated || c != '.' && c != '-' && c != '_':
			return false
		default:
			separated = true
		}
	}
	return !separated
}

func comparePEP440(a, b string) int {
	x, y := parsePEP440(a), parsePEP440(b)
	if c := compareNumbers(x.epoch, y.epoch); c != 0 {
		return c
	}
	if c := compareCore(x.release, y.release); c != 0 {
		return c
	}
	if c := sign(x.preRank() - y.preRank()); c != 0 {
		return c
	}
	if c := compareNumbers(x.preNumber, y.preNumber); c != 0 {
		return c
	}
	if x.hasPost != y.hasPost {
		return rank(x.hasPost, 1)
	}
	if c := compareNumbers(x.post, y.post); c != 0 {
		return c
	}
	if x.hasDev != y.hasDev {
		return rank(x.hasDev, -1)
	}
	if c := compareNumbers(x.dev, y.dev); c != 0 {
		return c
	}
	if x.hasLocal != y.hasLocal {
		return rank(x.hasLocal, 1)
	}
	return compareLocal(x.local, y.local)
}

// preRank: a development release of the release itself comes before its pre-releases,
// which come before the release.
func (p *pep440) preRank() int {
	switch {
	case p.pre != 0:
		return int(p.pre)
	case !p.hasPost && p.hasDev:
		return 0
	}
	return 0xff
}

func rank(has bool, with int) int {
	if has {
		return with
	}
	return -with
}

// compareLocal: numbers are newer than words, and more parts are newer.
func compareLocal(a, b string) int {
	for a != "" && b != "" {
		p, restA := cutLocal(a)
		q, restB := cutLocal(b)
		x, y := digits(p) == len(p), digits(q) == len(q)
		switch {
		case x && y:
			if c := compareNumbers(p, q); c != 0 {
				return c
			}
		case x != y:
			return rank(x, 1)
		default:
			if c := compareFold(p, q); c != 0 {
				return c
			}
		}
		a, b = restA, restB
	}
	return sign(len(a) - len(b))
}

func cutLocal(s string) (part, rest string) {
	if i := strings.IndexAny(s, ".-_"); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := int(lower(a[i])) - int(lower(b[i])); c != 0 {
			return sign(c)
		}
	}
	return sign(len(a) - len(b))
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
