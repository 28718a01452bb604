package kubernetes

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// request is what is read of an event of the log.
type request struct {
	Stage, AuditID, Verb, RequestURI, UserAgent string

	User, ImpersonatedUser struct{ Username string }
	SourceIPs              []string
	ObjectRef              struct{ Resource, Subresource, Namespace, Name string }
	ResponseStatus         struct{ Code int }
	RequestObject          json.RawMessage
	ResponseObject         json.RawMessage
}

func read(doc []byte) (*request, bool) {
	r := new(request)
	return r, json.Unmarshal(doc, r) == nil
}

// user is who asks, or whom he acts as.
func (r *request) user() string {
	if r.ImpersonatedUser.Username != "" {
		return r.ImpersonatedUser.Username
	}
	return r.User.Username
}

// object names what the request is about.
func (r *request) object() string {
	o := r.ObjectRef
	if o.Resource == "" {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	name := o.Resource
	if o.Subresource != "" {
		name += "/" + o.Subresource
	}
	if o.Name == "" {
		o.Name = r.name()
	}
	for _, part := range []string{o.Namespace, o.Name} {
		if part != "" {
			name += " " + part
		}
	}
	return name
}

// name is what an object that was made is called.
func (r *request) name() string {
	for _, data := range []json.RawMessage{r.ResponseObject, r.RequestObject} {
		var v struct {
			Metadata struct{ Name, GenerateName string }
		}
		if len(data) > 0 && json.Unmarshal(data, &v) == nil && v.Metadata.Name+v.Metadata.GenerateName != "" {
			return cmp.Or(v.Metadata.Name, v.Metadata.GenerateName)
		}
	}
	return ""
}

// granted tells whether the request was answered as asked.
func (r *request) granted() bool { return r.ResponseStatus.Code < 400 }

// dry tells whether nothing was to come of it.
func (r *request) dry() bool { return strings.Contains(r.RequestURI, "dryRun=All") }

// controller tells whether a part of the cluster asks for what somebody else has asked for before.
func (r *request) controller() bool {
	u := r.User.Username
	own, ok := strings.CutPrefix(u, "system:serviceaccount:kube-system:")
	return ok && (strings.HasSuffix(own, "-controller") || strings.HasSuffix(own, "-binder") || own == "generic-garbage-collector") ||
		strings.HasPrefix(u, "system:node:") || slices.Contains([]string{"system:kube-controller-manager", "system:kube-scheduler", "system:apiserver"}, u)
}

func changes(verb string) bool { return verb == "create" || verb == "update" || verb == "patch" }

// templates are the resources that have, or are, pods.
var templates = map[string]bool{"pods": true, "deployments": true, "daemonsets": true, "statefulsets": true, "replicasets": true, "replicationcontrollers": true, "jobs": true, "cronjobs": true, "podtemplates": true}

// pod is what is read of a pod's specification.
type pod struct {
	HostPID, HostIPC bool
	Volumes          []struct {
		Name     string
		HostPath *struct{ Path string }
	}
	Containers, InitContainers, EphemeralContainers []container
}

type container struct {
	Name, Image     string
	SecurityContext struct {
		Privileged   bool
		Capabilities struct{ Add []string }
	}
}

// powers are capabilities by which a container leaves its bounds.
var powers = []string{"ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"}

// reach says by what a container reaches its node; "": by nothing.
func (c container) reach() string {
	if c.SecurityContext.Privileged {
		return "privileged"
	}
	for _, a := range c.SecurityContext.Capabilities.Add {
		if a = strings.TrimPrefix(strings.ToUpper(a), "CAP_"); slices.Contains(powers, a) {
			return "capability " + a
		}
	}
	return ""
}

// pods are those of the object as it came to be, else as it was asked for.
func (r *request) pods() (list []pod) {
	type spec struct {
		pod
		Template    struct{ Spec pod }
		JobTemplate struct {
			Spec struct{ Template struct{ Spec pod } }
		}
	}
	for _, data := range []json.RawMessage{r.ResponseObject, r.RequestObject} {
		var v struct {
			Kind     string
			Spec     spec
			Template struct{ Spec pod } // of a PodTemplate
		}
		if len(data) == 0 || json.Unmarshal(data, &v) != nil || v.Kind == "Status" {
			continue
		}
		return []pod{v.Spec.pod, v.Spec.Template.Spec, v.Spec.JobTemplate.Spec.Template.Spec, v.Template.Spec}
	}
	return nil
}

// reach says by what pods of the request reach their node.
func (r *request) reach() (why []string) {
	for _, p := range r.pods() {
		if p.HostPID {
			why = append(why, "hostPID: it sees the processes of its node")
		}
		for _, v := range p.Volumes {
			if v.HostPath != nil && dangerous(v.HostPath.Path) {
				why = append(why, "hostPath "+v.HostPath.Path)
			}
		}
		for _, c := range slices.Concat(p.InitContainers, p.Containers) {
			if by := c.reach(); by != "" {
				why = append(why, "container "+c.Name+", image "+c.Image+": "+by)
			}
		}
	}
	if len(why) > 16 {
		why = append(why[:16], "and more")
	}
	return why
}

// nodePaths are folders of a node with which it can be taken, with all that is in them.
var nodePaths = []string{"/etc", "/root", "/proc", "/sys", "/dev", "/boot", "/home", "/usr", "/bin", "/sbin", "/lib", "/run", "/var/run", "/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/etcd", "/var/spool/cron", "/opt/cni"}

// harmless are files and folders in them that are mounted everywhere, and give nothing away.
var harmless = []string{"/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/ca-certificates", "/etc/machine-id", "/etc/os-release", "/usr/share", "/usr/lib/os-release", "/run/udev", "/run/log", "/var/run/log", "/sys/class", "/sys/block", "/run/xtables.lock", "/usr/local/share"}

func dangerous(path string) bool {
	path = "/" + strings.Trim(path, "/")
	if path == "/" || path == "/var" || path == "/var/lib" || strings.Contains(path, "..") {
		return true
	}
	within := func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
	return !slices.ContainsFunc(harmless, within) && slices.ContainsFunc(nodePaths, within)
}

// added are the ephemeral containers that a request adds, and those that were there where it names them, too.
func (r *request) added() []container {
	var v struct{ Spec pod }
	if len(r.RequestObject) == 0 || json.Unmarshal(r.RequestObject, &v) != nil {
		return nil
	}
	return v.Spec.EphemeralContainers[:min(len(v.Spec.EphemeralContainers), 16)]
}

// binding is the role of a binding and whom it is given to.
func (r *request) binding() (role string, subjects []string) {
	var v struct {
		RoleRef  struct{ Name string }
		Subjects []struct{ Kind, Namespace, Name string }
	}
	for _, data := range []json.RawMessage{r.ResponseObject, r.RequestObject} {
		if len(data) > 0 && json.Unmarshal(data, &v) == nil && v.RoleRef.Name != "" {
			break
		}
	}
	for _, s := range v.Subjects[:min(len(v.Subjects), 16)] {
		name := s.Kind + " "
		if s.Namespace != "" {
			name += s.Namespace + "/"
		}
		subjects = append(subjects, name+s.Name)
	}
	return v.RoleRef.Name, subjects
}
