package main

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"syscall"
	"time"

	"bulwark/kube"
	"bulwark/policy/admission"
	"bulwark/test/internal/synth"
)

// policies asks the policies of a folder about the objects of a cluster of that many pods, and
// prints microseconds of one processor for one expression about one object, and how many
// expressions were asked. All that is done for a verdict is in it; variables, conditions and
// messages do not count as expressions.
func policies(folder, pods string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	set, err := admission.Load(folder)
	if err != nil {
		return err
	}
	list, err := cluster(pods)
	if err != nil {
		return err
	}
	namespaces := map[string]*kube.Object{}
	for _, o := range list.Objects {
		if ns := o.Namespace; ns != "" && namespaces[ns] == nil {
			namespaces[ns] = admission.Namespace(list, ns)
		}
	}
	expressions := 0
	runtime.GC() // of what made the cluster
	start := processor()
	for range 5 {
		for _, o := range list.Objects {
			r := admission.Create(o, namespaces[o.Namespace])
			if _, err := set.Evaluate(context.Background(), r); err != nil {
				return err
			}
			expressions += r.Evaluated
			r.Done()
		}
	}
	fmt.Println(float64((processor()-start).Nanoseconds())/1000/float64(expressions), expressions)
	return nil
}

// cluster is a cluster of that many pods.
func cluster(pods string) (*kube.Set, error) {
	n := 0
	if _, err := fmt.Sscan(pods, &n); err != nil {
		return nil, err
	}
	return setOf(synth.Cluster(1, n))
}

// setOf is the objects that a generator makes.
func setOf(objects iter.Seq[[]byte]) (*kube.Set, error) {
	s := &kube.Set{Cluster: &kube.Cluster{Name: "bench", Version: "v1.34.1"}}
	for data := range objects {
		root, err := kube.ParseJSON(data)
		if err != nil {
			return nil, err
		}
		if o, ok := kube.NewObject(root, kube.Origin{}); ok {
			s.Objects = append(s.Objects, o)
		}
	}
	return s, nil
}

// processor is the time that this process has had of processors.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
