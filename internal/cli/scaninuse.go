package cli

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"bulwark/detect/profile"
	"bulwark/scan"
)

func (a *app) inUseFlag(f *pflag.FlagSet) {
	f.StringArrayVar(&a.inUse, "in-use", nil, "mark what is in use by `FILE`: a profile of bulwark watch --learn, a folder of them, or bulwark profile export -f in-use (repeatable)")
}

// loaded are the files that profiles saw loaded, of each image.
func (a *app) loaded() (list []*scan.Loaded, err error) {
	for _, name := range a.inUse {
		all := map[string]*profile.Profile{}
		if st, e := os.Stat(name); e == nil && st.IsDir() {
			all, err = profile.Folder(name, func(file string, err error) { fmt.Fprintf(a.err, "bulwark: note: %s\n", clean(file+": "+err.Error())) })
		} else {
			all[""], err = profile.Read(name)
		}
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--in-use: %w", err), hint: "profiles are made by bulwark watch --learn FOLDER"}
		}
		for _, key := range slices.Sorted(maps.Keys(all)) {
			list = append(list, loadedBy(all[key]))
		}
	}
	return list, nil
}

func loadedBy(p *profile.Profile) *scan.Loaded {
	l := &scan.Loaded{Files: slices.Sorted(maps.Keys(p.Loaded)), Enough: p.Thin() == "" && p.Full["loaded"] == 0}
	for _, digest := range []string{p.ID, p.Digest} {
		if digest != "" {
			l.For = append(l.For, digest)
		}
	}
	l.By = fmt.Sprintf("observed for %s over %d starts", time.Duration(p.Seconds)*time.Second, p.Starts)
	return l
}
