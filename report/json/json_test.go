package json_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bulwark"
	"bulwark/report"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
	"bulwark/report/json"
	"bulwark/report/jsonl"
)

func write(t *testing.T, f report.Format, r *bulwark.Report) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(f.New(&buf, report.Options{})); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestWrite(t *testing.T) {
	got := write(t, json.Format(), sample.Report())
	schema.Valid(t, json.Schema, got, nil)
	if bytes.ContainsAny(got, "\x1b\u202e") || bytes.Contains(got, []byte("null")) {
		t.Error("the report has control characters or null")
	}
	golden.Check(t, "report.json", got)
}

func TestWriteEmpty(t *testing.T) {
	got := write(t, json.Format(), &bulwark.Report{})
	schema.Valid(t, json.Schema, got, nil)
	if bytes.Contains(got, []byte("null")) {
		t.Errorf("null in\n%s", got)
	}
}

func TestStream(t *testing.T) {
	got := write(t, jsonl.Format(), sample.Report())
	if bytes.Contains(got, []byte("null")) {
		t.Error("the stream has null")
	}
	golden.Check(t, "report.jsonl", got)
}

func TestReadBack(t *testing.T) {
	want := sample.Report()
	ignore := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(bulwark.Package{}, "Format", "Arch"), cmpopts.IgnoreFields(bulwark.Run{}, "Now"), cmpopts.IgnoreUnexported(bulwark.Symbols{})}
	for _, f := range []report.Format{json.Format(), jsonl.Format()} {
		got, err := json.Read(bytes.NewReader(write(t, f, sample.Report())))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, diff)
		}
	}
}

func TestReadBad(t *testing.T) {
	whole := string(write(t, json.Format(), sample.Report()))
	stream := string(write(t, jsonl.Format(), sample.Report()))
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"empty", "", bulwark.ErrMalformed},
		{"cut", whole[:len(whole)/2], bulwark.ErrMalformed},
		{"cut stream", stream[:strings.LastIndex(stream[:len(stream)-1], "\n")+1], bulwark.ErrMalformed},
		{"another schema", `{"schema":"bulwark/report/v2","run":{}}`, bulwark.ErrUnsupported},
		{"an SBOM", `{"bomFormat":"CycloneDX"}`, bulwark.ErrUnsupported},
		{"no schema", `{"run":{"version":"1"},"summary":{}}`, bulwark.ErrUnsupported},
		{"wrong type", `{"schema":"bulwark/report/v1","run":{"targets":1},"summary":{}}`, bulwark.ErrMalformed},
		{"severity", `{"schema":"bulwark/report/v1","run":{},"findings":[{"severity":"awful"}],"summary":{}}`, bulwark.ErrMalformed},
		{"two reports", whole + whole, bulwark.ErrMalformed},
		{"list", `[]`, bulwark.ErrMalformed},
		{"deep", strings.Repeat("[", 100_000), bulwark.ErrMalformed},
	} {
		if _, err := json.Read(strings.NewReader(tt.in)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestReadLimit(t *testing.T) {
	if _, err := json.Read(endless{}); !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("%v, want a limit", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"bulwark/report/v1","run":{},"findings":[{"vulnerability":{}}],"advice":[{}],"summary":{}}`))
	f.Add([]byte("{\"schema\":\"bulwark/report/v1\",\"run\":{}}\n{\"advice\":{}}\n{\"summary\":{}}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := json.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		var buf bytes.Buffer
		if err := json.Write(&buf, r); err != nil {
			return // a time beyond the year 9999 cannot be written
		}
		if _, err := json.Read(&buf); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
