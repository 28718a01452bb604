package overlay

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"bulwark"
)

const (
	maxTime    = 20 * time.Second
	maxObjects = 50_000
)

// schemas guards what the library keeps of OpenAPI for all builds: those that share what
// comes with it read it at once, when it was made before; any other one is alone.
var schemas struct {
	sync.RWMutex
	ready bool
}

// Prepare makes what builds share, so that several may run at once. It takes as long as a
// small build does.
func Prepare() {
	schemas.Lock()
	defer schemas.Unlock()
	if !schemas.ready {
		openapi.Schema()
		schemas.ready = true
	}
}

// guarded runs a build, alone when it must be. One with a schema of its own leaves nothing
// behind: the next one would be built by it.
func guarded(own bool, build func()) {
	if !own {
		schemas.RLock()
		if schemas.ready {
			defer schemas.RUnlock()
			build()
			return
		}
		schemas.RUnlock()
	}
	schemas.Lock()
	defer schemas.Unlock()
	if own {
		defer func() {
			openapi.ResetOpenAPI()
			schemas.ready = false
		}()
	}
	build()
}

// alone is held while something large is built.
var alone sync.Mutex

// Build builds the kustomization in a folder; all are those that it may use, by folder.
// Plugins says whether its generators, transformers and validators take part. It gives the objects as
// JSON. The error
// wraps ErrMalformed or ErrLimit, or is the context's.
func (t *Tree) Build(ctx context.Context, dir string, all map[string]*Kustomization, plugins bool) ([][]byte, error) {
	own := &Tree{Root: t.Root, Around: t.Around, At: t.At, instead: map[string][]byte{}}
	heavy, err := own.affordable(ctx, dir, all, plugins)
	if err != nil {
		return nil, err
	}
	if heavy {
		alone.Lock()
		defer alone.Unlock()
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	own.reads, own.bytes, own.err = 0, 0, ctx.Err
	schema := false
	for _, k := range all {
		schema = schema || k.schema
		own.instead[k.File] = k.clean
		if !plugins {
			own.instead[k.File] = k.tame
		}
	}
	type result struct {
		list [][]byte
		err  error
	}
	done := make(chan result, 1)
	go func() { // the library cannot be interrupted: it ends at the next file that it asks for
		guarded(schema, func() {
			list, err := own.run(dir)
			done <- result{list, err}
		})
	}()
	select {
	case r := <-done:
		return r.list, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the kustomization takes longer than %s: %w", maxTime, bulwark.ErrLimit)
	}
}

func (t *Tree) run(dir string) (list [][]byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			list, err = nil, fmt.Errorf("%w: kustomize failed: %v", bulwark.ErrMalformed, p)
		}
	}()
	o := krusty.MakeDefaultOptions()
	o.LoadRestrictions = types.LoadRestrictionsNone // the tree itself ends at the folder
	m, err := krusty.MakeKustomizer(o).Run(t, path.Clean("/"+dir))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", bulwark.ErrMalformed, strings.Join(strings.Fields(err.Error()), " "))
	}
	if m.Size() > maxObjects {
		return nil, fmt.Errorf("more than %d objects: %w", maxObjects, bulwark.ErrLimit)
	}
	for _, res := range m.Resources() {
		data, err := asJSON(res)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", bulwark.ErrMalformed, err)
		}
		list = append(list, data)
	}
	return list, nil
}
