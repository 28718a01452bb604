package admission

import (
	"cmp"
	"strings"
	"sync"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"bulwark/kube"
	"bulwark/policy/internal/apiview"
	"bulwark/policy/internal/celext"
)

// Resource names what a request is about, as the API has it.
type Resource struct{ Group, Version, Resource, Kind string }

// User is who makes a request.
type User struct {
	Name, UID string
	Groups    []string
	Extra     map[string][]string
}

// Request is what is asked of policies. That of a scan is the creation of an object by
// nobody in particular: see [Create]. It is used by one goroutine.
//
// Beside who asks, it differs from what a cluster's policies see in what only a cluster
// adds to an object: its uid and time of creation, addresses of services, the changes of
// mutating webhooks. What the API server itself adds to pods and workloads is added here.
type Request struct {
	Operation   string // CREATE, UPDATE, DELETE, CONNECT
	Object, Old *kube.Object
	// Template is where in Object a pod template stands that is asked about as the pod that
	// will be made of it; nil for the object itself.
	Template    []any
	Resource    Resource
	SubResource string
	Name        string
	Scope       string       // the namespace; "" for what belongs to the whole cluster
	Namespace   *kube.Object // of that name; nil for one of which nothing more is known
	User        User
	DryRun      bool
	// Params are objects that parameters are looked for in, when none of the policies' own
	// files fits; nil for none.
	Params *kube.Set
	// Evaluated counts the expressions that were evaluated for verdicts: conditions, variables,
	// validations, messages and annotations.
	Evaluated int

	original *Resource // what was asked about, when that is Resource in another version
	newer    *Request  // the same in the version that is current

	view    ref.Val // of Object
	request ref.Val
	weight  weight            // 0: not worked out yet
	known   map[string]string // labels of the pod of a template
	scratch *evaluation       // of one policy after the other
	others  []other           // objects that were shown beside it
	trace   apiview.Trace     // of what is read of traced
	traced  ref.Val           // Object, to find what decided
	tracer  *evaluation
}

// Create is the request that creates an object.
func Create(o *kube.Object, namespace *kube.Object) *Request {
	r := &Request{Operation: "CREATE", Object: o, Resource: ResourceOf(o), Name: o.Root.Get("metadata", "name").Text(), Scope: o.Namespace, Namespace: namespace}
	if o.Is("", "Namespace") {
		r.Scope = o.Name // the API server has namespaces be in themselves
		r.Namespace = nil
	}
	return r
}

// CreatePod is the request that creates a pod of the pod template at a place of an object: in
// the object's namespace, or in the default one where nobody knows it.
func CreatePod(o *kube.Object, template []any, namespace *kube.Object) *Request {
	r := &Request{Operation: "CREATE", Object: o, Template: template, Resource: Resource{"", "v1", "pods", "Pod"}, Scope: cmp.Or(o.Namespace, "default"), Namespace: namespace}
	return r
}

// weigh works out the weight of the request's objects, when it is first asked for.
func (r *Request) weigh() weight {
	if r.weight == 0 {
		r.weight = 50 // what defaults add
		for _, o := range []*kube.Object{r.Object, r.Old, r.Namespace} {
			if o != nil {
				r.weight.add(o.Root)
			}
		}
	}
	return r.weight
}

