package jsonscan

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// strings1 reads the top level's string members and the strings of its arrays.
func strings1(data []byte) (map[string]any, error) {
	got := map[string]any{}
	s := New(data)
	_, err := s.Object(func(name string) error {
		delete(got, name)
		switch s.Kind() {
		case '"':
			text, _, err := s.Text()
			got[name] = text
			return err
		case '[':
			var list []string
			_, err := s.Array(func() error {
				if text, ok, err := s.Text(); ok || err != nil {
					list = append(list, text)
					return err
				}
				return nil
			})
			got[name] = list
			return err
		}
		return nil
	})
	return got, err
}

func TestScanner(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want map[string]any
		err  error
	}{
		{in: `{"a":"b","n":1,"o":{"x":["}"]},"l":["c",2,["d"],"e"],"z":null}`, want: map[string]any{"a": "b", "l": []string{"c", "e"}}},
		{in: "\xef\xbb\xbf { } ", want: map[string]any{}},
		{in: `{"a":"1","a":"2"}`, want: map[string]any{"a": "2"}},
		{in: `{"a":"\u0041\n\"","b":"x",}`, want: map[string]any{"a": "A\n\"", "b": "x"}},
		{in: `["a"]`, want: map[string]any{}},
		{in: `{"a":"b`, err: bulwark.ErrMalformed},
		{in: `{"a":"b" "c":1}`, err: bulwark.ErrMalformed},
		{in: `{"a"}`, err: bulwark.ErrMalformed},
		{in: `{a:1}`, err: bulwark.ErrMalformed},
		{in: `{"a":,}`, err: bulwark.ErrMalformed},
		{in: ``, err: bulwark.ErrMalformed},
		{in: `{"a":"\x"}`, err: bulwark.ErrMalformed},
		{in: `{"a":` + strings.Repeat("[", 5000), err: bulwark.ErrLimit},
	} {
		got, err := strings1([]byte(tt.in))
		if !errors.Is(err, tt.err) {
			t.Errorf("%.40q: error %v, want %v", tt.in, err, tt.err)
		}
		if tt.err == nil {
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%.40q (-want +got):\n%s", tt.in, diff)
			}
		}
	}
}

// What encoding/json accepts is read in the same way.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{`{"a":"b","l":["c",2],"o":{"x":[]}}`, `{"a":"\ud83d\ude00"}`, `[1]`, `{"a":{}}`, `{"":""}`, `{"a" : 1.5e+3 , "b":true}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := strings1(data)
		var doc map[string]any
		if json.Unmarshal(data, &doc) != nil || doc == nil || !utf8.Valid(data) {
			return
		}
		if err != nil {
			if errors.Is(err, bulwark.ErrLimit) {
				return
			}
			t.Fatalf("%q: %v", data, err)
		}
		for name, v := range doc {
			if text, ok := v.(string); ok && got[name] != text {
				t.Fatalf("%q: member %q is %q, want %q", data, name, got[name], text)
			}
		}
	})
}
