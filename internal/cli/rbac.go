package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/kube"
	"bulwark/rbac"
	"bulwark/source/manifest"
)

// asPlugin names the program as its users call it: installed as kubectl-bulwark it is a
// plugin of kubectl.
func asPlugin() map[string]string {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl " + plugin}
	}
	return nil
}

// called writes examples as the program is called.
func called(text string) string {
	if name := asPlugin()[cobra.CommandDisplayNameAnnotation]; name != "" {
		return strings.ReplaceAll(text, "bulwark rbac", name+" rbac")
	}
	return text
}

// rights are the flags of the rbac commands.
type rights struct {
	*app
	format      string
	namespace   string
	all         bool
	subresource string
	groups      []string
}

func (a *app) rbacCommand() *cobra.Command {
	c := &cobra.Command{Use: "rbac", Short: "Who may do what in a cluster, and by which binding, role and rule"}
	c.AddCommand(a.whoCanCommand(), a.rightsOfCommand())
	return c
}

const rbacTargets = "\n\nTARGET is cluster (the default), cluster:CONTEXT, snapshot:FILE, or a file or folder of manifests, where the roles\nthat every cluster has are known without being there."

func (a *app) whoCanCommand() *cobra.Command {
	r := &rights{app: a}
	c := &cobra.Command{
		Use: "who-can VERB RESOURCE [NAME] [TARGET]", Short: "Say who may do something",
		Long: "Who-can names every subject that a binding allows a request, in any namespace unless -n names one, with the binding,\n" +
			"the role and the rule. RESOURCE is written as for kubectl (po, pods, deploy.apps, pods/exec), or a path (/healthz).\n" +
			"Without NAME, rights to single objects are told as well. A third operand is the TARGET if there is a file or folder of that name." + rbacTargets,
		Example: called("  bulwark rbac who-can list secrets\n  bulwark rbac who-can create pods/exec -n shop\n  bulwark rbac who-can get secret tls deploy/\n  bulwark rbac who-can get /metrics snapshot:prod.snap"),
		Args:    cobra.RangeArgs(2, 4), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return r.whoCan(c.Context(), args) },
	}
	c.ValidArgsFunction = completeRequest
	r.flags(c.Flags())
	c.Flags().StringVar(&r.subresource, "subresource", "", "`NAME` of the part of the resource: log, exec, status")
	c.Flags().BoolVarP(&r.all, "all-namespaces", "A", false, "only those who may do it in every namespace")
	return c
}