// Namespace gives the namespace of that name: as the objects have it, or as one that was
// just made, with the label of its name alone.
func Namespace(s *kube.Set, name string) *kube.Object {
	if o := s.Find("Namespace/" + name); o != nil {
		return o
	}
	quoted := string((types.String(name)).Value().(string))
	quoted = strings.NewReplacer(`\`, "", `"`, "", "\n", "").Replace(quoted)
	root, err := kube.ParseJSON([]byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"` + quoted + `"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}`))
	if err != nil {
		return nil
	}
	o, _ := kube.NewObject(root, kube.Origin{})
	return o
}

// old tells whether a version is one that may have been converted from.
func old(version string) bool {
	return strings.Contains(version, "beta") || strings.Contains(version, "alpha")
}

// current is the request as a policy about the version that is current sees it: with the object
// converted, where all that takes is another version in it. Otherwise it is the request itself.
func (r *Request) current() *Request {
	if r.newer != nil {
		return r.newer
	}
	r.newer = r
	o := r.Object
	if o == nil {
		o = r.Old
	}
	if o == nil || r.Template != nil {
		return r
	}
	version := apiview.Current(o.APIVersion, o.Kind)
	if version == "" {
		return r
	}
	n := &Request{Operation: r.Operation, Object: inVersion(r.Object, version), Old: inVersion(r.Old, version), Resource: r.Resource, SubResource: r.SubResource, Name: r.Name, Scope: r.Scope,
		Namespace: r.Namespace, User: r.User, DryRun: r.DryRun, Params: r.Params, original: &r.Resource}
	n.Resource.Group, n.Resource.Version, _ = strings.Cut(version, "/")
	n.newer, r.newer = n, n
	return n
}

// inVersion is the object in another version of its kind.
func inVersion(o *kube.Object, version string) *kube.Object {
	if o == nil {
		return nil
	}
	root, err := kube.Apply(o.Root, []kube.Edit{kube.Put(version, "apiVersion")})
	if err != nil {
		return o
	}
	c, ok := kube.NewObject(root, o.Origin)
	if !ok {
		return o
	}
	c.Namespace = o.Namespace
	return c
}

// other is an object that was shown to expressions.
type other struct {
	object *kube.Object
	view   *apiview.Map
}

// shown shows an object, once.
func (r *Request) shown(o *kube.Object) *other {
	for i := range r.others {
		if r.others[i].object == o {
			return &r.others[i]
		}
	}
	r.others = append(r.others, other{object: o, view: apiview.Of(o, nil)})
	return &r.others[len(r.others)-1]
}

func (r *Request) seen(o *kube.Object) ref.Val {
	if o == nil {
		return types.NullValue
	}
	return r.shown(o).view
}

// Done says that nothing more is asked about the request, which makes others cheaper.
func (r *Request) Done() {
	if n := r.newer; n != nil && n != r {
		r.Evaluated += n.Evaluated
		n.newer, r.newer = nil, nil
		n.Done()
	}
	for _, v := range []ref.Val{r.view, r.traced} {
		if m, ok := v.(*apiview.Map); ok {
			m.Recycle()
		}
	}
	for i := range r.others {
		r.others[i].view.Recycle()
	}
	for _, e := range []*evaluation{r.scratch, r.tracer} {
		if e != nil {
			e.forget()
			scratches.Put(e)
		}
	}
	r.view, r.traced, r.others, r.scratch, r.tracer = nil, nil, nil, nil, nil
}

// scratches are evaluations that were done with.
var scratches = sync.Pool{New: func() any { return &evaluation{} }}

// begin begins the evaluation of a policy, with the parameter; the one before is over.
func (r *Request) begin(p *Policy, param *kube.Object, budget uint64) *evaluation {
	if r.scratch == nil {
		r.scratch = scratches.Get().(*evaluation)
	}
	return r.scratch.begin(p, r, param, budget)
}

// beginTraced is begin for an evaluation that tells what it reads.
func (r *Request) beginTraced(p *Policy, param *kube.Object) *evaluation {
	if r.tracer == nil {
		r.tracer, r.traced = scratches.Get().(*evaluation), r.object(&r.trace)
	}
	r.trace = apiview.Trace{}
	e := r.tracer.begin(p, r, param, celext.PolicyBudget)
	e.object, e.frame.Object = r.traced, r.traced
	return e
}

// namespace is the one that the request is in; nil when it is in none.
func (r *Request) namespace() *kube.Object {
	if r.Namespace == nil && r.Scope != "" && r.Resource.Kind != "Namespace" {
		r.Namespace = Namespace(nil, r.Scope)
	}
	return r.Namespace
}

// labels are those of the object, or of the pod that a template makes.
func (r *Request) labels() map[string]string {
	if r.Template == nil {
		return r.Object.Labels
	}
	if r.known == nil {
		r.known = map[string]string{}
		for name, v := range r.Object.Root.At(r.Template...).Get("metadata", "labels").Fields() {
			r.known[name] = v.Text()
		}
	}
	return r.known
}

// object is what expressions see of the object.
func (r *Request) object(trace *apiview.Trace) ref.Val {
	switch {
	case r.Object == nil:
		return types.NullValue
	case r.Template != nil:
		return apiview.Pod(r.Object, r.Template, trace)
	}
	return apiview.Of(r.Object, trace)
}

// about is what expressions see of the request.
func (r *Request) about() ref.Val {
	if r.request != nil {
		return r.request
	}
	kind := map[string]any{"group": r.Resource.Group, "version": r.Resource.Version, "kind": r.Resource.Kind}
	resource := map[string]any{"group": r.Resource.Group, "version": r.Resource.Version, "resource": r.Resource.Resource}
	asked := r.Resource
	if r.original != nil {
		asked = *r.original
	}
	extra := map[string]any{}
	for name, list := range r.User.Extra {
		extra[name] = list
	}
	groups := r.User.Groups
	if groups == nil {
		groups = []string{}
	}
	m := map[string]any{
		"uid": "", "kind": kind, "resource": resource, "requestKind": map[string]any{"group": asked.Group, "version": asked.Version, "kind": asked.Kind},
		"requestResource": map[string]any{"group": asked.Group, "version": asked.Version, "resource": asked.Resource}, "operation": r.Operation, "dryRun": r.DryRun,
		"userInfo": map[string]any{"username": r.User.Name, "uid": r.User.UID, "groups": groups, "extra": extra},
		"options":  map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": optionsOf[r.Operation]},
	}
	for name, v := range map[string]string{"name": r.Name, "namespace": r.Scope, "subResource": r.SubResource, "requestSubResource": r.SubResource} {
		if v != "" {
			m[name] = v
		}
	}
	r.request = types.DefaultTypeAdapter.NativeToValue(m)
	return r.request
}

var optionsOf = map[string]string{"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}

// ResourceOf is the resource of an object: by its kind, as the API server calls it, or by the
// rule that most custom resources keep to.
func ResourceOf(o *kube.Object) Resource {
	group, version, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		group, version = "", o.APIVersion
	}
	return Resource{group, version, Plural(o.Kind), o.Kind}
}

// Plural is the name of a kind's resource.
func Plural(kind string) string {
	s := strings.ToLower(kind)
	switch {
	case s == "endpoints":
		return s
	case strings.HasSuffix(s, "s"), strings.HasSuffix(s, "x"), strings.HasSuffix(s, "ch"), strings.HasSuffix(s, "sh"):
		return s + "es"
	case strings.HasSuffix(s, "y") && !strings.HasSuffix(s, "ay") && !strings.HasSuffix(s, "ey") && !strings.HasSuffix(s, "oy"):
		return s[:len(s)-1] + "ies"
	case s == "":
		return s
	}
	return s + "s"
}
