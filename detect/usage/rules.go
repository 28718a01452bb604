package usage

import (
	"fmt"
	"slices"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
)

const (
	learned   = 12 // blocks of five minutes after which a container has habits
	manyTimes = 3  // what is so many times the peak is an anomaly
	forgiven  = 12 // blocks after which an anomaly is a habit
	tightFor  = time.Minute
	killSpan  = 10 * time.Minute
	killMost  = 3
	refuseMin = 100
	floodMin  = 1000
)

const docsResources = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"

func (d *Detector) rules() []family.Rule {
	in := bulwark.Where{Container: bulwark.Yes}
	return []family.Rule{
		{Name: "anomaly", Title: "A container takes far more than it ever did", Severity: bulwark.SeverityLow, Tags: []string{"attack:T1496", "attack:T1041"}, References: []string{"https://attack.mitre.org/techniques/T1496/"}, Every: 6 * time.Hour,
			Why:   "For five minutes it took three times what it took at most in the last day, of processors, memory, network, disk or processes, and it is watched for at least an hour. Mining, theft of data and floods begin so; low, since releases and yearly reports do, too. miner/score counts busy processors as one of its signs.",
			Noise: "Batch jobs that run seldom, releases, and whatever made a service popular.",
			Fix:   "Look at what else was told of the container, and set limits (resources.limits) that fit what it takes.",
			Looks: []family.Look{{Kinds: "usage", Where: in, Do: d.take}}},
		{Name: "memory-short", Title: "A container fights for memory", Severity: bulwark.SeverityLow, Tags: []string{"attack:T1499"}, References: []string{docsResources}, Every: time.Hour,
			Why:   "It has 95 % of what it may have, and for a minute its processes waited for memory a fifth of the time, or three were ended for want of it within ten minutes. Low: mostly a limit is too low; somebody who fills memory on purpose looks the same.",
			Noise: "Limits that are too low, and leaks.",
			Fix:   "See what fills it; set a limit that fits, and requests so that others are not harmed.",
			Looks: []family.Look{{Kinds: "usage", Where: in, Do: d.memory}}},
		{Name: "processes-refused", Title: "A container is refused processes", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1499"}, References: []string{"https://kubernetes.io/docs/concepts/policy/pid-limiting/"}, Every: time.Hour,
			Why:   "The kernel refused a hundred new processes or threads within ten seconds, since the limit of the container is reached: what a fork bomb does where there is a limit. The kernel counts this itself, whatever of the storm was seen. Medium, as the limit holds.",
			Noise: "Pools of threads that are larger than the limit.",
			Fix:   "Stop the container if nothing should make so many; else raise the limit of process ids.",
			Looks: []family.Look{{Kinds: "usage", Where: in, If: func(h *family.Hit) bool { return h.Num("refused") >= refuseMin }, Do: func(h *family.Hit) {
				h.Tell("refused", fmt.Sprintf("%d were refused; it has %d, and may have %d", h.Num("refused"), h.Num("pids"), h.Num("pids_limit")))
			}}}},
		{Name: "connection-flood", Title: "A container gets more connections than it can take", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1498", "attack:T1499.001"}, References: []string{"https://attack.mitre.org/techniques/T1499/001/"}, Every: 10 * time.Minute,
			Why:   "For a thousand connections within ten seconds there was no room in the queue of the listening socket, or they were answered without one (SYN cookies): a flood of SYN packets does that. Medium: it harms the service, and nobody came in.",
			Noise: "Load tests, and services whose backlog is small.",
			Fix:   "Limit connections before the container, and raise the backlog (net.core.somaxconn).",
			Looks: []family.Look{{Kinds: "usage", Where: in, If: func(h *family.Hit) bool { return h.Num("overflows") >= floodMin }, Do: func(h *family.Hit) {
				h.Tell("flood", fmt.Sprintf("%d connections within %v", h.Num("overflows"), time.Duration(h.Num("span")).Round(time.Second)))
			}}}},
	}
}

// take keeps the figures, and compares them with what they were.
func (d *Detector) take(h *family.Hit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.of.Of(h.C.ID)
	s.kpi.read(h)
	var fresh []string
	for i := range figures {
		f, v := &figures[i], figures[i].of(&s.kpi)
		habit := &s.habits[i]
		if v < 0 {
			continue
		}
		average, whole := habit.Add(h.Time, v)
		if !whole {
			continue
		}
		s.odd[i] = ""
		if habit.Blocks >= learned && average >= f.least && average > manyTimes*habit.Peak && s.lasts[i] < forgiven {
			s.lasts[i]++
			s.odd[i] = fmt.Sprintf("%s: %s for five minutes; it was %s at most before, and %s mostly", f.name, f.text(average), f.text(habit.Peak), f.text(habit.Mean))
			fresh = append(fresh, s.odd[i])
			s.waits[i] = false // it may have begun in that block
			continue
		}
		s.lasts[i] = 0
		if s.waits[i] {
			habit.Keep(s.late[i])
		}
		s.late[i], s.waits[i] = average, true
	}
	s.kpi.Anomalies = slices.DeleteFunc(slices.Clone(s.odd[:]), func(t string) bool { return t == "" })
	if len(fresh) > 0 {
		h.Tell("anomaly", fresh...)
	}
}

const (
	nearLimit = 0.95
	waiting   = 2000 // hundredths of a percent
)

func (d *Detector) memory(h *family.Hit) {
	d.mu.Lock()
	s := d.of.Of(h.C.ID)
	d.mu.Unlock()
	limit := h.Num("memory_limit")
	short := limit > 0 && float64(h.Num("memory")) >= nearLimit*float64(limit) && h.Num("pressure_memory") >= waiting
	switch {
	case !short:
		s.tight = 0
	case s.tight == 0:
		s.tight = h.Time
	case h.Time-s.tight >= int64(tightFor):
		h.Tell("short", fmt.Sprintf("%s of %s, and processes wait %.0f %% of the time", size(float64(h.Num("memory"))), size(float64(limit)), float64(h.Num("pressure_memory"))/100))
	}
	if n := h.Num("oom"); n > 0 {
		if sum := s.killed.Add(h.Time, killSpan, n); sum >= killMost {
			h.Tell("killed", fmt.Sprintf("%d processes were ended for want of memory within %v", sum, killSpan))
		}
	}
}
