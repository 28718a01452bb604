package bulwark

import "math"

// Factors is what risk is computed from. The zero value is an unrated problem of
// which nothing else is known.
type Factors struct {
	Severity Severity
	Score    float64 // CVSS base score, 0 when there is none
	EPSS     *EPSS
	KEV      bool // known to be exploited
	Fixable  bool // a fix exists, so acting helps
	InUse    *bool
}

// Risk ranks problems: 0 to 100, the higher the sooner. It is
//
//	impact * likelihood * fix * use
//
// impact: CVSS base score times 10, limited to the band of the severity, which leads
// (a distribution may rate otherwise than CVSS): low 10-39, medium 40-69, high
// 70-89, critical 90-100; without a score 25, 55, 80, 95; unknown 40.
// likelihood: 1 when known to be exploited; else 0.4 + 0.6*cbrt(EPSS), the cube root
// because EPSS bunches near zero; 0.5 without EPSS.
// fix: 1 with a fix, 0.85 without. use: 1 when in use, 0.4 when known not to be,
// 0.9 when not known.
func Risk(f Factors) int {
	likelihood := 0.5
	switch {
	case f.KEV:
		likelihood = 1
	case f.EPSS != nil:
		likelihood = 0.4 + 0.6*math.Cbrt(min(max(f.EPSS.Score, 0), 1))
	}
	fix := 0.85
	if f.Fixable {
		fix = 1
	}
	use := 0.9
	if f.InUse != nil {
		use = 0.4
		if *f.InUse {
			use = 1
		}
	}
	return int(math.Round(impact(f) * likelihood * fix * use))
}

func impact(f Factors) float64 {
	var least, most, unscored float64
	switch f.Severity {
	case SeverityLow:
		least, most, unscored = 10, 39, 25
	case SeverityMedium:
		least, most, unscored = 40, 69, 55
	case SeverityHigh:
		least, most, unscored = 70, 89, 80
	case SeverityCritical:
		least, most, unscored = 90, 100, 95
	default:
		return 40
	}
	if f.Score <= 0 {
		return unscored
	}
	return min(max(f.Score*10, least), most)
}
