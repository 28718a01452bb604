package rules

import (
	"net/url"
	"strings"

	"bulwark"
)

// auditFields are those of a Kubernetes API server's audit log.
func auditFields() []Field {
	return []Field{
		doc("ka.auditid", "id of the event", "auditID"),
		doc("ka.stage", "stage of the request: RequestReceived, ResponseComplete, ...", "stage"),
		doc("ka.auth.decision", "allow or forbid", "annotations", "authorization.k8s.io/decision"),
		doc("ka.auth.reason", "why it was allowed or not", "annotations", "authorization.k8s.io/reason"),
		doc("ka.auth.openshift.decision", "the same of OpenShift's own authorization", "annotations", "authorization.openshift.io/decision"),
		doc("ka.auth.openshift.username", "user that OpenShift authenticated", "annotations", "authentication.openshift.io/username"),
		doc("ka.validations.admission.policy.failure", "what ValidatingAdmissionPolicies have against the request", "annotations", "validation.policy.admission.k8s.io/validation_failure"),
		doc("ka.security.pod.violations", "what the Pod Security Standard that is audited has against the pod", "annotations", "pod-security.kubernetes.io/audit-violations"),
		doc("ka.user.name", "who asks", "user", "username"),
		docList("ka.user.groups", "groups of who asks", NoArg, itemsAt("user", "groups")),
		doc("ka.impuser.name", "whom the user acts as", "impersonatedUser", "username"),
		doc("ka.verb", "what is done: get, list, create, delete, ...", "verb"),
		doc("ka.uri", "address of the request", "requestURI"),
		{Name: "ka.uri.param", Type: Text, Arg: NeedKey, Source: bulwark.SourceK8sAudit, Doc: "value of a parameter of the request's address", bind: uriParam},
		doc("ka.target.name", "name of the object", "objectRef", "name"),
		doc("ka.target.namespace", "namespace of the object", "objectRef", "namespace"),
		doc("ka.target.resource", "kind of the object: pods, configmaps, ...", "objectRef", "resource"),
		doc("ka.target.subresource", "part of the object: exec, log, ...", "objectRef", "subresource"),
		doc("ka.target.pod.name", "name of the pod, where the object is one", "objectRef", "name"),
		doc("ka.resp.name", "name of the object that was made", "responseObject", "metadata", "name"),
		doc("ka.response.code", "status of the response", "responseStatus", "code"),
		doc("ka.response.reason", "why the request failed", "responseStatus", "reason"),
		doc("ka.useragent", "program that asks", "userAgent"),
		docList("ka.sourceips", "addresses that the request came through", MayIndex, itemsAt("sourceIPs")),
		doc("ka.cluster.name", "name of the cluster, where the log has it", "annotations", "cluster"),
		doc("ka.req.configmap.name", "name of the config map", "objectRef", "name"),
		doc("ka.req.configmap.obj", "data of the config map", "requestObject", "data"),
		doc("ka.req.service.type", "type of the service", "requestObject", "spec", "type"),
		docList("ka.req.service.ports", "ports of the service", MayIndex, itemsAt("requestObject", "spec", "ports")),
	}
}

// roleAuditFields are those of requests that are about rights.
func roleAuditFields() []Field {
	list := []Field{
		docList("ka.req.binding.subjects", "who is given the role", NoArg, itemsAt("requestObject", "subjects")),
		docList("ka.req.binding.subjects.user_names", "users who are given the role", NoArg, subjects("User")),
		docList("ka.req.binding.subjects.group_names", "groups that are given the role", NoArg, subjects("Group")),
		docList("ka.req.binding.subjects.serviceaccount_names", "service accounts that are given the role", NoArg, subjects("ServiceAccount")),
		docList("ka.req.binding.subjects.serviceaccount_ns_names", "the same with their namespaces: namespace:name", NoArg, namespacedAccounts),
		doc("ka.req.binding.role", "role that is given", "requestObject", "roleRef", "name"),
		{Name: "ka.req.binding.subject.has_name", Type: Text, Arg: NeedKey, Source: bulwark.SourceK8sAudit, Doc: "always true; of old rules only", bind: text(func(*event) (string, bool) { return "true", true })},
		docList("ka.req.role.rules", "rules of the role", NoArg, itemsAt("requestObject", "rules")),
	}
	for _, part := range []string{"apiGroups", "nonResourceURLs", "verbs", "resources"} {
		list = append(list, docIndexed("ka.req.role.rules."+part, part+" of the role's rules", []string{"requestObject", "rules"}, itemsAt(part)))
	}
	return list
}

