package prometheus

import (
	"fmt"
	"io"
	"strconv"

	"bulwark"
)

// Load is what a container takes, by what [Loads] says of each figure. What is negative is not known, and not told.
type Load struct {
	Container bulwark.ContainerRef
	Figures   [len(Loads)]float64
}

// Loads are the figures of a container, in the order of [Load].
var Loads = [...]struct{ Name, Help string }{
	{"cpu_cores", "Processors that a container takes."},
	{"cpu_limit_cores", "Processors that a container may take."},
	{"memory_bytes", "Memory of a container, without what the kernel can forget."},
	{"memory_limit_bytes", "Memory that a container may have."},
	{"received_bytes_per_second", "What a container receives."},
	{"sent_bytes_per_second", "What a container sends."},
	{"read_bytes_per_second", "What a container reads from disks."},
	{"written_bytes_per_second", "What a container writes to disks."},
	{"processes", "Processes and threads of a container."},
	{"waiting_cpu_ratio", "Share of the last ten seconds in which something of a container waited for a processor."},
	{"waiting_memory_ratio", "Share of the last ten seconds in which something of a container waited for memory."},
	{"waiting_io_ratio", "Share of the last ten seconds in which something of a container waited for disks."},
	{"anomalies", "Figures of a container that are far above what they ever were."},
}

// loads tells what containers take.
func (m *Metrics) loads(w io.Writer) {
	if m.o.Loads == nil {
		return
	}
	list := m.o.Loads()
	for i, f := range Loads {
		begun := false
		for j := range list {
			v, c := list[j].Figures[i], &list[j].Container
			if v < 0 {
				continue
			}
			if name := "bulwark_container_" + f.Name; !begun {
				head(w, name, "gauge", f.Help)
				begun = true
			}
			fmt.Fprintf(w, "bulwark_container_%s{id=%s,name=%s,image=%s,namespace=%s,pod=%s} %s\n", f.Name,
				quote(c.ID[:min(len(c.ID), 12)]), quote(c.Name), quote(c.Image), quote(c.Namespace), quote(c.Pod), strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
}
