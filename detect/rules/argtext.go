package rules

import (
	"strconv"

	"bulwark"
	"bulwark/detect/internal/errno"
	"bulwark/detect/rules/internal/names"
)

// writer makes text of arguments. What it gives is good until it is asked for the next event, or another argument of
// this one.
type writer struct {
	buf     []byte
	numbers *memo
	hex     *memo
	octal   *memo
	errors  *memo
	signals *memo
	caps    *memo
	sets    map[string]*memo
	path    resolver
	addrs   *endpointText
}

func newWriter() *writer {
	return &writer{
		numbers: newMemo(func(n int64) string { return strconv.FormatInt(n, 10) }),
		hex:     newMemo(func(n int64) string { return strconv.FormatUint(uint64(n), 16) }),
		octal:   newMemo(func(n int64) string { return "0" + strconv.FormatInt(n, 8) }),
		errors:  newMemo(errno.Name),
		signals: newMemo(names.Signal),
		caps:    newMemo(func(n int64) string { return names.Caps(uint64(n)) }),
		sets:    map[string]*memo{},
		addrs:   &endpointText{},
	}
}

// text is argument i of the event.
func (w *writer) text(v *event, i int) (string, bool) {
	p := &v.Kind.Params()[i]
	switch p.Type {
	case bulwark.ParamTuple:
		return w.addrs.tuple(v)
	case bulwark.ParamAddress:
		return w.addrs.remote(v, i)
	}
	if isText(p.Type) {
		return w.string(v, i, p)
	}
	n, ok := rawNumber(v, i)
	if !ok {
		return "", false
	}
	return w.number(v, p, n)
}

func (w *writer) number(v *event, p *bulwark.Param, n int64) (string, bool) {
	switch p.Type {
	case bulwark.ParamHex:
		return w.hex.text(n), true
	case bulwark.ParamOctal:
		return w.octal.text(n), true
	case bulwark.ParamResult, bulwark.ParamErrno:
		if n < 0 {
			return w.errors.text(-n), true
		}
		return w.numbers.text(n), true
	case bulwark.ParamSignal:
		return w.signals.text(n), true
	case bulwark.ParamCaps:
		return w.caps.text(n), true
	case bulwark.ParamFlags, bulwark.ParamEnum:
		return w.set(p.Names).text(n), true
	case bulwark.ParamUID:
		if v.p == nil || n < 0 {
			break
		}
		if u, ok := v.env.names.User(v.p, uint32(n)); ok {
			return u.Name, true
		}
	case bulwark.ParamGID:
		if v.p == nil || n < 0 {
			break
		}
		if g, ok := v.env.names.Group(v.p, uint32(n)); ok {
			return g, true
		}
	case bulwark.ParamPID:
		for a := v.p; a != nil; a = a.Parent {
			if int64(a.PID) == n && n > 0 {
				return a.Name, true
			}
		}
	case bulwark.ParamFD:
		return w.descriptor(v, n), true
	}
	return w.numbers.text(n), true
}

func (w *writer) set(name string) *memo {
	m := w.sets[name]
	if m == nil {
		m = newMemo(func(n int64) string { return names.Text(name, n) })
		w.sets[name] = m
	}
	return m
}

const cwdFD = -100 // AT_FDCWD

// descriptor tells what a number stands for where the event knows: <f>/etc/passwd.
func (w *writer) descriptor(v *event, n int64) string {
	switch {
	case n == cwdFD:
		return "AT_FDCWD"
	case n < 0:
		return w.errors.text(-n)
	case v.FD.Kind == bulwark.FDNone || int64(v.FD.Num) != n:
		return w.numbers.text(n)
	}
	w.buf = append(append(append(w.buf[:0], '<'), typeChars[v.FD.Kind]...), '>')
	if name, ok := w.addrs.name(v); ok {
		w.buf = append(w.buf, name...)
	}
	return str(w.buf)
}

// string is an argument that is text.
func (w *writer) string(v *event, i int, p *bulwark.Param) (string, bool) {
	if i < len(v.Args) {
		t := v.Args[i].Text
		switch p.Type {
		case bulwark.ParamPath:
			return w.path.absolute(v, i)
		case bulwark.ParamList:
			if len(t) > 0 {
				return w.joined(t), true
			}
		default:
			return str(t), true
		}
	}
	if v.p == nil || !bornOrExec(v.Kind) {
		return "", false
	}
	switch p.Name {
	case "args":
		return w.list(v.p.Args), true
	case "env":
		return w.list(v.p.Env), true
	}
	return processText(v.p, p.Name)
}

// joined has spaces where the list has ends.
func (w *writer) joined(list []byte) string {
	if list[len(list)-1] == 0 {
		list = list[:len(list)-1]
	}
	w.buf = append(w.buf[:0], list...)
	for i, c := range w.buf {
		if c == 0 {
			w.buf[i] = ' '
		}
	}
	return str(w.buf)
}

func (w *writer) list(list []string) string {
	w.buf = appendJoined(w.buf[:0], list)
	return str(w.buf)
}

func appendJoined(b []byte, list []string) []byte {
	for i, s := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, s...)
	}
	return b
}
