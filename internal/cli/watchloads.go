package cli

import (
	kpi "bulwark/detect/usage"
	"bulwark/report/prometheus"
	"bulwark/watch"
)

// loads are what containers take, as the detector of that keeps it.
func loads(e *watch.Watcher) (list []prometheus.Load) {
	for _, d := range e.Detectors {
		keeps, ok := d.(interface{ KPIs() []kpi.KPI })
		if !ok {
			continue
		}
		for _, k := range keeps.KPIs() {
			list = append(list, prometheus.Load{Container: k.Container, Figures: [...]float64{
				k.CPU, k.CPULimit, float64(k.Memory), float64(k.MemoryLimit), k.Received, k.Sent, k.Read, k.Written, float64(k.Processes), k.WaitingCPU, k.WaitingMemory, k.WaitingInputs, float64(len(k.Anomalies)),
			}})
		}
	}
	return list
}
