package advisory

import (
	"fmt"

	"bulwark"
)

func errNoOrder(ecosystem string) error {
	return fmt.Errorf("order of versions in %q: %w", ecosystem, bulwark.ErrUnsupported)
}

func errVersion(ecosystem, v string) error {
	return fmt.Errorf("%q as a version of %s: %w", v, ecosystem, bulwark.ErrMalformed)
}
