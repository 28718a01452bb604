package kernel

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"bulwark"
)

// message is one of DNS with one question.
func message(name string, kind uint16, flags uint16) []byte {
	b := make([]byte, messageBytes)
	binary.BigEndian.PutUint16(b, 0x1234)
	binary.BigEndian.PutUint16(b[2:], flags)
	binary.BigEndian.PutUint16(b[4:], 1)
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label != "" {
			b = append(append(b, byte(len(label))), label...)
		}
	}
	b = binary.BigEndian.AppendUint16(append(b, 0), kind)
	return binary.BigEndian.AppendUint16(b, 1)
}

func overTCP(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// longest is a name as long as names may be: 253 letters.
var longest = strings.Join([]string{strings.Repeat("a", 63), strings.Repeat("b", 63), strings.Repeat("c", 63), strings.Repeat("d", 61)}, ".")

func TestQuestions(t *testing.T) {
	asks, answers := uint16(0x0100), uint16(0x8180)
	two := message("a.example", 1, asks)
	two[5] = 2
	loop := append(message("x", 1, asks)[:messageBytes], 0xc0, 0x0c, 0, 1, 0, 1)
	for _, tt := range []struct {
		what  string
		b     []byte
		tcp   bool
		name  string
		kind  int64
		rcode int64
	}{
		{"question", message("pool.example.org", 1, asks), false, "pool.example.org", 1, -1},
		{"question of IPv6", message("pool.example.org", 28, asks), false, "pool.example.org", 28, -1},
		{"answer", message("pool.example.org", 1, answers), false, "pool.example.org", 1, 0},
		{"no such name", message("pool.example.org", 16, answers|3), false, "pool.example.org", 16, 3},
		{"over TCP", overTCP(message("pool.example.org", 1, asks)), true, "pool.example.org", 1, -1},
		{"over TCP, its length went before", message("pool.example.org", 1, asks), true, "pool.example.org", 1, -1},
		{"the root", message("", 2, asks), false, "", 2, -1},
		{"longest name", message(longest, 1, asks), false, longest, 1, -1},
		{"label of any bytes", message("\x1b[31m\xff", 1, asks), false, "\x1b[31m\xff", 1, -1},
		{"nothing", nil, false, "", 0, -1},
		{"no message", []byte("GET / HTTP/1.1\r\nHost: x\r\n"), false, "", 0, -1},
		{"cut in its label", message("pool.example.org", 1, asks)[:20], false, "", 0, -1},
		{"cut before its type", message("a.example", 1, asks)[:24], false, "", 0, -1},
		{"two questions", two, false, "", 0, -1},
		{"update", message("a.example", 6, 5<<11), false, "", 0, -1},
		{"pointer to itself", loop, false, "", 0, -1},
		{"name that is too long", message(strings.Repeat("abcdefg.", 40), 1, asks), false, "", 0, -1},
	} {
		t.Run(tt.what, func(t *testing.T) {
			var room [256]byte
			got := dns([]bulwark.Arg{{Num: int64(len(tt.b))}, {Num: 1}, {}, {}, {Text: tt.b}}, tt.tcp, &room)
			if string(got[0].Text) != tt.name || got[1].Num != tt.kind || got[2].Num != tt.rcode {
				t.Errorf("%q %d %d, want %q %d %d", got[0].Text, got[1].Num, got[2].Num, tt.name, tt.kind, tt.rcode)
			}
		})
	}
}

// FuzzQuestion: whatever comes, what is read is in the message and not longer than names may be.
func FuzzQuestion(f *testing.F) {
	f.Add(message("pool.example.org", 1, 0x8183), false)
	f.Add(overTCP(message(longest, 28, 0x0100)), true)
	f.Add(bytes.Repeat([]byte{0xc0, 0x0c}, 20), true)
	f.Fuzz(func(t *testing.T, b []byte, tcp bool) {
		var room [256]byte
		got := dns([]bulwark.Arg{{Num: int64(len(b))}, {Num: 1}, {}, {}, {Text: b}}, tcp, &room)
		if len(got) != 3 || len(got[0].Text) > len(b) || len(got[0].Text) > 256 || got[2].Num < -1 || got[2].Num > 15 {
			t.Errorf("%v", got)
		}
		if name := got[0].Text; len(name) > 0 {
			for label := range bytes.SplitSeq(name, []byte(".")) {
				if !bytes.Contains(b, label) {
					t.Errorf("%q is not in the message", label)
				}
			}
		}
	})
}
