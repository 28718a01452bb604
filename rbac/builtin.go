package rbac

import (
	"maps"
	"slices"
	"strings"
)

// builtinLabels are those that Kubernetes' own roles are aggregated by.
var builtinLabels = map[string]map[string]string{
	"edit":                      {"rbac.authorization.k8s.io/aggregate-to-admin": "true"},
	"view":                      {"rbac.authorization.k8s.io/aggregate-to-edit": "true"},
	"system:aggregate-to-admin": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"},
	"system:aggregate-to-edit":  {"rbac.authorization.k8s.io/aggregate-to-edit": "true"},
	"system:aggregate-to-view":  {"rbac.authorization.k8s.io/aggregate-to-view": "true"},
}

// builtin says what the roles allow that every cluster has: written down by hand, as far as it
// matters to who can do what. A line is verbs, API group and resources, then names if it is
// for some only; or verbs, "url" and paths. "read" stands for get, list and watch, "write"
// for create, delete, deletecollection, patch and update, "core" for the group "".
var builtin = map[string]string{
	"cluster-admin": "* * *; * url *",
	"admin":         "", // these three aggregate the ones below
	"edit":          "",
	"view":          "",

	"system:aggregate-to-admin": "create authorization.k8s.io localsubjectaccessreviews; read,write rbac.authorization.k8s.io roles,rolebindings",
	"system:aggregate-to-edit": "read core secrets,pods/attach,pods/exec,pods/portforward,pods/proxy,services/proxy; impersonate core serviceaccounts; " +
		"write core pods,pods/attach,pods/exec,pods/portforward,pods/proxy; create core pods/eviction; create core serviceaccounts/token; " +
		"write core configmaps,secrets,serviceaccounts,services,services/proxy,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale; " +
		"write core,events.k8s.io events; " +
		"write apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale; " +
		"write batch cronjobs,jobs; write autoscaling horizontalpodautoscalers; write policy poddisruptionbudgets; " +
		"write networking.k8s.io ingresses,networkpolicies; read,write coordination.k8s.io leases; write resource.k8s.io resourceclaims,resourceclaimtemplates",
	"system:aggregate-to-view": "read core configmaps,endpoints,persistentvolumeclaims,pods,pods/log,pods/status,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,bindings,limitranges,resourcequotas,namespaces; " +
		"read core,events.k8s.io events; read discovery.k8s.io endpointslices; read apps controllerrevisions,daemonsets,deployments,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale; " +
		"read batch cronjobs,jobs; read autoscaling horizontalpodautoscalers; read policy poddisruptionbudgets; read networking.k8s.io ingresses,networkpolicies; read resource.k8s.io resourceclaims,resourceclaimtemplates",

	"system:auth-delegator":                   "create authentication.k8s.io tokenreviews; create authorization.k8s.io subjectaccessreviews",
	"system:basic-user":                       "create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews; create authentication.k8s.io selfsubjectreviews",
	"system:discovery":                        "get url /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/",
	"system:public-info-viewer":               "get url /healthz,/livez,/readyz,/version,/version/",
	"system:service-account-issuer-discovery": "get url /.well-known/openid-configuration,/openid/v1/jwks",
	"system:cluster-trust-bundle-discovery":   "read certificates.k8s.io clustertrustbundles",
	"system:monitoring":                       "get url /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*; get core nodes/metrics",
	"system:heapster":                         "read core events,namespaces,nodes,pods",
	"system:kube-aggregator":                  "read core endpoints,services",
	"system:kube-dns":                         "list,watch core endpoints,services",

	"system:node": "read core services,nodes,pods,configmaps,secrets; create,patch,update core nodes; patch,update core nodes/status,pods/status; create,delete core pods; " +
		"create core pods/eviction,serviceaccounts/token; get core persistentvolumeclaims,persistentvolumes,endpoints,serviceaccounts; create,read certificates.k8s.io certificatesigningrequests,podcertificaterequests; " +
		"create authentication.k8s.io tokenreviews; create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews; create,delete,get,patch,update coordination.k8s.io leases; create,patch,update core events",
	"system:node-bootstrapper":             "create,read certificates.k8s.io certificatesigningrequests",
	"system:node-problem-detector":         "get core nodes; patch core nodes/status; create,patch,update core events",
	"system:node-proxier":                  "list,watch core endpoints,services; read core nodes; create,patch,update core events; list,watch discovery.k8s.io endpointslices",
	"system:kubelet-api-admin":             "read,proxy core nodes; * core nodes/log,nodes/metrics,nodes/proxy,nodes/stats; * core nodes/configz,nodes/healthz,nodes/pods",
	"system:kube-scheduler":                "read core nodes,pods,services,namespaces,persistentvolumeclaims,persistentvolumes; delete core pods; create core bindings,pods/binding; patch,update core pods/status; create,patch,update core events",
	"system:volume-scheduler":              "read,patch,update core persistentvolumes,persistentvolumeclaims; read storage.k8s.io storageclasses",
	"system:persistent-volume-provisioner": "create,delete,read core persistentvolumes; read,update core persistentvolumeclaims; read storage.k8s.io storageclasses; create,patch,update core events",
	"system:kube-controller-manager": "list,watch * *; create,get,update,delete core secrets; create,get,update core serviceaccounts; create core serviceaccounts/token; " +
		"get core configmaps,namespaces; create authentication.k8s.io tokenreviews; create authorization.k8s.io subjectaccessreviews",

	"system:certificates.k8s.io:certificatesigningrequests:nodeclient":     "create certificates.k8s.io certificatesigningrequests/nodeclient",
	"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": "create certificates.k8s.io certificatesigningrequests/selfnodeclient",
	"system:certificates.k8s.io:kube-apiserver-client-approver":            "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client",
	"system:certificates.k8s.io:kube-apiserver-client-kubelet-approver":    "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet",
	"system:certificates.k8s.io:kubelet-serving-approver":                  "approve certificates.k8s.io signers kubernetes.io/kubelet-serving",
	"system:certificates.k8s.io:legacy-unknown-approver":                   "approve certificates.k8s.io signers kubernetes.io/legacy-unknown",

	"system:controller:certificate-controller": "update certificates.k8s.io certificatesigningrequests/approval; approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet; " +
		"sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown",
	"system:controller:clusterrole-aggregation-controller":   "escalate,read,update,patch rbac.authorization.k8s.io clusterroles",
	"system:controller:cronjob-controller":                   "create,delete,read,patch,update batch jobs; read,update batch cronjobs; list,watch,delete core pods",
	"system:controller:daemon-set-controller":                "create,delete,list,patch,watch core pods; create core pods/binding; list,watch core nodes",
	"system:controller:deployment-controller":                "create,delete,read,patch,update apps replicasets; read,update apps deployments; read,update core pods",
	"system:controller:endpoint-controller":                  "create,delete,read,update core endpoints; read core pods,services",
	"system:controller:endpointslice-controller":             "create,delete,read,update discovery.k8s.io endpointslices; read core nodes,pods,services",
	"system:controller:endpointslicemirroring-controller":    "create,delete,read,update discovery.k8s.io endpointslices; read core endpoints,services",
	"system:controller:generic-garbage-collector":            "delete,read,patch,update * *",
	"system:controller:horizontal-pod-autoscaler":            "get,update * */scale; list,watch core pods; read autoscaling horizontalpodautoscalers",
	"system:controller:job-controller":                       "create,delete,list,patch,watch core pods; read,patch,update batch jobs",
	"system:controller:legacy-service-account-token-cleaner": "delete,patch core secrets",
	"system:controller:namespace-controller":                 "delete,deletecollection,read * *; delete,read core namespaces",
	"system:controller:node-controller":                      "delete,read,patch,update core nodes; patch,update core nodes/status,pods/status; delete,read core pods",
	"system:controller:persistent-volume-binder":             "create,delete,read,update core persistentvolumes; create,delete,read core pods; read,update core persistentvolumeclaims",
	"system:controller:replicaset-controller":                "create,delete,list,patch,watch core pods; read,update apps replicasets",
	"system:controller:replication-controller":               "create,delete,list,patch,watch core pods; read,update core replicationcontrollers",
	"system:controller:resourcequota-controller":             "list,watch * *; update core resourcequotas/status",
	"system:controller:root-ca-cert-publisher":               "create,update core configmaps",
	"system:controller:ttl-controller":                       "list,patch,update,watch core nodes",
	"system:controller:service-account-controller":           "create core serviceaccounts",
	"system:controller:service-controller":                   "patch,update core services/status",
	"system:controller:statefulset-controller":               "create,delete,get,patch,update,list,watch core pods; create,read core persistentvolumeclaims; delete,update core persistentvolumeclaims; read apps statefulsets",
	"system:controller:storage-version-migrator-controller":  "list,patch * *",
}

