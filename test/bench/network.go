package main

import (
	"fmt"
	"runtime"
	"strconv"
	"time"

	"bulwark/kube"
	"bulwark/network"
	"bulwark/test/internal/synth"
)

// reaching makes the engine of who can talk to whom for a town of that many workloads, and
// prints milliseconds of one processor for it, MB that it takes, milliseconds for one changed
// policy (with addresses that are known, with new ones) and for what explains one pair.
func reaching(workloads string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	n, err := strconv.Atoi(workloads)
	if err != nil {
		return err
	}
	s, err := setOf(synth.Town(1, n))
	if err != nil {
		return err
	}
	s.Workloads()
	before := heap()
	start := processor()
	e := network.New(s)
	made := processor() - start
	size := heap() - before
	same, err := changing(e, "p5", "")
	if err != nil {
		return err
	}
	cut, err := changing(e, "p5", "10.5.1.0/25")
	if err != nil {
		return err
	}
	const times = 100
	start = processor()
	for i := range times {
		e.Explain(i%n, (i*7919+1)%n, network.TCP, 8080)
	}
	explain := (processor() - start) / times
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	fmt.Println(ms(made), float64(size)/1e6, ms(same), ms(cut), ms(explain), len(e.Policies))
	return nil
}

// changing is how long it takes to put another policy in the place of one, with a block of
// addresses that no policy has, unless it is "".
func changing(e *network.Engine, name, cidr string) (time.Duration, error) {
	from := `{"podSelector":{}}`
	if cidr != "" {
		from = fmt.Sprintf(`{"ipBlock":{"cidr":%q}}`, cidr)
	}
	root, err := kube.ParseJSON(fmt.Appendf(nil, `{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":%q,"namespace":"ns5"},
		"spec":{"podSelector":{"matchLabels":{"app":"w5"}},"ingress":[{"from":[%s],"ports":[{"port":8080}]}]}}`, name, from))
	if err != nil {
		return 0, err
	}
	o, _ := kube.NewObject(root, kube.Origin{})
	const times = 10
	start := processor()
	for range times {
		e.With(o)
	}
	return (processor() - start) / times, nil
}

// heap is what is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// network measures the engine of who can talk to whom.
func (b *bench) network(self string) error {
	for _, n := range []int{1000, 10_000} {
		f, _, err := b.figures(b.runs, self, "reaching", fmt.Sprint(n))
		if err != nil {
			return err
		}
		fmt.Printf("| who can talk to whom, %d workloads, %.0f policies: %.1f ms of a core, %.0f MB; one changed policy %.1f ms, with new addresses %.1f ms; one pair explained %.3f ms | | | | | |\n", n, f[5], f[0], f[1], f[2], f[3], f[4])
	}
	return nil
}
