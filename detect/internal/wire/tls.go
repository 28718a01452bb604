// Package wire reads the first bytes of connections, of which the end may be missing.
package wire

// Handshake is the first byte of a connection of TLS.
const Handshake = 22

// ServerName is the name of the server that a TLS client asks for in the first bytes of its connection; "": they are
// something else, or the name lies behind them.
func ServerName(b []byte) string {
	if len(b) < 6 || b[0] != Handshake || b[1] != 3 || b[5] != 1 {
		return ""
	}
	r := reader(b[5:])
	r.skip(1 + 3 + 2 + 32) // kind, length, version, random
	r.skip(r.number(1))    // session
	r.skip(r.number(2))    // ciphers
	r.skip(r.number(1))    // compressions
	r.skip(2)              // length of extensions
	for len(r) >= 4 {
		kind, n := r.number(2), r.number(2)
		if kind != 0 {
			r.skip(n)
			continue
		}
		r.skip(2) // length of the list
		if r.number(1) != 0 {
			return ""
		}
		n = r.number(2)
		if n == 0 || n > 255 || n > len(r) {
			return ""
		}
		return string(r[:n])
	}
	return ""
}

// reader takes numbers from bytes; behind their end all are 0.
type reader []byte

func (r *reader) skip(n int) { *r = (*r)[min(n, len(*r)):] }

func (r *reader) number(size int) (n int) {
	if len(*r) < size {
		*r = nil
		return 0
	}
	for _, c := range (*r)[:size] {
		n = n<<8 | int(c)
	}
	*r = (*r)[size:]
	return n
}