// builtinRoles are the ones of namespaces.
var builtinRoles = map[string]string{
	"kube-system/extension-apiserver-authentication-reader": "read core configmaps extension-apiserver-authentication",
	"kube-system/system:controller:bootstrap-signer":        "read core secrets",
	"kube-system/system:controller:token-cleaner":           "read,delete core secrets",
	"kube-system/system:controller:cloud-provider":          "create,read core configmaps",
	"kube-public/system:controller:bootstrap-signer":        "read core configmaps",
}

// quiet are the controllers whose roles allow nothing that matters to others.
var quiet = strings.Fields("attachdetach device-taint-eviction disruption ephemeral-volume expand pod-garbage-collector podcertificaterequestcleaner pv-protection pvc-protection " +
	"resource-claim route selinux-warning service-cidrs service ttl-after-finished validatingadmissionpolicy-status volumeattributesclass-protection " +
	"kube-apiserver-serving-clustertrustbundle-publisher token-cleaner bootstrap-signer cloud-provider legacy-service-account-token-cleaner")

// Default tells whether a role is one that Kubernetes makes in every cluster, by its name.
// What it allows may have been changed there.
func (r *Role) Default() bool {
	if !r.Cluster() {
		_, ok := builtinRoles[r.Namespace+"/"+r.Name]
		return ok || r.Namespace == "kube-system" && strings.HasPrefix(r.Name, "system::leader-locking-kube-")
	}
	if _, ok := builtin[r.Name]; ok {
		return true
	}
	name, ok := strings.CutPrefix(r.Name, "system:controller:")
	return ok && slices.Contains(quiet, strings.TrimSuffix(name, "-controller"))
}

