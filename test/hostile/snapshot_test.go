//go:build linux

package hostile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const (
	snapHead = `{"bulwark":"cluster-snapshot/v1","cluster":"prod","version":"v1.34.1"}` + "\n"
	snapPod  = `{"apiVersion":"v1","kind":"Pod",` + onePodRest + "\n"
)

func snapEnd(n int) string { return fmt.Sprintf(`{"end":{"objects":%d}}`+"\n", n) }

// packedBomb makes a snapshot whose middle is a text over and over.
func packedBomb(head, text string, size int64) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedFastest))
		check(t, err)
		write(t, z, []byte(head))
		_, err = io.CopyN(z, &again{text: text}, size)
		check(t, err)
		check(t, z.Close())
		return b.Bytes()
	}
}

// TestSnapshots: snapshots that are damaged, lie, or are none, beside one that is good.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	text := func(s string) func(*testing.T) []byte { return func(*testing.T) []byte { return []byte(s) } }
	whole := snapHead + snapPod + snapEnd(1)
	packed := func(change func([]byte) []byte) func(*testing.T) []byte {
		return func(t *testing.T) []byte { return change(zstded(t, []byte(whole))) }
	}
	for _, tt := range []struct {
		name  string
		data  func(*testing.T) []byte
		code  int
		words string
	}{
		{"well", text(whole), 0, ""},
		{"well and packed", packed(func(b []byte) []byte { return b }), 0, ""},
		{"empty", text(""), 1, "malformed: there is no header"},
		{"HTML", text("<html>"), 1, "malformed: this is no snapshot of a cluster"},
		{"a manifest", text(goodPod), 1, "malformed: this is no snapshot of a cluster"},
		{"no header", text(snapPod + snapEnd(1)), 1, "malformed: this is no snapshot of a cluster"},
		{"a header of wrong types", text(`{"bulwark":7,"cluster":[]}` + "\n" + snapEnd(0)), 1, "malformed: this is no snapshot of a cluster"},
		{"another version", text(strings.Replace(whole, "v1\"", "v9\\u001b[31m\"", 1)), 1, "a snapshot of the format \"cluster-snapshot/v9"},
		{"cut off in the header", text(snapHead[:20]), 1, "malformed: this is no snapshot of a cluster"},
		{"cut off behind the header", text(snapHead), 1, "malformed: it is cut off"},
		{"cut off in an object", text(snapHead + snapPod[:60]), 1, "line 2: "},
		{"cut off before its end", text(snapHead + snapPod), 1, "malformed: it is cut off"},
		{"cut off in its end", text(strings.TrimSuffix(whole, "}\n")), 1, "line 3: "},
		{"cut off and packed", packed(func(b []byte) []byte { return b[:len(b)-9] }), 1, "malformed"},
		{"half of it packed", packed(func(b []byte) []byte { return b[:len(b)/2] }), 1, "malformed"},
		{"nothing behind the magic", packed(func(b []byte) []byte { return b[:4] }), 1, "malformed"},
		{"another sum", packed(func(b []byte) []byte { return flip(b, len(b)-1) }), 1, "malformed"},
		{"fewer objects", text(snapHead + snapPod + snapEnd(2)), 1, "malformed: 1 objects of 2 are there"},
		{"more objects", text(snapHead + snapPod + snapEnd(0)), 1, "malformed: 1 objects of 0 are there"},
		{"a number below zero", text(snapHead + snapEnd(-1)), 1, "malformed"},
		{"a number of no end", text(snapHead + snapPod + `{"end":{"objects":1e99}}` + "\n"), 1, "line 3: "},
		{"no number", text(snapHead + snapPod + `{"end":null}` + "\n"), 1, "line 3: "},
		{"objects behind its end", text(whole + snapPod), 1, "malformed: there is something behind its end"},
		{"two snapshots", text(whole + whole), 1, "malformed: there is something behind its end"},
		{"an object twice", text(snapHead + snapPod + snapPod + snapEnd(2)), 1, "line 3: malformed: shop/Pod/good is there twice"},
		{"an empty line", text(snapHead + "\n" + snapPod + snapEnd(1)), 1, "line 2: "},
		{"lines of wrong types", text(snapHead + "7\n" + snapEnd(1)), 1, "line 2: malformed"},
		{"an object without a kind", text(snapHead + `{"metadata":{"name":"x"}}` + "\n" + snapEnd(1)), 1, "line 2: malformed: a line that is no object"},
		{"YAML", text(snapHead + "apiVersion: v1\n" + snapEnd(1)), 1, "line 2: "},
		{"fields of wrong types", text(snapHead + strings.Replace(snapPod, `"containers":[`, `"hostNetwork":"yes","volumes":{"a":1},"initContainers":7,"containers":[7,null,"x",`, 1) + snapEnd(1)), 0, ""},
		{"deep", text(snapHead + strings.Replace(snapPod, `"spec":{`, `"spec":{"x":`+strings.Repeat(`{"a":`, 50_000)+"1"+strings.Repeat("}", 50_000)+",", 1) + snapEnd(1)), 1, "line 2: "},
		{"deep and never closed", text(snapHead + strings.Repeat("[", 1_000_000) + "\n" + snapEnd(1)), 1, "line 2: "},
		{"a line of 9 MB", text(snapHead + strings.Replace(snapPod, `"good"`, `"good","x":"`+strings.Repeat("x", 9<<20)+`"`, 1) + snapEnd(1)), 1, "a line of more than 8 MB: limit exceeded"},
		{"a bomb of a line", packedBomb(snapHead+`{"a":"`, "x", 300<<20), 1, "a line of more than 8 MB: limit exceeded"},
		{"a bomb of a header", packedBomb(`{"bulwark":"`, "x", 300<<20), 1, "a line of more than 8 MB: limit exceeded"},
		{"a bomb of empty lines", packedBomb(snapHead, "\n", 300<<20), 1, "line 2: "},
		{"a bomb of one object", packedBomb(snapHead, snapPod, 300<<20), 1, "is there twice"},
		{"a bomb behind its end", packedBomb(whole, "\n", 300<<20), 1, "something behind its end"},
		{"wicked words", text(`{"bulwark":"cluster-snapshot/v1","cluster":"\u001b[31mprod\n\u009b31m","version":"\u001b[2J","namespaces":["\u001b[31m"]}` + "\n" + snapPod +
			`{"end":{"objects":1,"unseen":{"pods\u001b[31m":"\u001b[2J\nbulwark: error: x"},"notes":[{"plugin":"\u001b[31m","path":"\u001b[31m","text":"\u001b[31m\nbulwark: error: x","incomplete":true}]}}` + "\n"), 4, "[31m bulwark: error: x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.most = maxRSS
			bad := "snapshot:" + r.put("bad.snap", tt.data(t))
			next := "snapshot:" + r.put("next.snap", []byte(strings.Replace(snapHead, "prod", "next", 1)+snapPod+snapEnd(1)))
			res := r.scan(bad, "--only", "misconfig,exposure")
			want{code: tt.code, words: tt.words}.check(t, res)
			if tt.code != 1 {
				if !about(res, "workload/privileged", "shop/Pod/good") && tt.name != "fields of wrong types" {
					t.Errorf("nothing is found: %+v", res.report.Notes)
				}
				return
			}
			res = r.scan(bad, next, "--only", "misconfig,exposure")
			want{code: 4, words: tt.words}.check(t, res)
			if !about(res, "workload/privileged", "shop/Pod/good") {
				t.Error("the other snapshot is not looked at")
			}
		})
	}
}

