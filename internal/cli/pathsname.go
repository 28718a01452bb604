package cli

import (
	"strings"

	"bulwark"
)

// kindsOfPods are what people call kinds of workloads.
var kindsOfPods = map[string]string{
	"pod": "Pod", "po": "Pod", "deployment": "Deployment", "deploy": "Deployment", "statefulset": "StatefulSet", "sts": "StatefulSet", "daemonset": "DaemonSet", "ds": "DaemonSet",
	"replicaset": "ReplicaSet", "rs": "ReplicaSet", "job": "Job", "cronjob": "CronJob", "cj": "CronJob",
}

// kindsOfOthers are what they call vertices of other kinds; what comes before a name.
var kindsOfOthers = map[string]string{
	"sa": "account:", "serviceaccount": "account:", "account": "account:", "ns": "namespace:", "namespace": "namespace:", "no": "node:", "node": "node:", "secret": "secret:", "cm": "configmap:", "configmap": "configmap:",
	"user": "identity:User ", "group": "identity:Group ", "workload": "workload:", "container": "container:", "image": "image:", "cloud": "cloud:", "pv": "volume:", "pvc": "volume:", "volume": "volume:",
}

// meant are vertices that a text means, in whichever spelling.
func meant(all []bulwark.VertexID, text string) []bulwark.VertexID {
	found := matching(all, text)
	for _, other := range spelled(text) {
		if len(found) == 0 && other != "" {
			found = matching(all, other)
		}
	}
	return found
}

// spelled gives what a name may be here that is written as for kubectl ("deploy/web", "sa:shop/cart",
// "nodes") or in rights ("system:serviceaccount:shop:cart"), or without its kind ("shop/web").
func spelled(text string) (list []string) {
	if rest, ok := strings.CutPrefix(text, "system:serviceaccount:"); ok {
		return []string{"account:" + strings.Replace(rest, ":", "/", 1)}
	}
	cut := strings.IndexAny(text, ":/")
	if cut < 0 {
		one := strings.TrimSuffix(strings.ToLower(text), "s")
		return []string{strings.ToLower(text), strings.TrimSuffix(kindsOfOthers[one], ":")}
	}
	word, name := strings.ToLower(text[:cut]), text[cut+1:]
	if kindsOfPods[word] == "" && kindsOfOthers[word] == "" {
		word = strings.TrimSuffix(word, "s")
	}
	if kind := kindsOfPods[word]; kind != "" {
		space, last, ok := strings.Cut(name, "/")
		if !ok {
			space, last = "*", name
		}
		list = append(list, "workload:"+space+"/"+kind+"/"+last, "workload:"+space+"/*/"+last)
	}
	if before := kindsOfOthers[word]; before != "" {
		list = append(list, before+name)
	}
	if space, last, ok := strings.Cut(text, "/"); ok && !strings.Contains(text, ":") {
		list = append(list, "*:"+text, "workload:"+space+"/*/"+last)
	}
	return list
}
