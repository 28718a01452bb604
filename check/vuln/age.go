package vuln

import (
	"fmt"
	"time"

	"bulwark"
)

const (
	day = 24 * time.Hour
	// old is the age from which on a reader is warned about the data.
	old = 7 * day
	// stale is the age of the newest record from which on a database that was built
	// lately is still warned about: it was built from old data.
	stale = 30 * day
)

// age warns about old data.
func (c *Check) age() []bulwark.Note {
	info := c.db.Info()
	if c.o.Now.IsZero() {
		return nil
	}
	if age := c.o.Now.Sub(info.Built); !info.Built.IsZero() && age > old {
		return []bulwark.Note{{Plugin: name, Text: fmt.Sprintf("the advisory database was built %d days ago (%s); run: bulwark db update",
			age/day, info.Built.UTC().Format(time.DateOnly))}}
	}
	newest := time.Time{}
	for _, s := range info.Sources {
		if s.Newest.After(newest) {
			newest = s.Newest
		}
	}
	if age := c.o.Now.Sub(newest); !newest.IsZero() && age > stale {
		return []bulwark.Note{{Plugin: name, Text: fmt.Sprintf("the newest advisory in the database is %d days old (%s): it was built from old data",
			age/day, newest.UTC().Format(time.DateOnly))}}
	}
	return nil
}
