package rules

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

// audited is an event of the audit log with the document.
func audited(doc string) *bulwark.Event {
	return &bulwark.Event{Num: 6, Time: testNow, Source: bulwark.SourceK8sAudit, Kind: bulwark.KindK8sAudit, Doc: []byte(doc)}
}

// outputOf is what a rule says of an event whose document it is.
func outputOf(t *testing.T, doc, output string) string {
	t.Helper()
	found := detector(t, bulwark.SourceK8sAudit, "evt.num >= 0", output).Observe(audited(doc))
	if len(found) != 1 {
		t.Fatalf("%d findings", len(found))
	}
	return found[0].Alert.Output
}

// TestDocument: values are shown as they stand in the document.
func TestDocument(t *testing.T) {
	for _, tt := range []struct{ doc, output, want string }{
		{`{"requestObject":{"data":{"z":"<a&b>","a":" é\u00e9\/","n":[1.50, 2e3 ,null,{ }]}}}`, "%ka.req.configmap.obj", `{"z":"<a&b>","a":" é\u00e9\/","n":[1.50,2e3,null,{}]}`},
		{" {\n \"requestObject\" : {\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"]} , 3]}\n}\n", "%ka.req.role.rules", `({"verbs":["get"],"apiGroups":[""]},3)`},
		{`{"verb":"a\n\"b\"\\","stage":"[1,2}"}`, "%ka.verb %ka.stage", `a\x0a"b"\ [1,2}`},
		{`{"requestObject":{"spec":{"tls":null,"n":0,"t":true}}}`, "%jevt.value[/requestObject/spec/tls] %jevt.value[/requestObject/spec/n] %jevt.value[/requestObject/spec/t] %jevt.value[/requestObject/spec/x]", "null 0 true <NA>"},
		{`{"user":{"groups":null},"sourceIPs":[],"impersonatedUser":null}`, "%ka.user.groups %ka.sourceips %ka.impuser.name", "<NA> <NA> <NA>"},
		{`{"a":{"":1,"~/":[{"b":"c"}]}}`, "%jevt.value[/a/] %jevt.value[/a/~0~1/0/b] %jevt.value[/a/~0~1/1/b] %jevt.value[/a/~0~1/b]", "1 c <NA> <NA>"},
		{`{"requestObject":{"spec":{"containers":[{"ports":[{"containerPort":80,"hostPort":8443},{"containerPort":9},{"hostPort":null}]},{},{"ports":[{"containerPort":53}]}]}}}`, "%ka.req.pod.containers.host_port %ka.req.pod.containers.host_port[2]", "(8443,9,53) (53)"},
		{`{"verb":"get"`, "%ka.verb", "<NA>"},
		{`"verb"`, "%ka.verb %jevt.value[/verb]", "<NA> <NA>"},
		{`{"a":1,"a":2}`, "%jevt.value[/a]", "2"},
	} {
		if got := outputOf(t, tt.doc, tt.output); got != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.output, tt.doc, got, tt.want)
		}
	}
	obj := audited(`{"requestObject":{"data":{"z":"<a&b>","a":""}}}`)
	if !matches(t, `ka.req.configmap.obj contains "<a&b>" and ka.req.configmap.obj startswith '{"z"'`, obj) {
		t.Error("a condition does not see the text as it is")
	}
}

