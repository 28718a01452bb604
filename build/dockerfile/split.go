package dockerfile

import "strings"

// split cuts a text into commands where a shell would, without knowing more of its grammar
// than quotes, operators and comments: for what no parser takes.
func (w *walker) split(text string) {
	var words []string
	var word strings.Builder
	start, inWord := -1, false
	outer := w.pipes
	id, element := 0, 0
	endWord := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	end := func(piped bool) {
		endWord()
		if piped && id == 0 {
			w.ids++
			id, element = w.ids, 0
		}
		if id != 0 {
			w.pipes = append(outer[:len(outer):len(outer)], pipe{id, element})
		}
		w.guessed(words, start)
		words, start = nil, -1
		element++
		w.pipes = outer
		if !piped {
			id = 0
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if start < 0 && !strings.ContainsRune(" \t\r\n;&|(){}", rune(c)) {
			start = i
		}
		switch c {
		case ' ', '\t', '\r':
			endWord()
		case '\n', ';':
			end(false)
		case '(', ')':
			if !inWord {
				end(false)
				continue
			}
			word.WriteByte(c)
		case '&', '|':
			if c == '&' && i+1 < len(text) && text[i+1] == '>' || c == '&' && i > 0 && text[i-1] == '>' {
				word.WriteByte(c)
				continue
			}
			double := i+1 < len(text) && text[i+1] == c
			if double {
				i++
			}
			end(c == '|' && !double)
		case '#':
			if inWord {
				word.WriteByte(c)
				continue
			}
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case '\'', '"':
			inWord = true
			i = quotedPart(&word, text, i)
		case '\\':
			if i+1 < len(text) {
				i++
				inWord = true
				word.WriteByte(text[i])
			}
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	end(false)
}

// quotedPart copies what is within quotes, and gives the index of the closing one; without
// one the rest of the line counts as quoted.
func quotedPart(b *strings.Builder, text string, i int) int {
	quote := text[i]
	for i++; i < len(text) && text[i] != quote; i++ {
		if text[i] == '\\' && quote == '"' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return i
}

// guessed adds a command of words that may begin with assignments.
func (w *walker) guessed(words []string, offset int) {
	var assigns []Assign
	for len(words) > 0 {
		name, value, ok := strings.Cut(words[0], "=")
		if !ok || !isName(name) {
			break
		}
		assigns = append(assigns, Assign{name, value})
		words = words[1:]
	}
	for i, word := range words {
		words[i] = w.vars.expandPlain(word)
	}
	if at := w.command(words, assigns, nil, max(0, offset)); at >= 0 && len(words) > 0 {
		w.inner(at, words, nil)
	}
}
