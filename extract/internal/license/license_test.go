package license

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"MIT", "MIT"},
		{"mit", "MIT"},
		{"MIT License", "MIT"},
		{"The MIT License (MIT)", "MIT"},
		{"The Apache Software License, Version 2.0", "Apache-2.0"},
		{"Apache License, Version 2.0", "Apache-2.0"},
		{"Apache License v2.0", "Apache-2.0"},
		{"https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"},
		{"http://www.apache.org/licenses/LICENSE-2.0.html", "Apache-2.0"},
		{"http://opensource.org/licenses/MIT/", "MIT"},
		{"New BSD License", "BSD-3-Clause"},
		{"BSD", "BSD"},
		{"(MIT OR Apache-2.0)", "MIT OR Apache-2.0"},
		{"mit or apache-2.0", "MIT OR Apache-2.0"},
		{"MIT/Apache-2.0", "MIT OR Apache-2.0"},
		{"(MIT AND (Zlib OR GPL-2.0+))", "(MIT AND (Zlib OR GPL-2.0-or-later))"},
		{"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"},
		{"GPL-2.0", "GPL-2.0-only"},
		{"Apache-2.0+", "Apache-2.0+"},
		{"LicenseRef-Mine AND MIT", "LicenseRef-Mine AND MIT"},
		{"MIT OR", "MIT OR"},
		{"SEE LICENSE IN LICENSE.md", "SEE LICENSE IN LICENSE.md"},
		{"UNKNOWN", ""},
		{"a\x1b[31m", ""},
		{strings.Repeat("Permission is hereby granted ", 20), ""},
	} {
		if got := Of(tt.in); got != tt.want {
			t.Errorf("Of(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestList(t *testing.T) {
	if diff := cmp.Diff([]string{"MIT", "Ruby"}, List("MIT License", "", "mit", "Ruby")); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

// What is known stays what it is when it is read again.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"MIT", "(MIT OR Apache-2.0)", "GPL-2.0+ WITH x-exception", "http://www.apache.org/licenses/", "((MIT)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Of(s)
		if again := Of(got); again != got {
			t.Errorf("Of(%q) = %q, and of that %q", s, got, again)
		}
	})
}
