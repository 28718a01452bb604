package exposure

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/check/internal/setting"
	"bulwark/kube"
)

var authenticationRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/no-authentication", Severity: medium, Title: "A program is told to ask nobody for a password",
			Tags:  []string{"attack:T1078", "attack:T1190"},
			Fix:   "give it a password or certificates, and take the setting out",
			Why:   "every pod of the cluster is its administrator; high where a Service or Ingress leads there from outside",
			Noise: "data that everybody may read and write; a proxy in the same pod that asks",
			Refs:  []string{"https://kubernetes.io/docs/concepts/security/security-checklist/"}},
		Set: noAuthentication,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/dashboard-open", Severity: high, Title: "A dashboard of the cluster lets people in without signing in",
			Tags:  []string{"attack:T1133", "attack:T1613", "kubescape:C-0014"},
			Fix:   "take the argument or setting out",
			Why:   "whoever reaches it acts with the rights of its service account, or of an administrator of what it deploys",
			Noise: "read-only dashboards with the rights to read alone",
			Refs:  []string{"https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/", "https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/"}},
		Set: openDashboards,
	},
}

// open are variables with which images turn authentication off, and the value that does;
// "": any but an empty one.
var open = map[string]string{
	"MYSQL_ALLOW_EMPTY_PASSWORD": "", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "", "MARIADB_ALLOW_EMPTY_PASSWORD": "yes", "ALLOW_EMPTY_PASSWORD": "yes", "ALLOW_ANONYMOUS_LOGIN": "yes",
	"POSTGRES_HOST_AUTH_METHOD": "trust", "xpack.security.enabled": "false", "DISABLE_SECURITY_PLUGIN": "true", "plugins.security.disabled": "true", "NEO4J_AUTH": "none", "ANONYMOUS_ACCESS": "true",
	"GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin", "REDIS_ALLOW_EMPTY_PASSWORD": "yes", "INFLUXDB_HTTP_AUTH_ENABLED": "false", "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true", "ME_CONFIG_BASICAUTH": "false", "VAULT_DEV_ROOT_TOKEN_ID": "",
}

// words that turn authentication off in the arguments of a program, by the program.
var openArguments = []struct{ program, argument, value string }{
	{"redis", "--protected-mode", "no"}, {"mongo", "--noauth", ""}, {"etcd", "--client-cert-auth=false", ""}, {"jupyter", "--NotebookApp.token=", ""}, {"notebook", "--NotebookApp.token=", ""}, {"jupyter", "--ServerApp.token=", ""}, {"jupyter", "--IdentityProvider.token=", ""},
	{"mysql", "--skip-grant-tables", ""}, {"mariadb", "--skip-grant-tables", ""}, {"cockroach", "--insecure", ""}, {"vault", "-dev", ""}, {"consul", "-dev", ""}, {"argocli", "--auth-mode=server", ""}, {"argocli", "--auth-mode", "server"}, {"kafka-ui", "--auth.type=DISABLED", ""},
	{"traefik", "--api.insecure=true", ""}, {"traefik", "--api.insecure", ""}, {"code-server", "--auth=none", ""}, {"code-server", "--auth", "none"}, {"filebrowser", "--noauth", ""}, {"docker-dind", "--tls=false", ""}, {"docker", "--tls=false", ""},
}

func noAuthentication(h *posture.Hits, s *kube.Set) {
	outside := exposed(s)
	tell := func(t *setting.Setting, text string) {
		hit := posture.Hit{Object: t.Object, Path: t.Path(), Evidence: t.Where() + text}
		if by := outside[t.Object]; by != "" {
			hit.Severity, hit.Evidence = high, hit.Evidence+"; reached through "+by
		}
		h.Add(hit)
	}
	for t := range setting.Of(s) {
		switch t.Kind {
		case setting.Variable:
			value, ok := open[t.Name]
			if ok && (value == "" && !isNo(t.Value) || value != "" && strings.EqualFold(value, t.Value)) && !supersededBy(t) {
				if value == "" {
					tell(t, " is set")
					continue
				}
				tell(t, " is "+t.Value)
			}
		case setting.Argument:
			if a := openArgument(t); a != "" {
				tell(t, " is "+a)
			}
		}
	}
}