// subjects finds the names of those of a kind whom a binding gives its role.
func subjects(kind string) lister {
	return func(list []string, x *value) []string {
		all := items(at(x, "requestObject", "subjects"))
		for i := range all {
			if k, _ := scalar(at(&all[i], "kind")); k == kind {
				list = with(list, at(&all[i], "name"))
			}
		}
		return list
	}
}

func namespacedAccounts(list []string, x *value) []string {
	all := items(at(x, "requestObject", "subjects"))
	for i := range all {
		kind, _ := scalar(at(&all[i], "kind"))
		name, named := scalar(at(&all[i], "name"))
		namespace, placed := scalar(at(&all[i], "namespace"))
		if kind == "ServiceAccount" && named && placed {
			list = append(list, namespace+":"+name)
		}
	}
	return list
}

// doc is a field that is at one place of the document.
func doc(name, text string, keys ...string) Field {
	return Field{Name: name, Type: Text, Source: bulwark.SourceK8sAudit, Doc: text, bind: func(string) (getter, error) {
		return getter{cost: medium, text: func(v *event) (string, bool) { return scalar(at(v.json(), keys...)) }}, nil
	}}
}

// lister adds what it finds in a value to a list.
type lister func(list []string, x *value) []string

// itemsAt finds the items of the list that the keys lead to.
func itemsAt(keys ...string) lister {
	return func(list []string, x *value) []string {
		all := items(at(x, keys...))
		for i := range all {
			list = with(list, &all[i])
		}
		return list
	}
}

// with adds a value, where there is one.
func with(list []string, x *value) []string {
	if s, ok := scalar(x); ok {
		return append(list, s)
	}
	return list
}

// docList is a field with many values.
func docList(name, doc string, arg Arg, of lister) Field {
	return Field{Name: name, Type: Text, Arg: arg, List: true, Source: bulwark.SourceK8sAudit, Doc: doc, bind: func(arg string) (getter, error) {
		n, indexed := digits(arg)
		return listGetter(func(list []string, root *value) []string {
			list = of(list, root)
			if !indexed {
				return list
			}
			if n >= len(list) {
				return nil
			}
			return list[n : n+1]
		}), nil
	}}
}

// docIndexed is a field with values of each item of a list, or of the one with the number in brackets.
func docIndexed(name, doc string, where []string, of lister) Field {
	return Field{Name: name, Type: Text, Arg: MayIndex, List: true, Source: bulwark.SourceK8sAudit, Doc: doc, bind: func(arg string) (getter, error) {
		n, indexed := digits(arg)
		return listGetter(func(list []string, root *value) []string {
			all := items(at(root, where...))
			for i := range all {
				if !indexed || i == n {
					list = of(list, &all[i])
				}
			}
			return list
		}), nil
	}}
}

func listGetter(of lister) getter {
	var list []string
	var serve uint64
	return getter{cost: medium, list: func(v *event) ([]string, bool) {
		if serve != v.serve {
			serve, list = v.serve, of(list[:0], v.json())
		}
		return list, len(list) > 0
	}}
}

func uriParam(name string) (getter, error) {
	return getter{cost: dear, text: func(v *event) (string, bool) {
		uri, _ := scalar(at(v.json(), "requestURI"))
		_, query, _ := strings.Cut(uri, "?")
		values, _ := url.ParseQuery(query)
		if len(values[name]) == 0 {
			return "", false
		}
		return values[name][0], true
	}}, nil
}
