package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"bulwark/internal/limit"
	"bulwark/source/manifest"
)

// chartOptions are the flags that say how Helm charts are rendered, called as helm's.
type chartOptions struct {
	values      []string
	set         []string
	setString   []string
	kube        []string
	apiVersions []string
	release     string
	into        string // the namespace
	given       map[string]any
}

// chartFlags adds them.
func (a *app) chartFlags(f *pflag.FlagSet) {
	c := &a.chart
	f.StringArrayVar(&c.values, "values", nil, "`FILE` of values for Helm charts, over those of the chart (repeatable)")
	f.StringArrayVar(&c.set, "set", nil, "a value for Helm charts: `KEY=VALUE`, in helm's notation (repeatable)")
	f.StringArrayVar(&c.setString, "set-string", nil, "the same, and the value is a text: `KEY=VALUE` (repeatable)")
	f.StringSliceVar(&c.kube, "kube-version", nil, "`VERSION` of Kubernetes to render Helm charts for (repeatable: each is rendered for)")
	f.StringSliceVar(&c.apiVersions, "api-versions", nil, "`GROUP/VERSION` that charts find served, beside those of any cluster (repeatable)")
	f.StringVar(&c.release, "release-name", "", "`NAME` of the release that charts are rendered as")
	if f.Lookup("namespace") == nil {
		f.StringVar(&c.into, "namespace", "", "`NAME` of the namespace that charts are rendered into")
	}
}

const maxValues = 16 << 20

// check reads the values, and says what is wrong with the flags.
func (c *chartOptions) check() error {
	var files [][]byte
	for _, name := range c.values {
		data, err := readValues(name)
		if err != nil {
			return usage("--values: %w", err)
		}
		files = append(files, data)
	}
	given, err := manifest.Values(files, c.set, c.setString)
	if err != nil {
		return usage("%w", err)
	}
	c.given = given
	for _, v := range c.kube {
		if err := manifest.CheckKube(v); err != nil {
			return usage("--kube-version: %w", err)
		}
	}
	return nil
}

func readValues(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limit.ReadAll(f, maxValues, name)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// manifests says how files become Kubernetes objects.
func (a *app) manifests() manifest.Options {
	now, _ := a.clock()
	c := &a.chart
	return manifest.Options{
		Exclude: a.exclude, Now: now,
		Charts: manifest.Charts{Values: c.given, Kube: c.kube, APIVersions: c.apiVersions, Release: c.release, Namespace: c.into},
	}
}