// TestDocumentMasked: of documents secrets are hidden as of other texts, and they stay documents.
func TestDocumentMasked(t *testing.T) {
	v := strings.Repeat("q7Z", 4)
	for _, tt := range []struct{ data, want string }{
		{`{"app.json":"{\"password\": \"` + v + `\"}","b":1}`, `{"app.json":"{\"password\": \"***\"}","b":1}`},
		{`{"env":"user=root\npassword=` + v + `\nhost=db\n"}`, `{"env":"user=root\npassword=***\nhost=db\n"}`},
		{`{"z.ini":"aws_access_key_id = ` + v + `\nq=\"<a&b>\""}`, `{"z.ini":"aws_access_key_id = ***\nq=\"<a&b>\""}`},
		{`{"password":"` + v + ` ` + v + `"}`, `{"password":"***"}`},
		{"{\"a\":\"\u202e\x7f\xff\U000e0001\"}", `{"a":"\u202e\u007f` + "\ufffd" + `\udb40\udc01"}`},
	} {
		doc := `{"requestObject":{"data":` + tt.data + `,"rules":[` + tt.data + `]}}`
		if got, want := outputOf(t, doc, "%ka.req.configmap.obj %ka.req.role.rules"), tt.want+" ("+tt.want+")"; got != want {
			t.Errorf("%s is shown as %s, want %s", doc, got, want)
		}
	}
	if got, want := outputOf(t, `{"verb":"get","user":{"username":"a\nb"}}`, "%jevt.obj"), "{\n  \"verb\": \"get\",\n  \"user\": {\n    \"username\": \"a\\nb\"\n  }\n}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	long := outputOf(t, `{"requestObject":{"data":{"a":"`+strings.Repeat("x", maxValue)+`","password":"`+v+`"}}}`, "%ka.req.configmap.obj")
	if len(long) > maxValue+3 || !strings.HasSuffix(long, "...") {
		t.Errorf("%d bytes are shown, the last %q", len(long), long[len(long)-9:])
	}
	o := options(ruleFile(bulwark.SourceK8sAudit, "ka.req.role.rules exists", "x"))
	o.Explain = true
	if got := observe(t, o, audited(`{"requestObject":{"rules":[{"password":"`+v+` x"}]}}`))[0].Evidence[1]; got != `met: ka.req.role.rules exists, it is ({"password":"***"})` {
		t.Error(got)
	}
}

// TestListOutput: a list is one to programs, and stands in parentheses for people.
func TestListOutput(t *testing.T) {
	doc := `{"user":{"groups":["a","b, c"]},"requestObject":{"rules":[{"verbs":["get"]}]}}`
	f := detector(t, bulwark.SourceK8sAudit, "evt.num >= 0", "%ka.user.groups %toupper(ka.user.groups) %ka.req.role.rules %ka.sourceips").Observe(audited(doc))[0]
	if want := `(a,b, c) (A,B, C) ({"verbs":["get"]}) <NA>`; f.Alert.Output != want {
		t.Errorf("%s, want %s", f.Alert.Output, want)
	}
	want := []bulwark.AlertField{
		{Name: "ka.user.groups", Value: []string{"a", "b, c"}}, {Name: "toupper(ka.user.groups)", Value: []string{"A", "B, C"}},
		{Name: "ka.req.role.rules", Value: []string{`{"verbs":["get"]}`}}, {Name: "ka.sourceips"},
	}
	if diff := cmp.Diff(want, f.Alert.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	long := `{"user":{"groups":["` + strings.Repeat("x", maxValue) + `","y","z"]}}`
	f = detector(t, bulwark.SourceK8sAudit, "evt.num >= 0", "%ka.user.groups").Observe(audited(long))[0]
	if list := f.Alert.Fields[0].Value.([]string); len(list) != 2 || list[1] != "..." {
		t.Errorf("%d values of a list that is too long, the last %q", len(list), list[len(list)-1])
	}
}

// FuzzDocument: whatever is valid is read like encoding/json has it, and what is not is nothing.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{auditDoc, `[]`, `[1,"a\"]",{"b":[]}]`, `{"a":"\\"}`, ` null`, `{"a" : -1e5 , "b":{"c":[[],[{}]]}}`, `{`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := &event{Event: audited(s), serve: 1}
		if x := v.json(); x != nil {
			visit(t, x)
		}
	})
}

// visit reads all of a value, and holds it to the same read otherwise.
func visit(t *testing.T, x *value) {
	var want any
	if err := json.Unmarshal(x.raw, &want); err != nil {
		t.Fatalf("%q is no value: %v", x.raw, err)
	}
	text, ok := scalar(x)
	if s, isText := want.(string); !ok || isText && text != s && utf8.Valid(x.raw) {
		t.Errorf("%q is read as %q", x.raw, text)
	}
	x.open()
	switch want := want.(type) {
	case map[string]any:
		if len(x.names) != len(want) && utf8.Valid(x.raw) {
			t.Errorf("%q has %d members", x.raw, len(x.names))
		}
	case []any:
		if len(items(x)) != len(want) {
			t.Errorf("%q has %d items", x.raw, len(items(x)))
		}
	}
	for i := range x.items {
		visit(t, &x.items[i])
	}
}