// completeRequest completes verbs and resources at a shell.
func completeRequest(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return requestVerbs[:len(requestVerbs)-1], cobra.ShellCompDirectiveNoFileComp
	case 1:
		var names []cobra.Completion
		for _, res := range rbac.Resources() {
			names = append(names, res.Name)
		}
		slices.Sort(names)
		return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

func (a *app) rightsOfCommand() *cobra.Command {
	r := &rights{app: a}
	c := &cobra.Command{
		Use: "of SUBJECT [TARGET]", Short: "Say what somebody may do",
		Long: "Of lists every rule that a subject has, with the binding and the role that give it, those of its groups among them.\n" +
			"SUBJECT is sa:NAMESPACE/NAME, user:NAME or group:NAME; system:serviceaccount:NAMESPACE:NAME is taken, too." + rbacTargets,
		Example: called("  bulwark rbac of sa:kube-system/coredns\n  bulwark rbac of user:jane --group ops\n  bulwark rbac of group:system:authenticated deploy/ -f json"),
		Args:    cobra.RangeArgs(1, 2), PreRunE: a.settle,
		RunE: func(c *cobra.Command, args []string) error { return r.of(c.Context(), args) },
	}
	r.flags(c.Flags())
	c.Flags().StringSliceVar(&r.groups, "group", nil, "`NAMES` of groups that the user is in")
	return c
}

func (r *rights) flags(f *pflag.FlagSet) {
	f.StringVarP(&r.format, "format", "f", "table", "table or json")
	f.StringVarP(&r.output, "output", "o", "", "write to `FILE` instead of stdout")
	f.StringVarP(&r.namespace, "namespace", "n", "", "only what holds in the namespace `NAME`")
	f.StringVar(&r.cluster.kubeconfig, "kubeconfig", "", "`FILE` that says how to reach clusters (default: KUBECONFIG, or .kube/config of the home folder)")
	f.StringVar(&r.cluster.context, "context", "", "`NAME` of the cluster's context in the kubeconfig (default: the current one)")
	f.StringArrayVar(&r.exclude, "exclude", nil, "`GLOB` of paths not to read (repeatable)")
	r.common(f)
}

func (r *rights) check() error {
	switch {
	case r.format != "table" && r.format != "json":
		return usage("who may do what is written as table or json, not as %q", r.format)
	case r.all && r.namespace != "":
		return usage("--namespace and --all-namespaces exclude each other")
	}
	return nil
}

func (r *rights) whoCan(ctx context.Context, args []string) error {
	if err := r.check(); err != nil {
		return err
	}
	verb, resource, rest := args[0], args[1], args[2:]
	target := "cluster"
	if n := len(rest); n == 2 || n == 1 && isObjects(rest[0]) {
		target, rest = rest[n-1], rest[:n-1]
	}
	s, err := r.open(ctx, target)
	if err != nil {
		return err
	}
	q, err := r.query(verb, resource, strings.Join(rest, ""), s)
	if err != nil {
		return err
	}
	ways := rbac.Of(s).Who(*q)
	r.tell(s)
	if len(ways) == 0 {
		r.note("no binding lets anybody %s", q.String())
	}
	if !slices.ContainsFunc(ways, func(w rbac.Way) bool { return w.Subject == rbac.Subject{Kind: rbac.UserGroup, Name: rbac.Masters} }) {
		r.note("members of the group %s may do everything, without a binding", rbac.Masters)
	}
	return r.print(ways, "request", q.String())
}

// query makes a question of the operands.
func (r *rights) query(verb, resource, name string, s *kube.Set) (*rbac.Query, error) {
	q := &rbac.Query{Request: rbac.Request{Verb: strings.ToLower(verb), Name: name, Namespace: r.namespace}}
	if strings.HasPrefix(resource, "/") {
		if name != "" || r.namespace != "" || r.subresource != "" {
			return nil, usage("%s is a path, which has no name, namespace or subresource", resource)
		}
		q.Path = resource
		return q, nil
	}
	if hint := verbHint(q.Verb); hint != "" {
		return nil, &exit{code: exitUsage, err: fmt.Errorf("%q is no verb of Kubernetes", q.Verb), hint: hint}
	}
	resource, sub, _ := strings.Cut(resource, "/")
	if before, group, ok := strings.Cut(sub, "."); ok { // pods/exec.GROUP
		resource, sub = resource+"."+group, before
	}
	res, known := resourceOf(s, resource)
	if !known {
		r.note("%s is none of Kubernetes' own resources: it is taken to be %q of the API group %q (write RESOURCE.GROUP)", clean(resource), res.Name, res.Group)
	}
	q.Resource, q.Group, q.Subresource = res.Name, res.Group, cmp.Or(sub, r.subresource)
	if q.Verb == "deletecollection" && name != "" {
		return nil, usage("a request to delete a collection is for all objects at once: it has no NAME")
	}
	r.where(q, res.Namespaced)
	q.AnyName = q.Name == ""
	if !slices.Contains(requestVerbs, q.Verb) {
		r.note("%q is no verb that Kubernetes knows", clean(q.Verb))
	}
	return q, nil
}

// where says in which namespaces the API server looks for bindings when it is asked.
func (r *rights) where(q *rbac.Query, namespaced bool) {
	switch {
	case q.Group == "" && q.Resource == "namespaces" && q.Subresource == "" && slices.Contains([]string{"list", "watch", "create", "deletecollection"}, q.Verb):
		q.Namespace, namespaced = "", false
	case q.Group == "" && q.Resource == "namespaces":
		// A request for a namespace counts as one within it: a RoleBinding there is enough.
		q.Name = cmp.Or(q.Name, r.namespace)
		q.Namespace, namespaced = q.Name, true
	case q.Verb == "bind" && q.Group == rbac.Group && q.Resource == "clusterroles", q.Verb == "use" && q.Group == "policy":
		namespaced = true // asked where the new binding, or the pod, is to be
	case !namespaced && q.Namespace != "":
		r.note("%s belong to no namespace", clean(q.Resource))
		q.Namespace = ""
	}
	q.Anywhere = namespaced && q.Namespace == "" && !r.all
}

// requestVerbs are those that requests have, and that Kubernetes asks about by itself.
var requestVerbs = []string{
	"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate", "approve", "sign", "attest", "use", "proxy", "*",
}

// verbHint says what is meant by words that kubectl has, and the API has not.
func verbHint(verb string) string {
	switch verb {
	case "exec", "attach", "port-forward", "portforward":
		return "kubectl " + verb + " is: bulwark rbac who-can create pods/" + strings.ReplaceAll(verb, "-", "")
	case "logs", "log":
		return "kubectl logs is: bulwark rbac who-can get pods/log"
	case "edit", "apply":
		return "kubectl " + verb + " is: bulwark rbac who-can patch RESOURCE"
	case "scale":
		return "kubectl scale is: bulwark rbac who-can patch RESOURCE/scale"
	case "read":
		return "the verbs that read are get, list and watch"
	case "write":
		return "the verbs that write are create, update, patch, delete and deletecollection"
	}
	return ""
}

// resourceOf finds a resource among Kubernetes' own, and among those that the target defines.
func resourceOf(s *kube.Set, word string) (rbac.Resource, bool) {
	res, ok := rbac.Lookup(word)
	if ok {
		return res, true
	}
	name, group, grouped := strings.Cut(strings.ToLower(word), ".")
	for _, o := range s.Kind("apiextensions.k8s.io", "CustomResourceDefinition") {
		spec := o.Root.Get("spec")
		names := spec.Get("names")
		called := append(names.Get("shortNames").Strings(), names.Get("plural").Text(), names.Get("singular").Text(), strings.ToLower(names.Get("kind").Text()))
		if slices.Contains(called, name) && (!grouped || group == spec.Get("group").Text()) {
			return rbac.Resource{Name: names.Get("plural").Text(), Group: spec.Get("group").Text(), Namespaced: spec.Get("scope").Text() != "Cluster"}, true
		}
	}
	return res, grouped
}

func (r *rights) of(ctx context.Context, args []string) error {
	if err := r.check(); err != nil {
		return err
	}
	subject, err := r.subject(args[0])
	if err != nil {
		return err
	}
	s, err := r.open(ctx, strings.Join(args[1:], ""))
	if err != nil {
		return err
	}
	who := subject.Identity()
	who.Groups = append(who.Groups, r.groups...)
	ways := slices.DeleteFunc(rbac.Of(s).Of(who), func(w rbac.Way) bool {
		return r.namespace != "" && w.Namespace() != "" && w.Namespace() != r.namespace
	})
	r.tell(s)
	switch {
	case slices.Contains(who.Groups, rbac.Masters):
		r.note("members of the group %s may do everything, without a binding", rbac.Masters)
	case len(ways) == 0:
		r.note("no binding gives %s anything", clean(subject.String()))
	}
	if subject.Kind == rbac.ServiceAccount && len(s.Kind("", "ServiceAccount")) > 0 && s.Find(subject.Namespace+"/ServiceAccount/"+subject.Name) == nil {
		r.note("there is no %s", clean(subject.String()))
	}
	return r.print(ways, "subject", subject.String())
}

// subject reads who is meant.
func (r *rights) subject(text string) (rbac.Subject, error) {
	kind, name, ok := strings.Cut(text, ":")
	if rest, found := strings.CutPrefix(text, "system:serviceaccount:"); found {
		kind, name = "sa", strings.Replace(rest, ":", "/", 1)
	}
	switch strings.ToLower(kind) {
	case "sa", "serviceaccount":
		ns, n, slash := strings.Cut(name, "/")
		if !slash {
			ns, n = r.namespace, name
		}
		if ok && ns != "" && n != "" {
			return rbac.Account(ns, n), nil
		}
		return rbac.Subject{}, usage("%q: say the namespace of the service account, as in sa:default/web", text)
	case "user", "group":
		if name != "" {
			return rbac.Subject{Kind: map[string]string{"user": rbac.User, "group": rbac.UserGroup}[strings.ToLower(kind)], Name: name}, nil
		}
	}
	return rbac.Subject{}, &exit{code: exitUsage, err: fmt.Errorf("%q is no subject", text), hint: "say sa:NAMESPACE/NAME, user:NAME or group:NAME"}
}

// isObjects tells whether an operand names a target rather than an object.
func isObjects(text string) bool {
	kind, _ := prefixed(text)
	if kind != "" || text == "cluster" || text == "-" {
		return true
	}
	_, err := os.Stat(text)
	return err == nil
}

// onlyRights is what of a cluster is read.
var onlyRights = []string{
	"roles." + rbac.Group, "clusterroles." + rbac.Group, "rolebindings." + rbac.Group, "clusterrolebindings." + rbac.Group,
	"serviceaccounts", "customresourcedefinitions.apiextensions.k8s.io",
}

// open reads the objects of a target.
func (r *rights) open(ctx context.Context, target string) (*kube.Set, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	target = cmp.Or(target, "cluster")
	kind, ref := prefixed(target)
	var source bulwark.Source
	switch {
	case target == "cluster" || kind == "cluster":
		live := r.clusters()
		live.Only = onlyRights
		if source = live; kind == "" {
			ref = ""
		}
	case kind == "snapshot":
		source = r.source(kind)
	case kind == "" || kind == "k8s" || kind == "dir":
		if _, err := os.Stat(ref); err != nil && ref != "-" {
			return nil, &exit{code: exitFailed, err: fmt.Errorf("%s: no such file or folder: %w", ref, bulwark.ErrNotFound), hint: "a target is cluster, cluster:CONTEXT, snapshot:FILE, or a file or folder of manifests"}
		}
		source = &manifest.Source{Options: r.manifests(), Stdin: r.in}
	default:
		return nil, usage("%s: roles and bindings are read from cluster, cluster:CONTEXT, snapshot:FILE, or a file or folder of manifests", target)
	}
	t, err := source.Open(ctx, ref)
	if errors.Is(err, bulwark.ErrNotFound) && target == "cluster" {
		return nil, &exit{code: exitFailed, err: fmt.Errorf("%s: %w", target, err), hint: "roles and bindings are read from files as well: name a folder of manifests, or snapshot:FILE"}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	for _, n := range t.Notes {
		r.note("%s", strings.TrimSpace(n.Path+" "+n.Text))
	}
	if s := kube.Of(t); s != nil {
		return s, nil
	}
	return &kube.Set{}, nil
}

// tell says what the answer lacks.
func (r *rights) tell(s *kube.Set) {
	for _, b := range s.Broken {
		r.note("%s:%d: %v", b.File, b.Line, b.Err)
	}
	for _, text := range rbac.Of(s).Problems {
		r.note("%s", text)
	}
	if len(s.Kind(rbac.Group, "RoleBinding"))+len(s.Kind(rbac.Group, "ClusterRoleBinding")) == 0 {
		r.note("there are no bindings")
	}
}

func (r *rights) note(format string, args ...any) {
	if !r.quiet {
		fmt.Fprintf(r.err, "bulwark: note: %s\n", clean(fmt.Sprintf(format, args...)))
	}
}
