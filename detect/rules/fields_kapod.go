package rules

import (
	"maps"
	"slices"
	"strings"

	"bulwark"
)

// podAuditFields are those of requests that make pods.
func podAuditFields() []Field {
	containers := []string{"requestObject", "spec", "containers"}
	volumes := []string{"requestObject", "spec", "volumes"}
	list := []Field{
		docIndexed("ka.req.pod.volumes.hostpath", "paths of the node that the pod mounts", volumes, each("hostPath", "path")),
		docIndexed("ka.req.pod.volumes.flexvolume_driver", "drivers of flexible volumes", volumes, each("flexVolume", "driver")),
		docIndexed("ka.req.pod.volumes.volume_type", "kinds of volumes", volumes, volumeTypes),
		docList("ka.req.pod.supplemental_groups", "further groups of the pod", NoArg, itemsAt("requestObject", "spec", "securityContext", "supplementalGroups")),
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
	list = append(list, containerAuditFields("containers", "containers")...)
	list = append(list, containerAuditFields("initContainers", "init containers")...)
	return append(list, containerAuditFields("ephemeralContainers", "ephemeral containers")...)
}

// containerAuditFields are those of one of the lists of containers that a pod has; who is how people call those.
func containerAuditFields(key, who string) []Field {
	where := []string{"requestObject", "spec", key}
	field := func(name, doc string, of lister) Field {
		return docIndexed("ka.req.pod."+key+"."+name, doc, where, of)
	}
	list := []Field{
		field("command", "commands of the pod's "+who+", word by word", each("command")),
		field("args", "arguments of the pod's "+who+", word by word", each("args")),
		field("image", "images of the pod's "+who, each("image")),
		field("image.repository", "images of the pod's "+who+", without tag and digest", repository),
		field("name", "names of the pod's "+who, each("name")),
		field("privileged", "whether "+who+" are privileged", each("securityContext", "privileged")),
		field("allow_privilege_escalation", "whether "+who+" may gain rights", each("securityContext", "allowPrivilegeEscalation")),
		field("read_only_fs", "whether the root of "+who+" is read-only", each("securityContext", "readOnlyRootFilesystem")),
		field("run_as_user", "users of those "+who+" that say one", each("securityContext", "runAsUser")),
		field("run_as_group", "groups of those "+who+" that say one", each("securityContext", "runAsGroup")),
		field("proc_mount", "how "+who+" mount /proc", each("securityContext", "procMount")),
		field("add_capabilities", "capabilities that "+who+" add", each("securityContext", "capabilities", "add")),
		effective(key, who, "user", "runAsUser"),
		effective(key, who, "group", "runAsGroup"),
	}
	if key != "ephemeralContainers" { // which have no ports
		list = append(list, field("host_port", "ports of the node that "+who+" take, or their own where they name none of the node", hostPorts))
	}
	return list
}

// each finds what the keys lead to, or what is in the list there.
func each(keys ...string) lister {
	all := itemsAt(keys...)
	return func(list []string, x *value) []string {
		if y := at(x, keys...); !y.list() {
			return with(list, y)
		}
		return all(list, x)
	}
}

func repository(list []string, x *value) []string {
	image, ok := scalar(at(x, "image"))
	if !ok {
		return list
	}
	r, _ := splitImage(image)
	return append(list, r)
}

// hostPorts finds ports of the node, and those of containers that say none.
func hostPorts(list []string, x *value) []string {
	ports := items(at(x, "ports"))
	for i := range ports {
		n := at(&ports[i], "hostPort")
		if n.nothing() { // on the node's network it is the container's
			n = at(&ports[i], "containerPort")
		}
		list = with(list, n)
	}
	return list
}

func volumeTypes(list []string, x *value) []string {
	if !x.object() {
		return list
	}
	x.open()
	for _, k := range slices.Sorted(maps.Keys(x.names)) {
		if k != "name" {
			list = append(list, k)
		}
	}
	return list
}

// effective is what containers run as: what they say, or the pod, or 0.
func effective(list, who, name, key string) Field {
	return Field{Name: "ka.req.pod." + list + ".eff_run_as_" + name, Type: Text, Arg: MayIndex, List: true, Source: bulwark.SourceK8sAudit,
		Doc: name + " that each of the pod's " + who + " begins as: its own, the pod's, or 0", bind: func(arg string) (getter, error) {
			n, indexed := digits(arg)
			return listGetter(func(ids []string, root *value) []string {
				spec := at(root, "requestObject", "spec")
				all := items(at(spec, list))
				for i := range all {
					if !indexed || i == n {
						ids = append(ids, begins(spec, &all[i], key))
					}
				}
				return ids
			}), nil
		}}
}

// begins is the number that a container of a pod begins as.
func begins(spec, container *value, key string) string {
	for _, x := range []*value{container, spec} {
		if id := at(x, "securityContext", key); !id.nothing() {
			s, _ := scalar(id)
			return s
		}
	}
	return "0"
}

func first(name, doc string, where []string, of lister) Field {
	return Field{Name: name, Type: Text, Source: bulwark.SourceK8sAudit, Doc: doc, bind: built(func(v *event) (string, bool) {
		all := items(at(v.json(), where...))
		for i := range all {
			if found := of(nil, &all[i]); len(found) > 0 {
				return found[0], true
			}
		}
		return "", false
	})}
}

func anyPrivileged(v *event) (string, bool) {
	list := items(at(v.json(), "requestObject", "spec", "containers"))
	for i := range list {
		if s, _ := scalar(at(&list[i], "securityContext", "privileged")); s == "true" {
			return "true", true
		}
	}
	return "false", len(list) > 0
}

func hostPath(arg string) (getter, error) {
	prefix, open := strings.CutSuffix(arg, "*")
	return getter{cost: dear, text: func(v *event) (string, bool) {
		list := items(at(v.json(), "requestObject", "spec", "volumes"))
		for i := range list {
			path, ok := scalar(at(&list[i], "hostPath", "path"))
			if ok && (path == arg || open && strings.HasPrefix(path, prefix)) {
				return "true", true
			}
		}
		return "false", len(list) > 0
	}}, nil
}
