package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"bulwark"
	"bulwark/kube"
)

func TestSnapshot(t *testing.T) {
	f := filled(t)
	f.answer = on("/api/v1/services", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "no") })
	o := f.options(t)
	o.ReadSecrets = true
	var b bytes.Buffer
	taken, err := (&Source{o}).Save(t.Context(), "", &b)
	if err != nil || taken.Objects != 17 {
		t.Fatalf("%+v %v", taken, err)
	}
	z, err := zstd.NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{planted, base64.StdEncoding.EncodeToString([]byte(planted)), "tok_abcd", "good"} {
		if bytes.Contains(plain, []byte(never)) {
			t.Errorf("the snapshot holds %q", never)
		}
	}
	live := open(t, o)
	for _, file := range [][]byte{b.Bytes(), plain} {
		got, err := readSnapshot(t.Context(), bytes.NewReader(file), newKeeper())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(texts(live), texts(got)); diff != "" {
			t.Errorf("live and snapshot differ:\n%s", diff)
		}
		if !cmp.Equal(got.Notes, live.Notes) || !cmp.Equal(kube.Of(got).Cluster, kube.Of(live).Cluster) || got.Asset.ID != live.Asset.ID {
			t.Errorf("%v %v\n%+v %+v", got.Notes, live.Notes, kube.Of(got).Cluster, kube.Of(live).Cluster)
		}
		for cut := 0; cut < len(file); cut += 1 + len(file)/40 {
			if _, err := readSnapshot(t.Context(), bytes.NewReader(file[:cut]), newKeeper()); !errors.Is(err, bulwark.ErrMalformed) {
				t.Errorf("cut at %d of %d: %v", cut, len(file), err)
			}
		}
	}
}

// texts are the objects of a target without hashes, whose key is another for each run.
func texts(t *bulwark.Target) []string {
	var list []string
	for _, o := range kube.Of(t).Objects {
		text := string(o.Root.JSON())
		if v := kube.ValuesOf(o); v != nil {
			for _, k := range v.Keys {
				text = strings.ReplaceAll(text, k.Hash, "HASH")
			}
		}
		list = append(list, text)
	}
	return list
}

func TestSnapshotRefused(t *testing.T) {
	head := `{"bulwark":"cluster-snapshot/v1","cluster":"c"}` + "\n"
	bomb := func() []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b)
		io.WriteString(z, head)
		line := []byte(`{"apiVersion":"v1","kind":"X","metadata":{"name":"x"},"spec":[` + strings.Repeat("0,", 1<<19) + "0]}\n")
		for range 100 {
			z.Write(line)
		}
		z.Close()
		return b.Bytes()
	}
	long := func() []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b)
		io.WriteString(z, head+`{"apiVersion":"`)
		for range 20 {
			z.Write(bytes.Repeat([]byte("a"), 1<<20))
		}
		z.Close()
		return b.Bytes()
	}
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, bulwark.ErrMalformed},
		{"other", []byte(`{"schema":"x"}` + "\n"), bulwark.ErrMalformed},
		{"newer", []byte(`{"bulwark":"cluster-snapshot/v9"}` + "\n"), bulwark.ErrUnsupported},
		{"no object", []byte(head + "{}\n"), bulwark.ErrMalformed},
		{"no json", []byte(head + "hello\n"), bulwark.ErrMalformed},
		{"fewer", []byte(head + `{"end":{"objects":3}}` + "\n"), bulwark.ErrMalformed},
		{"bomb", bomb(), bulwark.ErrLimit},
		{"one line", long(), bulwark.ErrLimit},
		{"deep", []byte(head + `{"apiVersion":` + strings.Repeat("[", 100000) + "\n"), bulwark.ErrLimit},
	} {
		k := newKeeper()
		k.most = 1 << 20
		if _, err := readSnapshot(t.Context(), bytes.NewReader(tt.data), k); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	ok := head + `{"apiVersion":"v1","kind":"X","metadata":{"name":"x"}}` + "\n" + `{"end":{"objects":1,"notes":[{"text":"a\u001b[31mb"}]}}` + "\n"
	target, err := readSnapshot(t.Context(), strings.NewReader(ok), newKeeper())
	if err != nil || target.Notes[0].Text != "a[31mb" {
		t.Errorf("%v %v", target, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readSnapshot(ctx, strings.NewReader(head+strings.Repeat(`{"apiVersion":"v1","kind":"X","metadata":{"name":"x"}}`+"\n", 5000)), newKeeper()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzSnapshot(f *testing.F) {
	head := `{"bulwark":"cluster-snapshot/v1","cluster":"c"}` + "\n"
	f.Add([]byte(head + `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"bulwark":{"read":true,"keys":[{"name":1}]}}` + "\n" + `{"end":{"objects":1}}` + "\n"))
	f.Add([]byte(head + `{"end":{"objects":0,"unseen":{"a":"b"}}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		target, err := readSnapshot(t.Context(), bytes.NewReader(data), newKeeper())
		if err != nil {
			return
		}
		s := kube.Of(target)
		s.Workloads()
		for _, o := range s.Objects {
			kube.ValuesOf(o)
		}
	})
}
