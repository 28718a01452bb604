// Package file is the container of the advisory database: varints, blocks with
// checksums, the header, and the mapping. What the blocks mean is not its concern.
package file

import (
	"encoding/binary"
	"time"
	"unsafe"
)

// Encoder appends values to B.
type Encoder struct{ B []byte }

// Uint appends a varint.
func (e *Encoder) Uint(v uint64) { e.B = binary.AppendUvarint(e.B, v) }

// Int appends a signed varint.
func (e *Encoder) Int(v int64) { e.B = binary.AppendVarint(e.B, v) }

// Byte appends one byte.
func (e *Encoder) Byte(v byte) { e.B = append(e.B, v) }

// Uint32 appends four bytes.
func (e *Encoder) Uint32(v uint32) { e.B = binary.LittleEndian.AppendUint32(e.B, v) }

// String appends a length and the bytes.
func (e *Encoder) String(s string) {
	e.Uint(uint64(len(s)))
	e.B = append(e.B, s...)
}

// Bytes appends a length and the bytes.
func (e *Encoder) Bytes(b []byte) {
	e.Uint(uint64(len(b)))
	e.B = append(e.B, b...)
}

// Strings appends a count and the strings.
func (e *Encoder) Strings(list []string) {
	e.Uint(uint64(len(list)))
	for _, s := range list {
		e.String(s)
	}
}

// Time appends a time to the second; the zero time stays the zero time.
func (e *Encoder) Time(t time.Time) {
	if t.IsZero() {
		e.Int(zeroTime)
		return
	}
	e.Int(t.Unix())
}

// zeroTime is what the year 1 is in seconds: the value that absurd dates have too.
const zeroTime = -62135596800

// Decoder reads what an Encoder wrote. After the first value that does not fit, Bad is
// true and everything is zero: it never panics and never allocates more than its input
// has room for. Its strings point into the bytes it reads.
type Decoder struct {
	B   []byte
	Bad bool
}

func (d *Decoder) fail() {
	d.B, d.Bad = nil, true
}

// Uint reads a varint.
func (d *Decoder) Uint() uint64 {
	if len(d.B) > 0 && d.B[0] < 0x80 {
		v := d.B[0]
		d.B = d.B[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(d.B)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.B = d.B[n:]
	return v
}

// Int reads a signed varint.
func (d *Decoder) Int() int64 {
	v, n := binary.Varint(d.B)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.B = d.B[n:]
	return v
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	if len(d.B) == 0 {
		d.fail()
		return 0
	}
	v := d.B[0]
	d.B = d.B[1:]
	return v
}

// Uint32 reads four bytes.
func (d *Decoder) Uint32() uint32 {
	if len(d.B) < 4 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(d.B)
	d.B = d.B[4:]
	return v
}

// Take reads n bytes.
func (d *Decoder) Take(n uint64) []byte {
	if n > uint64(len(d.B)) {
		d.fail()
		return nil
	}
	b := d.B[:n:n]
	d.B = d.B[n:]
	return b
}

// Bytes reads a length and that many bytes.
func (d *Decoder) Bytes() []byte { return d.Take(d.Uint()) }

// String reads a string.
func (d *Decoder) String() string { return String(d.Bytes()) }

// Count reads a count of things that need at least one byte each.
func (d *Decoder) Count() int {
	n := d.Uint()
	if n > uint64(len(d.B)) {
		d.fail()
		return 0
	}
	return int(n)
}

// Strings reads a list.
func (d *Decoder) Strings() []string {
	n := d.Count()
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = d.String()
	}
	return out
}

// Time reads a time.
func (d *Decoder) Time() time.Time {
	if sec := d.Int(); !d.Bad {
		return Time(sec)
	}
	return time.Time{}
}

// Time is the time that stands as so many seconds.
func Time(sec int64) time.Time {
	if sec == zeroTime {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

// String is a view of b, which must not change while the string is in use. The database
// is mapped read-only, so its bytes never do.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
