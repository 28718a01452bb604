// The program helm renders charts by helm's own engine, for tests to compare with: it reads
// a request on standard input and writes what the templates give.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

type request struct {
	Dir       string
	Values    map[string]any
	Release   string
	Namespace string
	Kube      string
	APIs      []string
}

type answer struct {
	Manifests map[string]string
	Error     string
	Served    []string // the versions that helm takes to be served
}

func main() {
	log.SetFlags(0)
	in := json.NewDecoder(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.More() {
		var r request
		if err := in.Decode(&r); err != nil {
			log.Fatal(err)
		}
		a := answer{Served: chartutil.DefaultVersionSet}
		m, err := render(&r)
		a.Manifests = m
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			log.Fatal(err)
		}
	}
}

// render does what "helm template" does up to the sorting of manifests.
func render(r *request) (map[string]string, error) {
	c, err := loader.Load(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("loading: %w", err)
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, r.Values); err != nil {
		return nil, err
	}
	kube, err := chartutil.ParseKubeVersion(r.Kube)
	if err != nil {
		return nil, err
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = *kube
	caps.APIVersions = append(append(chartutil.VersionSet{}, caps.APIVersions...), r.APIs...)
	o := chartutil.ReleaseOptions{Name: r.Release, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValuesWithSchemaValidation(c, r.Values, o, caps, true)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, values)
}
