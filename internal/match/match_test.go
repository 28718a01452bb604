package match

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// naive is every place of every literal, as "id@end".
func naive(literals []Literal, text []byte) []string {
	var out []string
	for id, l := range literals {
		hay, needle := text, []byte(l.Text)
		if l.Fold {
			hay, needle = []byte(lower(string(text))), []byte(lower(l.Text))
		}
		for at := 0; len(needle) > 0; {
			i := bytes.Index(hay[at:], needle)
			if i < 0 {
				break
			}
			out = append(out, fmt.Sprintf("%d@%d", id, at+i+len(needle)))
			at += i + 1
		}
	}
	slices.Sort(out)
	return out
}

func streamed(s *Set, text []byte, sizes func() int) []string {
	var out []string
	m := s.NewStream()
	m.Scan([]byte("what came before"), func(int, int64) {})
	m.Reset()
	for rest := text; len(rest) > 0; {
		n := min(sizes(), len(rest))
		piece := bytes.Clone(rest[:n])
		m.Scan(piece, func(id int, end int64) { out = append(out, fmt.Sprintf("%d@%d", id, end)) })
		clear(piece)
		rest = rest[n:]
	}
	slices.Sort(out)
	return out
}

func found(s *Set, text []byte, from int) []string {
	var out []string
	s.Find(text, from, func(id, start int) {
		out = append(out, fmt.Sprintf("%d@%d", id, start+len(s.literals[id].Text)))
	})
	slices.Sort(out)
	return out
}

// compare holds both ways of finding against the naive one.
func compare(t *testing.T, literals []Literal, text []byte, r *rand.Rand) {
	t.Helper()
	s := New(literals)
	want := naive(literals, text)
	if got := streamed(s, text, func() int { return 1 + r.IntN(20) }); !slices.Equal(got, want) {
		t.Fatalf("%.500s in %.500q streamed:\n got %.500s\nwant %.500s", fmt.Sprint(literals), text, fmt.Sprint(got), fmt.Sprint(want))
	}
	from := r.IntN(len(text) + 1)
	want = slices.DeleteFunc(want, func(s string) bool {
		var id, end int
		fmt.Sscanf(s, "%d@%d", &id, &end)
		return end <= from
	})
	if got := found(s, text, from); !slices.Equal(got, want) {
		t.Fatalf("%.500s in %.500q from %d:\n got %.500s\nwant %.500s", fmt.Sprint(literals), text, from, fmt.Sprint(got), fmt.Sprint(want))
	}
}

func TestAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	for range 3000 {
		alphabet := []string{"ab", "aAbB@`", "abcdefgh", "\x00\xff aZ_"}[r.IntN(4)]
		var literals []Literal
		for range 1 + r.IntN(60) {
			literals = append(literals, Literal{Text: word(alphabet, 1+r.IntN(9)), Fold: r.IntN(2) == 0})
		}
		compare(t, literals, []byte(word(alphabet, r.IntN(200))), r)
	}
}

func TestEveryByte(t *testing.T) {
	var literals []Literal
	var text []byte
	for c := range 256 {
		literals = append(literals, Literal{Text: string([]byte{byte(c)})})
		text = append(text, byte(c))
	}
	compare(t, literals, text, rand.New(rand.NewPCG(1, 2)))
	compare(t, append(literals, Literal{}), []byte("x"), rand.New(rand.NewPCG(1, 2)))
	compare(t, nil, []byte("x"), rand.New(rand.NewPCG(1, 2)))
}

// TestCrowd: many literals that share their bytes are as fast as few.
func TestCrowd(t *testing.T) {
	var literals []Literal
	for i := range 2000 {
		literals = append(literals, Literal{Text: fmt.Sprintf("aaaa%c", 'b'+i%20), Fold: i%2 == 0})
	}
	s := New(literals)
	if n := len(s.filter.lists.entries); n > 200*crowded {
		t.Errorf("%d windows in the filter", n)
	}
	if s.dense[0] == nil {
		t.Error("no crowd went to the automaton")
	}
	compare(t, literals[:300], []byte(strings.Repeat("aaaaaabaaac", 9)), rand.New(rand.NewPCG(1, 2)))
}

func FuzzFind(f *testing.F) {
	f.Add("ghp_\nAKIA\npassword\nx", "key=ghp_AKIApassWORDx", uint64(1))
	f.Add("\x00\n\xff\xff\xff\xff", "\x00\xff\xff\xff\xff\xff", uint64(2))
	f.Fuzz(func(t *testing.T, list, text string, seed uint64) {
		if len(list)+len(text) > 2000 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 0))
		var literals []Literal
		for l := range strings.SplitSeq(list, "\n") {
			literals = append(literals, Literal{Text: l, Fold: r.IntN(2) == 0})
		}
		compare(t, literals, []byte(text), r)
	})
}

// anchors are like those that secrets are found by.
func anchors(n int) []Literal {
	out := []Literal{}
	for _, s := range strings.Fields("ghp_ gho_ ghs_ github_pat_ glpat- AKIA ASIA xoxb- xoxp- sk_live_ rk_live_ npm_ pypi-AgEIcHlwaS5vcmc dop_v1_ SG. AIza -----BEGIN eyJ hooks.slack.com password secret token api_key apikey access_key hvs. lin_api_ shpat_ figd_ sntrys_ postgres:// mysql:// mongodb+srv:// redis:// amqp://") {
		out = append(out, Literal{Text: s, Fold: len(s) > 4})
	}
	r := rand.New(rand.NewPCG(3, 4))
	for len(out) < n {
		b := make([]byte, 5+r.IntN(8))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz_-"[r.IntN(28)]
		}
		out = append(out, Literal{Text: string(b), Fold: r.IntN(2) == 0})
	}
	return out
}

// sample is 16 MB of Go's own source and binary, or of zeros without a tree.
func sample(b *testing.B) []byte {
	file, err := os.Executable()
	if env := os.Getenv("MATCH_FILE"); env != "" {
		file = env
	}
	data, err2 := os.ReadFile(file)
	if err != nil || err2 != nil {
		b.Fatal(err, err2)
	}
	return data[:min(len(data), 64<<20)]
}

func BenchmarkStream(b *testing.B) {
	data := sample(b)
	for _, n := range []int{40, 300, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := New(anchors(n)).NewStream()
			b.SetBytes(int64(len(data)))
			hits := 0
			for b.Loop() {
				for piece := range slices.Chunk(data, 256<<10) {
					m.Scan(piece, func(int, int64) { hits++ })
				}
			}
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
		})
	}
}