// BuiltIn gives a role as Kubernetes makes it in every cluster, by its name; nil when it
// makes none of that name. Rules that matter to nobody else are left out.
func BuiltIn(r *Role) *Role {
	text, ok := builtin[r.Name]
	if !r.Cluster() {
		text, ok = builtinRoles[r.Namespace+"/"+r.Name]
	}
	if !ok {
		return nil
	}
	switch r.Name { // what these aggregate, for some write it into them
	case "admin":
		text += ";" + builtin["system:aggregate-to-admin"] + ";" + builtin["system:aggregate-to-edit"] + ";" + builtin["system:aggregate-to-view"]
	case "edit":
		text += ";" + builtin["system:aggregate-to-edit"] + ";" + builtin["system:aggregate-to-view"]
	case "view":
		text += ";" + builtin["system:aggregate-to-view"]
	}
	return &Role{Namespace: r.Namespace, Name: r.Name, Rules: parseRules(text)}
}

// builtin adds the roles that the set has not, unless it is a cluster's and has them all.
func (r *Rights) builtin() {
	if !r.Known("clusterroles") {
		r.builtins(builtin)
	}
	if !r.Known("roles") {
		r.builtins(builtinRoles)
	}
}

func (r *Rights) builtins(table map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		text := table[name]
		role := &Role{Name: name, Aggregates: text == ""}
		if ns, n, ok := strings.Cut(name, "/"); ok {
			role.Namespace, role.Name = ns, n
		}
		if r.roles[role.ID()] == nil {
			role.Rules = parseRules(text)
			r.add(role)
		}
	}
}

// parseRules reads a line of the table.
func parseRules(text string) []Rule {
	var rules []Rule
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) < 3 {
			continue
		}
		rule := Rule{}
		for verb := range strings.SplitSeq(words[0], ",") {
			switch verb {
			case "read":
				rule.Verbs = append(rule.Verbs, "get", "list", "watch")
			case "write":
				rule.Verbs = append(rule.Verbs, "create", "delete", "deletecollection", "patch", "update")
			default:
				rule.Verbs = append(rule.Verbs, verb)
			}
		}
		if words[1] == "url" {
			rule.URLs = strings.Split(words[2], ",")
			rules = append(rules, rule)
			continue
		}
		for group := range strings.SplitSeq(words[1], ",") {
			rule.Groups = append(rule.Groups, strings.TrimPrefix(group, "core"))
		}
		rule.Resources = strings.Split(words[2], ",")
		if len(words) > 3 {
			rule.Names = strings.Split(words[3], ",")
		}
		rules = append(rules, rule)
	}
	return rules
}
