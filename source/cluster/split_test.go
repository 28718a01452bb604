package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// TestSplit: a list is taken apart wherever the pieces of an answer end.
func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		`{"items":[]}`:   nil,
		`{"items":null}`: nil,
		` { "a" : [ {} , "]}" ] , "items" : [ {"a":"}\"]\\"} , 7 , -1.5e3, null , [[],{}], "x" ] , "metadata" : { "continue" : "c" } } `: {`{"a":"}\"]\\"}`, "7", "-1.5e3", "null", "[[],{}]", `"x"`},
		`{"\u0069tems":[1]}`: {"1"},
	} {
		var p page
		if err := p.read(iotest.OneByteReader(strings.NewReader(text))); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		var got []string
		for _, i := range p.items {
			got = append(got, string(i.text))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	for _, text := range []string{``, `[]`, `{`, `{}`, `{"items":{}}`, `{"items":[1 2]}`, `{"items":[,]}`, `{"items":nil}`, `{items:[]}`, `{"items" []}`, `<html>`, `{"items":[` + strings.Repeat("[", deepestAnswer+1), `{"metadata":[]}`} {
		if err := new(page).read(strings.NewReader(text)); err == nil {
			t.Errorf("%.40s is taken", text)
		}
	}
}

// TestSplitLarge: of an item that is too large no more is kept than that it is, and what follows is read.
func TestSplitLarge(t *testing.T) {
	var p page
	text := `{"items":[{"a":"` + strings.Repeat("x", maxObject) + `"},{"metadata":{"name":"b"}}]}`
	if err := p.read(strings.NewReader(text)); err != nil || len(p.items) != 2 || p.items[0].text != nil {
		t.Fatalf("%v, %d items", err, len(p.items))
	}
	if _, _, err := p.items[0].object(); !errors.Is(err, bulwark.ErrLimit) {
		t.Error(err)
	}
	if _, id, err := p.items[1].object(); err != nil || id != "/b" {
		t.Errorf("%q, %v", id, err)
	}
}

// FuzzSplit: what encoding/json takes for a list has the same items.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"kind":"List","metadata":{"continue":"x","resourceVersion":"1"},"items":[{"a":"\"}"},1,"x",null,[]]}`))
	f.Add([]byte(`{"items":null,"x":{"y":[1,2,{}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p page
		err := p.read(bytes.NewReader(text))
		var want struct {
			Items *[]json.RawMessage `json:"items"`
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(text, &fields) != nil || fields["items"] == nil || len(fields["metadata"]) > 0 {
			return
		}
		if json.Unmarshal([]byte(`{"items":`+string(fields["items"])+`}`), &want) != nil || strings.Count(string(text), "items") != 1 || bytes.Contains(text, []byte("\\u")) {
			return
		}
		var list []json.RawMessage
		if want.Items != nil {
			list = *want.Items
		}
		if err != nil || len(p.items) != len(list) {
			t.Fatalf("%v: %d items, want %d", err, len(p.items), len(list))
		}
		for i := range list {
			if !bytes.Equal(p.items[i].text, list[i]) {
				t.Errorf("%q, want %q", p.items[i].text, list[i])
			}
		}
	})
}
