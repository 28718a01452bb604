package sample

import "bulwark"

// Frameworks gives the sample with frameworks: every status, a name that means harm, and one
// of which nothing could be judged.
func Frameworks() *bulwark.Report {
	r := Report()
	controls := []bulwark.Control{
		{ID: "1.1", Title: "No privileged containers", Section: "1", Status: bulwark.StatusPass, Why: "such a container is root on the node", Rules: []string{"workload/privileged"}, Evidence: []string{"looked at 3 workloads"}},
		{ID: "1.2", Title: "No root " + Evil, Section: "1", Status: bulwark.StatusFail, Severity: bulwark.SeverityMedium, Why: "root leads out", Reason: "2 findings speak against it", Findings: 2,
			Rules: []string{"workload/run-as-root"}, Evidence: []string{"default/Deployment/" + Evil + " (a.yaml:3): A container runs as root: runAsUser: 0", "default/Deployment/b (a.yaml:30): A container runs as root"}, Keys: []string{"aa", "bb"}},
		{ID: "1.3", Title: "No privileges", Section: "1", Status: bulwark.StatusFail, Severity: bulwark.SeverityCritical, Reason: "1 finding speaks against it, and 1 more are excepted", Findings: 1, Excepted: 1,
			Evidence: []string{"default/Deployment/c: A container has a capability"}},
		{ID: "2/1", Title: "Files belong to root", Section: "2", Status: bulwark.StatusManual, Reason: "no rule sees it", ByHand: "stat -c %U FILE"},
		{ID: "2.2", Title: "Roles are few", Section: "2", Status: bulwark.StatusNA, Reason: "no Role is among what was looked at"},
	}
	one := bulwark.Framework{ID: "x", Title: "A framework", Version: "1.0", Asset: image, Controls: controls,
		Sections: []bulwark.FrameworkSection{{ID: "1", Title: "Pods"}, {ID: "2", Title: "The rest"}}}
	for i := range controls {
		one.Score.Count(controls[i].Status)
		for j := range one.Sections {
			if one.Sections[j].ID == controls[i].Section {
				one.Sections[j].Score.Count(controls[i].Status)
			}
		}
	}
	none := bulwark.Framework{ID: "y", Title: "Another " + Evil, Asset: "k8s:c", Sections: []bulwark.FrameworkSection{{ID: "a", Title: "All"}}, Controls: []bulwark.Control{
		{ID: "A1", Title: "Look", Section: "a", Status: bulwark.StatusManual, Reason: "no rule sees it"}}}
	none.Score.Count(bulwark.StatusManual)
	none.Sections[0].Score.Count(bulwark.StatusManual)
	r.Frameworks = []bulwark.Framework{one, none}
	return r
}
