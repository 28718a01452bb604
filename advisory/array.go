package advisory

import (
	"bytes"
	"encoding/json"
	"fmt"

	"bulwark"
	"bulwark/advisory/internal/osv"
)

// takeAll spills every record of a document: a file holds one, or a list of them, as the
// feed of Kubernetes' own vulnerabilities does.
func (w *worker) takeAll(d osv.Doc) error {
	if list := bytes.TrimLeft(d.Data, " \t\r\n"); d.Err != nil || len(list) == 0 || list[0] != '[' {
		return w.take(d)
	}
	var records []json.RawMessage
	if err := json.Unmarshal(d.Data, &records); err != nil {
		w.c.skip(fmt.Errorf("%s: %w: %w", d.Name, bulwark.ErrMalformed, err))
		return nil
	}
	if len(d.Data) > osv.MaxRecord {
		w.c.skip(fmt.Errorf("%s: a list of more than %d bytes: %w", d.Name, osv.MaxRecord, bulwark.ErrLimit))
		return nil
	}
	if len(records) == 0 {
		w.c.skip(fmt.Errorf("%s: an empty list: %w", d.Name, bulwark.ErrMalformed))
	}
	for _, r := range records {
		one := d
		one.Data = r
		if err := w.take(one); err != nil {
			return err
		}
	}
	return nil
}