// supersededBy tells whether a password is set all the same: images then take that.
func supersededBy(t *setting.Setting) bool {
	if t.Name != "MYSQL_ALLOW_EMPTY_PASSWORD" && t.Name != "ALLOW_EMPTY_PASSWORD" && t.Name != "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD" {
		return false
	}
	return slices.ContainsFunc(t.Container().Env, func(e corev1.EnvVar) bool {
		return e.Name != t.Name && strings.Contains(e.Name, "PASSWORD") && !strings.Contains(e.Name, "ALLOW") && (e.Value != "" || e.ValueFrom != nil)
	})
}

func isNo(s string) bool {
	switch strings.ToLower(s) {
	case "no", "false", "0", "off":
		return true
	}
	return false
}

func openArgument(t *setting.Setting) string {
	name := kube.ImageName(t.Container().Image)
	base, dir := path.Base(name), path.Base(path.Dir(name))
	for _, a := range openArguments {
		if a.argument == "" || !strings.Contains(base, a.program) && !strings.Contains(dir, a.program) {
			continue
		}
		switch {
		case t.Value == a.argument && (a.value == "" || t.Next == a.value):
			return strings.TrimSpace(a.argument + " " + a.value)
		case strings.HasSuffix(a.argument, "=") && (t.Value == a.argument+"''" || t.Value == a.argument+`""`):
			return a.argument
		}
	}
	return ""
}

// exposed says by what the workloads are reached from outside that are.
func exposed(s *kube.Set) map[*kube.Object]string {
	type ways map[*kube.Object]string
	m := kube.Memo(s, func(s *kube.Set) *ways {
		m := ways{}
		r := reachOf(s)
		for _, svc := range r.list {
			if by := outside(svc); by != "" && !internalOnly(svc.Object) {
				for _, w := range svc.behind {
					m[w.Object] = by + " (Service " + svc.Name + ")"
				}
			}
		}
		for _, way := range routes(s) {
			if svc := r.services[way.ns+"/Service/"+way.service]; svc != nil && !internalOnly(way.from) {
				for _, w := range svc.behind {
					m[w.Object] = "the " + way.from.Kind + " " + way.from.Name
				}
			}
		}
		return &m
	})
	return *m
}

func openDashboards(h *posture.Hits, s *kube.Set) {
	for _, w := range s.Workloads() {
		for i := range w.Containers {
			c := &w.Containers[i]
			if !strings.Contains(c.Image, "dashboard") {
				continue
			}
			for j, a := range c.Args {
				if name, value, _ := strings.Cut(a, "="); (name == "--enable-skip-login" || name == "--enable-insecure-login" || name == "--disable-settings-authorizer") && value != "false" {
					hit := posture.Hit{Object: w.Object, Path: w.ContainerPath(c, "args", j), Evidence: "container " + c.Name + ": " + a, Edits: []kube.Edit{kube.Drop(w.ContainerPath(c, "args", j)...)}}
					if name != "--enable-skip-login" {
						hit.Severity = medium
					}
					h.Add(hit)
				}
			}
		}
	}
	for _, o := range s.Kind("", "ConfigMap") {
		rate := func(key string, bad func(string) bool, severity bulwark.Severity) {
			if v := o.Root.Get("data", key).Text(); bad(v) {
				h.Add(posture.Hit{Object: o, Path: []any{"data", key}, Severity: severity, Evidence: fmt.Sprintf("%s: %s", key, v)})
			}
		}
		yes := func(v string) bool { return v == "true" }
		switch o.Name {
		case "argocd-cm":
			rate("users.anonymous.enabled", yes, high)
			rate("exec.enabled", yes, medium)
		case "argocd-rbac-cm":
			rate("policy.default", func(v string) bool { return v == "role:admin" }, high)
		case "argocd-cmd-params-cm":
			rate("server.disable.auth", yes, high)
			rate("server.insecure", yes, low)
		}
	}
}
