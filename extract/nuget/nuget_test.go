package nuget

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/internal/lang"
)

func file(path, content string) *bulwark.File {
	f := &bulwark.File{ReaderAt: strings.NewReader(content)}
	f.SetPath(path)
	f.Size = int64(len(content))
	return f
}

const deps = `{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},"targets":{".NETCoreApp,Version=v8.0":{}},"libraries":{
 "app/1.0.0":{"type":"project","serviceable":false},
 "Newtonsoft.Json/13.0.1":{"type":"package","serviceable":true,"sha512":"x"},
 "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1":{"type":"runtimepack"}}}`

const spec = "\xef\xbb\xbf" + `<?xml version="1.0" encoding="utf-8"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
<id>Newtonsoft.Json</id><version>13.0.1</version><license type="expression">MIT</license><licenseUrl>https://licenses.nuget.org/MIT</licenseUrl>
<dependencies><group><dependency id="x" version="1"/></group></dependencies></metadata></package>`

func TestExtract(t *testing.T) {
	const at = "root/.nuget/packages/newtonsoft.json/13.0.1/newtonsoft.json.nuspec"
	for _, tt := range []struct {
		path, content string
		want          []string
		err           error
	}{
		{path: "app/app.deps.json", content: deps, want: []string{"Newtonsoft.Json@13.0.1 [] pkg:nuget/Newtonsoft.Json@13.0.1", "Microsoft.NETCore.App.Runtime.linux-x64@8.0.1 [] pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1"}},
		{path: "app/app.deps.json", content: `{"libraries":[]}`},
		{path: "app/app.deps.json", content: `[]`, err: bulwark.ErrMalformed},
		{path: "app/app.deps.json", content: `{"libraries":{"a/1":{"type":"package"},"b/\u00071":{"type":"package"}`, want: []string{"a@1 [] pkg:nuget/a@1"}, err: bulwark.ErrMalformed},
		{path: at, content: spec, want: []string{"Newtonsoft.Json@13.0.1 [MIT] pkg:nuget/Newtonsoft.Json@13.0.1"}},
		{path: at, content: strings.Replace(spec, `<license type="expression">MIT</license>`, "", 1), want: []string{"Newtonsoft.Json@13.0.1 [MIT] pkg:nuget/Newtonsoft.Json@13.0.1"}},
		{path: at, content: strings.Replace(spec, `expression">MIT`, `file">LICENSE.md`, 1), want: []string{"Newtonsoft.Json@13.0.1 [MIT] pkg:nuget/Newtonsoft.Json@13.0.1"}},
		{path: at, content: "<package><metadata>", want: []string{"newtonsoft.json@13.0.1 [] pkg:nuget/newtonsoft.json@13.0.1"}, err: bulwark.ErrMalformed},
		{path: at, content: "<package>" + strings.Repeat("<a/>", 10_000), want: []string{"newtonsoft.json@13.0.1 [] pkg:nuget/newtonsoft.json@13.0.1"}, err: bulwark.ErrLimit},
	} {
		f := file(tt.path, tt.content)
		if !New().Wants(&f.FileInfo) {
			t.Errorf("%s is not wanted", f.Path)
		}
		facts, err := New().Extract(t.Context(), f)
		if !errors.Is(err, tt.err) || err != nil && tt.err == nil {
			t.Errorf("%s %.40s: error %v, want %v", tt.path, tt.content, err, tt.err)
		}
		var got []string
		for _, p := range facts.Packages {
			got = append(got, fmt.Sprintf("%s@%s %s %s", p.Name, p.Version, p.Licenses, p.PURL))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %.40s (-want +got):\n%s", tt.path, tt.content, diff)
		}
	}
}

func TestWants(t *testing.T) {
	for _, path := range []string{"src/app.nuspec", "app.runtimeconfig.json", "x/y/z.nuspec"} {
		if f := file(path, "x"); New().Wants(&f.FileInfo) {
			t.Errorf("%s is wanted", path)
		}
	}
}

func FuzzExtract(f *testing.F) {
	f.Add(deps, true)
	f.Add(spec, false)
	f.Fuzz(func(t *testing.T, content string, json bool) {
		path := "p/x/1/x.nuspec"
		if json {
			path = "x.deps.json"
		}
		facts, _ := New().Extract(t.Context(), file(path, content))
		for _, p := range facts.Packages {
			if p.Name == "" || !lang.Printable(p.Name+p.Version+strings.Join(p.Licenses, "")) {
				t.Fatalf("%+v passed", p)
			}
		}
	})
}
