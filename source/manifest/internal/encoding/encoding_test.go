package encoding

import (
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"
)

// written is a text in another way to write it.
func written(text string, unit int, order binary.AppendByteOrder, mark bool) []byte {
	var b []byte
	if mark {
		text = "\ufeff" + text
	}
	if unit == 4 {
		for _, r := range text {
			b = order.AppendUint32(b, uint32(r))
		}
		return b
	}
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func TestReader(t *testing.T) {
	for _, text := range []string{"a: b\r\n", "apiVersion: v1 # ключ 中文 🙂\nkind: Pod\n", "ab" + strings.Repeat("🙂x", 5000), "kind"} {
		for _, unit := range []int{2, 4} {
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				for _, mark := range []bool{true, false} {
					data := written(text, unit, order, mark)
					if got, odd := Bytes(data); string(got) != text || odd != "" {
						t.Errorf("%d %v %v: %.50q %s", unit, order, mark, got, odd)
					}
					in, _ := Reader(iotest.OneByteReader(strings.NewReader(string(data))))
					if got, err := io.ReadAll(iotest.OneByteReader(in)); string(got) != text || err != nil {
						t.Errorf("byte by byte: %d %v %v: %.50q %v", unit, order, mark, got, err)
					}
				}
			}
		}
		for _, mark := range []string{"", "\xef\xbb\xbf"} {
			if got, odd := Bytes([]byte(mark + text)); string(got) != text || odd != "" {
				t.Errorf("UTF-8: %.50q %s", got, odd)
			}
		}
	}
}

func TestDamaged(t *testing.T) {
	for text, want := range map[string]string{
		"\xff\xfea\x00b":                                       "a\ufffd",
		"\xff\xfe\x00\xd8a\x00":                                "\ufffda",
		"\xfe\xff\xdc\x00\x00a":                                "\ufffda",
		"\xff\xfe\x00\x00a\x00\x00\x00\x00\x00\xff\x7f":        "a\ufffd",
		"\x00\x00\xfe\xff\xff\xff\xff\xff\x00\x00\xd8\x00\x00": "\ufffd\ufffd\ufffd",
		"\xff\xfe\x3d\xd8":                                     "\ufffd",
	} {
		if got, odd := Bytes([]byte(text)); string(got) != want || odd == "" {
			t.Errorf("%q: %q, want %q; told %q", text, got, want, odd)
		}
	}
}

func TestLatin(t *testing.T) {
	for text, want := range map[string]string{"a\nb": "a\nb", "a\n# \xfcber \x80": "a\n# über \ufffd", "ü\xe9": "üé"} {
		got, line := Latin([]byte(text))
		if string(got) != want || (line > 0) != (text != want) {
			t.Errorf("%q: %q, line %d", text, got, line)
		}
	}
	if _, line := Latin([]byte("a\nb\n\xff")); line != 3 {
		t.Errorf("line %d", line)
	}
}

// FuzzBytes: whatever is given, UTF-8 comes out, and no more than half as much again.
func FuzzBytes(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00b\x00"))
	f.Add([]byte("\x00\x00\x00a\x00\x00\x00b"))
	f.Add([]byte("a: \xfc\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _ := Bytes(data)
		text, _ = Latin(text)
		if !utf8.Valid(text) || len(text) > 3*len(data) {
			t.Errorf("%q: %q", data, text)
		}
	})
}