// TestFlippedSnapshots: wherever a bit is wrong, it is said, and nothing breaks.
func TestFlippedSnapshots(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.most = maxRSS
	good := zstded(t, []byte(snapHead+snapPod+snapEnd(1)))
	var args []string
	for at := 4; at < len(good); at += 7 {
		args = append(args, "snapshot:"+r.put(fmt.Sprintf("%d.snap", at), flip(good, at)))
	}
	res := r.scan(append(args, "--only", "misconfig,exposure")...)
	if n := strings.Count(res.stderr, "bulwark: error: "); res.code != 1 || n != len(args) {
		t.Errorf("exit code %d, %d of %d snapshots are refused:\n%.3000s", res.code, n, len(args), res.stderr)
	}
}

// TestNoSnapshots: what is no file.
func TestNoSnapshots(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.most = maxRSS
	check(t, mkfifo(r.path("in", "pipe")))
	for ref, words := range map[string]string{
		"/nowhere": "not found", "/dev/zero": "limit exceeded", r.path("in"): "is a directory", r.path("in", "pipe"): "not done within",
	} {
		want{code: 1, words: words}.check(t, r.scan("snapshot:"+ref, "--timeout", "3s"))
	}
	// Without the prefix it is not taken for something else.
	bad := r.put("cut.snap", []byte(snapHead+snapPod))
	want{code: 1, words: "it is cut off"}.check(t, r.scan(bad))
	check(t, os.Remove(r.path("in", "pipe")))
}
