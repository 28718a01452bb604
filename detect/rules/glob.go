package rules

// globMatch tells whether s fits a pattern as fnmatch has them: * any text (strokes too), ? any byte, [...] one
// of some, \ the next one as it is. It takes time in proportion to both lengths, whatever they hold.
func globMatch(pattern, s string, fold bool) bool {
	p, i := 0, 0
	star, mark := -1, 0 // the last *, and where in s it was tried to end
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, i
			p++
			continue
		}
		if n := globOne(pattern[p:], s[i], fold); n > 0 {
			p, i = p+n, i+1
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, i = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// globOne is how much of the pattern stands for the byte c, or 0 where it does not fit.
func globOne(pattern string, c byte, fold bool) int {
	if pattern == "" {
		return 0
	}
	switch pattern[0] {
	case '?':
		return 1
	case '[':
		if n, in := class(pattern, c, fold); n > 0 {
			if in {
				return n
			}
			return 0
		}
	case '\\':
		if len(pattern) > 1 {
			return 2 * int(one(same(pattern[1], c, fold)))
		}
	}
	return int(one(same(pattern[0], c, fold)))
}

// class reads [abc], [a-z] and [!a]; n is 0 where the bracket is not closed and so stands for itself.
func class(pattern string, c byte, fold bool) (n int, in bool) {
	i, not := 1, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		not = true
		i++
	}
	for first := true; i < len(pattern); first = false {
		lo := pattern[i]
		if lo == ']' && !first {
			return i + 1, in != not
		}
		if lo == '\\' && i+1 < len(pattern) {
			i++
			lo = pattern[i]
		}
		hi := lo
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			hi = pattern[i+2]
			i += 2
		}
		in = in || lo <= c && c <= hi || fold && (lo <= lower(c) && lower(c) <= hi || lo <= upper(c) && upper(c) <= hi)
		i++
	}
	return 0, false
}

func same(a, b byte, fold bool) bool { return a == b || fold && lower(a) == lower(b) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

// globStart is the text that everything begins with which fits the pattern.
func globStart(pattern string) string {
	for i := range len(pattern) {
		switch pattern[i] {
		case '*', '?', '[', '\\':
			return pattern[:i]
		}
	}
	return pattern
}
