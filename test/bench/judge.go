package main

import (
	"context"
	"fmt"
	"runtime"
	"strconv"

	"bulwark"
	"bulwark/check/network"
	engine "bulwark/network"
	"bulwark/test/internal/synth"
)

// judging checks what the policies of a town of that many workloads let through, and prints
// milliseconds of one processor for it after the engine is there, and how many findings there are.
func judging(workloads string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	n, err := strconv.Atoi(workloads)
	if err != nil {
		return err
	}
	s, err := setOf(synth.Town(1, n))
	if err != nil {
		return err
	}
	engine.Of(s)
	found := 0
	start := processor()
	err = network.New().Check(context.Background(), &bulwark.Target{Asset: bulwark.Asset{ID: "k8s:bench"}, Objects: s}, nil, func(bulwark.Record) { found++ })
	if err != nil {
		return err
	}
	fmt.Println((processor()-start).Seconds()*1000, found)
	return nil
}

// judge measures the check of what policies let through.
func (b *bench) judge(self string) error {
	for _, n := range []int{1000, 10_000} {
		f, _, err := b.figures(b.runs, self, "judging", fmt.Sprint(n))
		if err != nil {
			return err
		}
		fmt.Printf("| findings about policies (check/network), %d workloads: %.0f ms of a core, %.0f findings | | | | | |\n", n, f[0], f[1])
	}
	return nil
}
