package gobinary

import (
	"bytes"
)

// split divides a linked function's name into its package's import path and the function
// as a reader knows it: type arguments are taken out, escapes in the path decoded, a
// closure or wrapper stands for the function it is part of. It may change name. ok is
// false for what the compiler made up; fn is empty for what is of no one function.
func split(name []byte) (path, fn []byte, ok bool) {
	if bytes.HasPrefix(name, []byte("type:")) || bytes.HasPrefix(name, []byte("type..")) || bytes.HasPrefix(name, []byte("go:")) {
		return nil, nil, false
	}
	name = dropArguments(name)
	slash := bytes.LastIndexByte(name, '/') + 1
	dot := bytes.IndexByte(name[slash:], '.')
	if dot <= 0 {
		return nil, nil, false
	}
	path, fn = name[:slash+dot], name[slash+dot+1:]
	return unescape(path), parent(fn), true
}

// dropArguments takes "[...]" out, nested ones too.
func dropArguments(name []byte) []byte {
	first := bytes.IndexByte(name, '[')
	if first < 0 {
		return name
	}
	out, depth := name[:first], 0
	for _, c := range name[first:] {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth = max(depth-1, 0)
		case depth == 0:
			out = append(out, c)
		}
	}
	return out
}

// unescape decodes %xx, which the compiler writes for dots in the last element of an
// import path and for odd characters.
func unescape(path []byte) []byte {
	if bytes.IndexByte(path, '%') < 0 {
		return path
	}
	out := path[:0]
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			hi, lo := digit(path[i+1]), digit(path[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, path[i])
	}
	return out
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// wrappers are how the compiler goes on after a function's name when it made another
// function out of a part of it; a number follows.
var wrappers = [][]byte{[]byte(".func"), []byte(".gowrap"), []byte(".deferwrap"), []byte("-range"), []byte("·dwrap·")}

// parent is the function that a closure or wrapper is part of; empty for those that
// belong to a variable.
func parent(fn []byte) []byte {
	fn = bytes.TrimSuffix(fn, []byte("-fm"))
	if bytes.HasPrefix(fn, []byte("glob..")) {
		return nil
	}
	for _, w := range wrappers {
		for from := 0; ; {
			i := bytes.Index(fn[from:], w)
			if i < 0 {
				break
			}
			from += i + len(w)
			if from < len(fn) && fn[from] >= '0' && fn[from] <= '9' {
				fn = fn[:from-len(w)]
				break
			}
		}
	}
	return fn
}
