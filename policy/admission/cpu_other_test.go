//go:build !linux

package admission

import "time"

func processor() time.Duration { return 0 }
