// Package cvss scores CVSS vectors of every version.
package cvss

import (
	"fmt"
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"

	"bulwark"
)

// maxVector bounds foreign vectors, in bytes; a full v4 vector has about 200.
const maxVector = 512

// Version ranks a vector by its CVSS version: 40, 31, 30 or 20.
func Version(vector string) int {
	switch {
	case strings.HasPrefix(vector, "CVSS:4"):
		return 40
	case strings.HasPrefix(vector, "CVSS:3.1"):
		return 31
	case strings.HasPrefix(vector, "CVSS:3"):
		return 30
	}
	return 20
}

// Score is the base score of a vector, 0 to 10; for v4 the score of what the vector
// says. The error wraps [bulwark.ErrMalformed].
func Score(vector string) (score float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("CVSS vector %q: %w", vector, bulwark.ErrMalformed)
		}
	}()
	if len(vector) > maxVector {
		return 0, fmt.Errorf("CVSS vector of %d bytes: %w", len(vector), bulwark.ErrMalformed)
	}
	score, err = base(vector)
	if err != nil {
		return 0, fmt.Errorf("CVSS vector %q: %w: %w", vector, bulwark.ErrMalformed, err)
	}
	return score, nil
}

func base(vector string) (float64, error) {
	switch Version(vector) {
	case 40:
		v, err := cvss40.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.Score(), nil
	case 31:
		v, err := cvss31.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.BaseScore(), nil
	case 30:
		v, err := cvss30.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.BaseScore(), nil
	}
	v, err := cvss20.ParseVector(strings.Trim(vector, "()"))
	if err != nil {
		return 0, err
	}
	return v.BaseScore(), nil
}
