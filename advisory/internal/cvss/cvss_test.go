package cvss

import (
	"errors"
	"testing"

	"bulwark"
)

// The scores are FIRST's: the specifications' examples and the calculators.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		vector string
		want   float64
	}{
		{"AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8},
		{"(AV:N/AC:L/Au:N/C:C/I:C/A:C)", 10},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10},
		{"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3},
	} {
		got, err := Score(tt.vector)
		if err != nil || got != tt.want {
			t.Errorf("Score(%q) = %v, %v, want %v", tt.vector, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "9.8", "CVSS:3.1/AV:X", "CVSS:5.0/AV:N", "CVSS:4.0/"} {
		if s, err := Score(bad); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("Score(%q) = %v, %v, want ErrMalformed", bad, s, err)
		}
	}
}

func FuzzScore(f *testing.F) {
	f.Add("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H")
	f.Add("AV:N/AC:L/Au:N/C:N/I:N/A:C")
	f.Fuzz(func(t *testing.T, v string) {
		if s, err := Score(v); err == nil && (s < 0 || s > 10) {
			t.Errorf("Score(%q) = %v", v, s)
		}
	})
}
