package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"bulwark"
)

// podAuditFields are those of requests that make pods.
func podAuditFields() []Field {
	containers := []string{"requestObject", "spec", "containers"}
	volumes := []string{"requestObject", "spec", "volumes"}
	each := func(keys ...string) func(any) []any {
		return func(x any) []any {
			y := at(x, keys...)
			if list, ok := y.([]any); ok {
				return list
			}
			if y == nil {
				return nil
			}
			return []any{y}
		}
	}
	repository := func(x any) []any {
		image, ok := at(x, "image").(string)
		if !ok {
			return nil
		}
		r, _ := splitImage(image)
		return []any{r}
	}
	list := []Field{
		docIndexed("ka.req.pod.containers.image", "images of the pod's containers", containers, each("image")),
		docIndexed("ka.req.pod.containers.image.repository", "images of the pod's containers, without tag and digest", containers, repository),
		docIndexed("ka.req.pod.containers.name", "names of the pod's containers", containers, each("name")),
		docIndexed("ka.req.pod.containers.privileged", "whether containers are privileged", containers, each("securityContext", "privileged")),
		docIndexed("ka.req.pod.containers.allow_privilege_escalation", "whether containers may gain rights", containers, each("securityContext", "allowPrivilegeEscalation")),
		docIndexed("ka.req.pod.containers.read_only_fs", "whether containers' root is read-only", containers, each("securityContext", "readOnlyRootFilesystem")),
		docIndexed("ka.req.pod.containers.run_as_user", "user of each container that says one", containers, each("securityContext", "runAsUser")),
		docIndexed("ka.req.pod.containers.run_as_group", "group of each container that says one", containers, each("securityContext", "runAsGroup")),
		docIndexed("ka.req.pod.containers.proc_mount", "how /proc is mounted", containers, each("securityContext", "procMount")),
		docIndexed("ka.req.pod.containers.add_capabilities", "capabilities that containers add", containers, each("securityContext", "capabilities", "add")),
		docIndexed("ka.req.pod.containers.host_port", "ports of the node that containers take", containers, func(x any) (all []any) {
			for _, p := range items(at(x, "ports")) {
				if n := at(p, "hostPort"); n != nil {
					all = append(all, n)
				}
			}
			return all
		}),
		docIndexed("ka.req.pod.volumes.hostpath", "paths of the node that the pod mounts", volumes, each("hostPath", "path")),
		docIndexed("ka.req.pod.volumes.flexvolume_driver", "drivers of flexible volumes", volumes, each("flexVolume", "driver")),
		docIndexed("ka.req.pod.volumes.volume_type", "kinds of volumes", volumes, func(x any) (all []any) {
			m, _ := x.(map[string]any)
			for _, k := range slices.Sorted(maps.Keys(m)) {
				if k != "name" {
					all = append(all, k)
				}
			}
			return all
		}),
		docList("ka.req.pod.supplemental_groups", "further groups of the pod", NoArg, func(x any) []any {
			return items(at(x, "requestObject", "spec", "securityContext", "supplementalGroups"))
		}),
		doc("ka.req.pod.host_ipc", "whether the pod shares the node's IPC namespace", "requestObject", "spec", "hostIPC"),
		doc("ka.req.pod.host_network", "whether the pod shares the node's network", "requestObject", "spec", "hostNetwork"),
		doc("ka.req.container.host_network", "the same; of old rules", "requestObject", "spec", "hostNetwork"),
		doc("ka.req.pod.host_pid", "whether the pod shares the node's pid namespace", "requestObject", "spec", "hostPID"),
		doc("ka.req.pod.run_as_user", "user of the pod", "requestObject", "spec", "securityContext", "runAsUser"),
		doc("ka.req.pod.run_as_group", "group of the pod", "requestObject", "spec", "securityContext", "runAsGroup"),
		doc("ka.req.pod.fs_group", "group of the pod's volumes", "requestObject", "spec", "securityContext", "fsGroup"),
		first("ka.req.container.image", "image of the first container", containers, each("image")),
		first("ka.req.container.image.repository", "image of the first container, without tag and digest", containers, repository),
		{Name: "ka.req.container.privileged", Type: Text, Source: bulwark.SourceK8sAudit, Doc: "true where any container is privileged, else false", bind: text(anyPrivileged)},
		{Name: "ka.req.volume.hostpath", Type: Text, Arg: NeedKey, Source: bulwark.SourceK8sAudit, Doc: "true where a volume is the path of the node in brackets, which may end in *, else false", bind: hostPath},
	}
	for _, id := range []struct{ name, key string }{{"user", "runAsUser"}, {"group", "runAsGroup"}} {
		list = append(list, effective(id.name, id.key, containers))
	}
	return list
}

// effective is what containers run as: what they say, or the pod, or 0.
func effective(name, key string, containers []string) Field {
	return Field{Name: "ka.req.pod.containers.eff_run_as_" + name, Type: Text, Arg: MayIndex, List: true, Source: bulwark.SourceK8sAudit,
		Doc: name + " that each container begins as: its own, the pod's, or 0", bind: func(arg string) (getter, error) {
			n, indexed := digits(arg)
			return listGetter(func(root any) (all []any) {
				for i, c := range items(at(root, containers...)) {
					if indexed && i != n {
						continue
					}
					id := at(c, "securityContext", key)
					if id == nil {
						id = at(root, "requestObject", "spec", "securityContext", key)
					}
					if id == nil {
						id = json.Number("0")
					}
					all = append(all, id)
				}
				return all
			}), nil
		}}
}

func first(name, doc string, where []string, of func(any) []any) Field {
	return Field{Name: name, Type: Text, Source: bulwark.SourceK8sAudit, Doc: doc, bind: built(func(v *event) (string, bool) {
		for _, c := range items(at(v.json(), where...)) {
			for _, x := range of(c) {
				return scalar(x)
			}
		}
		return "", false
	})}
}

func anyPrivileged(v *event) (string, bool) {
	list := items(at(v.json(), "requestObject", "spec", "containers"))
	for _, c := range list {
		if at(c, "securityContext", "privileged") == true {
			return "true", true
		}
	}
	return "false", len(list) > 0
}

func hostPath(arg string) (getter, error) {
	prefix, open := strings.CutSuffix(arg, "*")
	return getter{cost: dear, text: func(v *event) (string, bool) {
		list := items(at(v.json(), "requestObject", "spec", "volumes"))
		for _, x := range list {
			path, ok := at(x, "hostPath", "path").(string)
			if ok && (path == arg || open && strings.HasPrefix(path, prefix)) {
				return "true", true
			}
		}
		return "false", len(list) > 0
	}}, nil
}
