package exposure

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var gitopsRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/argocd-project-for-all", Severity: medium, Title: "A project of Argo CD may deploy anything from anywhere",
			Tags:  []string{"attack:T1072", "attack:T1195"},
			Fix:   "name the repositories, the namespaces and the kinds that the project needs",
			Why:   "whoever may create an Application in the project, or write to one repository of many, deploys with Argo CD's rights, which are mostly those of an administrator. Medium where two of the three are open, low where one is",
			Noise: "the project of those who administer the cluster anyway",
			Refs:  []string{"https://argo-cd.readthedocs.io/en/stable/user-guide/projects/", "https://argo-cd.readthedocs.io/en/stable/operator-manual/security/"}},
		Kinds: []string{"AppProject.argoproj.io"}, Object: openProject,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/argocd-open", Severity: high, Title: "Argo CD lets people in without signing in, or makes them administrators",
			Tags:  []string{"attack:T1133", "attack:T1072"},
			Fix:   "take the setting out; give rights by policy.csv to groups",
			Why:   "whoever reaches it deploys with Argo CD's rights, which are mostly those of an administrator of the cluster. Medium for shells in pods from the browser, low for HTTP within the cluster",
			Noise: "an Argo CD that nobody reaches but its administrators; TLS that ends before it",
			Refs:  []string{"https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/", "https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/"}},
		Kinds: []string{"ConfigMap"}, Object: openArgo,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/argocd-default-project", Severity: low, Hygiene: true, Title: "An Application is in Argo CD's default project",
			Tags:  []string{"attack:T1072"},
			Fix:   "a project of its own, which names its repositories and namespaces",
			Why:   "the default project allows every repository, cluster and kind until somebody narrows it",
			Noise: "where it was narrowed",
			Refs:  []string{"https://argo-cd.readthedocs.io/en/stable/user-guide/projects/#the-default-project"}},
		Kinds: []string{"Application.argoproj.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if p := o.Root.Get("spec", "project").Text(); p == "default" || p == "" && o.Root.Get("spec", "destination").Exists() {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "project"}, Evidence: "project: default"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "exposure/gitops-source-plain", Severity: high, Title: "What is deployed is fetched without TLS, or from whoever answers",
			Tags:  []string{"attack:T1195.002", "attack:T1557"},
			Fix:   "https or ssh with known hosts; and signed commits or artifacts that are verified",
			Why:   "whoever stands on the way decides what runs in the cluster, with the rights of the tool that deploys",
			Noise: "a source in the cluster itself",
			Refs:  []string{"https://fluxcd.io/flux/security/best-practices/", "https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/"}},
		Set: plainSources,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/gitops-impersonation-missing", Severity: low, Hygiene: true, Title: "Flux deploys with its own rights rather than those of the tenant",
			Tags:  []string{"attack:T1072"},
			Fix:   "spec.serviceAccountName of an account with the rights that the application needs",
			Why:   "without it the controller uses its own account, which is an administrator's: who writes to the repository has the cluster",
			Noise: "repositories of the administrators; controllers with --default-service-account",
			Refs:  []string{"https://fluxcd.io/flux/installation/configuration/multitenancy/"}},
		Kinds: []string{"Kustomization.kustomize.toolkit.fluxcd.io", "HelmRelease.helm.toolkit.fluxcd.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if o.Namespace != "flux-system" && o.Root.Get("spec", "serviceAccountName").Text() == "" {
				h.Add(posture.Hit{Object: o, Path: []any{"spec"}, Evidence: "no serviceAccountName"})
			}
		},
	},
}

func openProject(h *posture.Hits, o *kube.Object) {
	spec := o.Root.Get("spec")
	var hits []posture.Hit
	if slices.Contains(spec.Get("sourceRepos").Strings(), "*") {
		hits = append(hits, posture.Hit{Object: o, Path: []any{"spec", "sourceRepos"}, Evidence: "sourceRepos: every repository"})
	}
	for i, d := range spec.Get("destinations").Items() {
		if d.Get("namespace").Text() == "*" && (d.Get("server").Text() == "*" || d.Get("name").Text() == "*" || d.Get("server").Text() == "https://kubernetes.default.svc") {
			hits = append(hits, posture.Hit{Object: o, Path: []any{"spec", "destinations", i}, Evidence: "destinations: every namespace"})
			break
		}
	}
	for i, k := range spec.Get("clusterResourceWhitelist").Items() {
		if k.Get("kind").Text() == "*" && k.Get("group").Text() == "*" {
			hits = append(hits, posture.Hit{Object: o, Path: []any{"spec", "clusterResourceWhitelist", i}, Evidence: "clusterResourceWhitelist: every kind of the whole cluster, ClusterRoles too"})
		}
	}
	for _, hit := range hits {
		if len(hits) == 1 {
			hit.Severity = low
		}
		h.Add(hit)
	}
}

