package kube

import "testing"

func TestSize(t *testing.T) {
	n, err := ParseJSON([]byte(`{"ab":[1,"cde"],"f":{"g":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	// The map, the list with 1 and cde, the map with null; texts 1, cde and null; names ab, f, g.
	values, bytes, ok := n.Size(100)
	null := len(n.Get("f", "g").Text())
	if values != 6 || bytes != 4+null+4 || !ok {
		t.Errorf("%d values, %d bytes, %v", values, bytes, ok)
	}
	if values, _, ok := n.Size(3); ok || values > 4 {
		t.Errorf("%d values, %v: more than 3 are too many", values, ok)
	}
	if values, bytes, ok := (*Node)(nil).Size(1); values != 1 || bytes != 0 || !ok {
		t.Errorf("nothing: %d, %d, %v", values, bytes, ok)
	}
	bomb := ParseYAML([]byte("a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"))[0].Root
	if _, _, ok := bomb.Size(1000); ok {
		t.Error("aliases within aliases are counted as what they stand for")
	}
}
