package version

import "github.com/google/osv-scalibr/semantic"

// library is an order of osv-scalibr's. It panics on some input, which here makes a
// version invalid.
func library(id byte, name, ecosystem string) *Order {
	return &Order{id, name,
		func(v string) bool {
			if !printable(v) {
				return false
			}
			_, err := compareLibrary(ecosystem, v, v)
			return err == nil
		},
		func(a, b string) int {
			c, err := compareLibrary(ecosystem, a, b)
			if err != nil {
				return 0
			}
			return c
		}}
}

func compareLibrary(ecosystem, a, b string) (c int, err error) {
	defer func() {
		if recover() != nil {
			c, err = 0, semantic.ErrInvalidVersion
		}
	}()
	v, err := semantic.Parse(a, ecosystem)
	if err != nil {
		return 0, err
	}
	return v.CompareStr(b)
}