func plainSources(h *posture.Hits, s *kube.Set) {
	look := func(o *kube.Object, url string, path ...any) {
		scheme, rest, ok := strings.Cut(url, "://")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, ":")
		if !ok || scheme != "http" && scheme != "git" {
			return
		}
		hit := posture.Hit{Object: o, Path: path, Evidence: kube.PathText(path...) + " is " + scheme + "://" + host}
		if inCluster(host) {
			hit.Severity = low
		}
		h.Add(hit)
	}
	for _, kind := range []string{"Application", "ApplicationSet"} {
		for _, o := range s.Kind("argoproj.io", kind) {
			at := []any{"spec"}
			if kind == "ApplicationSet" {
				at = []any{"spec", "template", "spec"}
			}
			look(o, o.Root.At(append(at, "source", "repoURL")...).Text(), slices.Concat(at, []any{"source", "repoURL"})...)
			for i, src := range o.Root.At(append(at, "sources")...).Items() {
				look(o, src.Get("repoURL").Text(), slices.Concat(at, []any{"sources", i, "repoURL"})...)
			}
		}
	}
	for _, kind := range []string{"GitRepository", "HelmRepository", "OCIRepository", "Bucket"} {
		for _, o := range s.Kind("source.toolkit.fluxcd.io", kind) {
			look(o, o.Root.Get("spec", "url").Text(), "spec", "url")
			if o.Root.Get("spec", "insecure").True() {
				hit := posture.Hit{Object: o, Path: []any{"spec", "insecure"}, Evidence: "insecure: true"}
				if host, _, _ := strings.Cut(o.Root.Get("spec", "endpoint").Text(), ":"); inCluster(host) {
					hit.Severity = low
				}
				h.Add(hit)
			}
		}
	}
	for _, o := range s.Kind("", "Secret") {
		if t := o.Labels["argocd.argoproj.io/secret-type"]; t != "repository" && t != "repo-creds" {
			continue
		}
		for _, key := range []string{"insecure", "insecureIgnoreHostKey"} {
			if path := []any{"stringData", key}; o.Root.At(path...).Text() == "true" {
				h.Add(posture.Hit{Object: o, Path: path, Severity: medium, Evidence: key + ": true for a repository of Argo CD", Edits: []kube.Edit{kube.Put("false", path...)}})
			}
		}
	}
}

// inCluster tells whether a host is a Service's name.
func inCluster(host string) bool {
	return host != "" && (!strings.Contains(host, ".") || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".cluster.local"))
}

// argoSettings are those of Argo CD's ConfigMaps that open it, with the values that do.
var argoSettings = []struct {
	configMap, key, value string
	severity              bulwark.Severity
}{
	{"argocd-cm", "users.anonymous.enabled", "true", high}, {"argocd-cm", "exec.enabled", "true", medium}, {"argocd-rbac-cm", "policy.default", "role:admin", high},
	{"argocd-cmd-params-cm", "server.disable.auth", "true", high}, {"argocd-cmd-params-cm", "server.insecure", "true", low},
}

func openArgo(h *posture.Hits, o *kube.Object) {
	if !strings.HasPrefix(o.Name, "argocd-") {
		return
	}
	for _, s := range argoSettings {
		if path := []any{"data", s.key}; o.Name == s.configMap && o.Root.At(path...).Text() == s.value {
			hit := posture.Hit{Object: o, Path: path, Severity: s.severity, Evidence: s.key + " is " + s.value}
			if s.value == "true" && s.severity != low {
				hit.Edits = []kube.Edit{kube.Put("false", path...)}
			}
			h.Add(hit)
		}
	}
}
