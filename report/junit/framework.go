package junit

import (
	"strings"

	"bulwark"
	"bulwark/report/internal/text"
)

// suiteOf is a framework as a suite: a control is a test, and one that nobody judged, or that
// does not apply, is skipped.
func suiteOf(f *bulwark.Framework, stamp string) suite {
	s := suite{Name: text.Clean(strings.TrimSpace(f.Title+" "+f.Version) + " " + string(f.Asset)), Time: "0", Timestamp: stamp}
	for i := range f.Controls {
		c := &f.Controls[i]
		one := testcase{Name: text.Clean(c.ID + " " + c.Title), Class: text.Clean(f.ID + "." + c.Section), Time: "0"}
		switch c.Status {
		case bulwark.StatusFail:
			one.Failure = &failure{Message: text.Clean(c.Reason), Type: c.Severity.String(), Text: text.Clean(strings.Join(c.Evidence, "\n"))}
		case bulwark.StatusPass:
		default:
			one.Skipped = &skipped{text.Clean(c.Status + ": " + c.Reason)}
		}
		s.Cases = append(s.Cases, one)
	}
	s.count()
	return s
}
