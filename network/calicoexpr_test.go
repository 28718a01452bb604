package network

import "testing"

func TestExpression(t *testing.T) {
	labels := []map[string]string{{"a": "x", "b": "y"}, {"a": "xylo"}, {}, {spaceLabel: "n", "pcns.a": "x"}}
	for text, want := range map[string]string{
		"":                                    "0123",
		"all()":                               "0123",
		"global()":                            "012",
		"a == 'x'":                            "0",
		`a != "x"`:                            "123",
		"has(a)":                              "01",
		"! has( a )":                          "23",
		"a in {'x', 'xylo'}":                  "01",
		"a in {}":                             "",
		"a not in {'x'}":                      "123",
		"a starts with 'xy'":                  "1",
		"a ends with 'x'":                     "0",
		"a contains 'yl'":                     "1",
		"has(a) && !has(b) || !has(a) ":       "123",
		"has(a) && (!has(b) || !has(a))":      "1",
		"!(a == 'x' || a == 'xylo')&&!!all()": "23",
		"a = 'x'":                             "error",
		"a == x":                              "error",
		"a == 'x' 'y'":                        "error",
		"(a == 'x'":                           "error",
		"has a":                               "error",
		"a ==":                                "error",
		"&&":                                  "error",
		"a in {'x' 'y'}":                      "error",
	} {
		got := ""
		x, err := expressionOf(text)
		if err != nil {
			got = "error"
		} else {
			for i := range x.match(newIndex(labels), "").each {
				got += string(rune('0' + i))
			}
		}
		if got != want {
			t.Errorf("%s: %q, not %q (%v)", text, got, want, err)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"has(a) && b in {'x'}", "!(a starts with \"x\")", "((((", "a not in {", "'"} {
		f.Add(s)
	}
	x := newIndex([]map[string]string{{"a": "x"}, {"b": "y"}})
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := expressionOf(text); err == nil {
			e.match(x, "")
		}
	})
}
