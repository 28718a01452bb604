package admission

import (
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"bulwark/policy/internal/celext"
)

// The types of what expressions are about, besides objects.
const (
	requestType   = "kubernetes.AdmissionRequest"
	namespaceType = "kubernetes.Namespace"
	variablesType = "kubernetes.variables"
)

var (
	texts       = cel.ListType(cel.StringType)
	labels      = cel.MapType(cel.StringType, cel.StringType)
	structTypes = map[string]map[string]*cel.Type{
		requestType: {
			"kind": cel.ObjectType("kubernetes.GroupVersionKind"), "resource": cel.ObjectType("kubernetes.GroupVersionResource"), "subResource": cel.StringType,
			"requestKind": cel.ObjectType("kubernetes.GroupVersionKind"), "requestResource": cel.ObjectType("kubernetes.GroupVersionResource"), "requestSubResource": cel.StringType,
			"name": cel.StringType, "namespace": cel.StringType, "operation": cel.StringType, "userInfo": cel.ObjectType("kubernetes.UserInfo"), "dryRun": cel.BoolType, "options": cel.DynType,
		},
		"kubernetes.GroupVersionKind":     {"group": cel.StringType, "version": cel.StringType, "kind": cel.StringType},
		"kubernetes.GroupVersionResource": {"group": cel.StringType, "version": cel.StringType, "resource": cel.StringType},
		"kubernetes.UserInfo":             {"username": cel.StringType, "uid": cel.StringType, "groups": texts, "extra": cel.MapType(cel.StringType, texts)},
		namespaceType:                     {"metadata": cel.ObjectType("kubernetes.NamespaceMetadata"), "spec": cel.ObjectType("kubernetes.NamespaceSpec"), "status": cel.ObjectType("kubernetes.NamespaceStatus")},
		"kubernetes.NamespaceMetadata": {
			"name": cel.StringType, "generateName": cel.StringType, "namespace": cel.StringType, "labels": labels, "annotations": labels, "UID": cel.StringType,
			"creationTimestamp": cel.TimestampType, "deletionGracePeriodSeconds": cel.IntType, "deletionTimestamp": cel.TimestampType, "generation": cel.IntType,
			"resourceVersion": cel.StringType, "finalizers": texts,
		},
		"kubernetes.NamespaceSpec":      {"finalizers": texts},
		"kubernetes.NamespaceStatus":    {"conditions": cel.ListType(cel.ObjectType("kubernetes.NamespaceCondition")), "phase": cel.StringType},
		"kubernetes.NamespaceCondition": {"status": cel.StringType, "type": cel.StringType, "lastTransitionTime": cel.TimestampType, "message": cel.StringType, "reason": cel.StringType},
	}
)

// declared knows the types of one policy: those above, and of the variables that it has.
type declared struct {
	types.Provider
	variables map[string]*cel.Type
	envs      map[[2]bool]*cel.Env
}

func newDeclared() *declared {
	return &declared{variables: map[string]*cel.Type{}, envs: map[[2]bool]*cel.Env{}}
}

// variable declares a variable; t is nil when its expression is wrong.
func (d *declared) variable(name string, t *cel.Type) { d.variables[name] = simple(t) }

// simple is a type as variables have it: lists and maps by their elements, structures as
// anything, as the API server has them.
func simple(t *cel.Type) *cel.Type {
	if t == nil {
		return cel.DynType
	}
	switch t.Kind() {
	case types.BoolKind, types.BytesKind, types.DoubleKind, types.DurationKind, types.IntKind, types.NullTypeKind, types.StringKind, types.TimestampKind, types.UintKind:
		return t
	case types.ListKind:
		return cel.ListType(simple(t.Parameters()[0]))
	case types.MapKind:
		return cel.MapType(simple(t.Parameters()[0]), simple(t.Parameters()[1]))
	}
	return cel.DynType
}

// FindStructType knows the structures.
func (d *declared) FindStructType(name string) (*types.Type, bool) {
	if _, ok := structTypes[name]; ok || name == variablesType {
		return types.NewTypeTypeWithParam(cel.ObjectType(name)), true
	}
	return d.Provider.FindStructType(name)
}

// FindStructFieldType knows their fields.
func (d *declared) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := structTypes[name]
	if name == variablesType {
		fields, ok = d.variables, true
	}
	if !ok {
		return d.Provider.FindStructFieldType(name, field)
	}
	t, ok := fields[field]
	return &types.FieldType{Type: t}, ok
}

// bases are the environments that policies share: with and without parameters and rights.
var bases [2][2]struct {
	once sync.Once
	env  *cel.Env
	err  error
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func base(params, rights bool) (*cel.Env, error) {
	b := &bases[index(params)][index(rights)]
	b.once.Do(func() {
		options := append(celext.Environment(),
			cel.Variable("object", cel.DynType), cel.Variable("oldObject", cel.DynType),
			cel.Variable("request", cel.ObjectType(requestType)), cel.Variable("namespaceObject", cel.ObjectType(namespaceType)), cel.Variable("variables", cel.ObjectType(variablesType)))
		if params {
			options = append(options, cel.Variable("params", cel.DynType))
		}
		if rights {
			options = append(options, cel.Variable("authorizer", celext.AuthorizerType), cel.Variable("authorizer.requestResource", celext.ResourceCheckType))
		}
		b.env, b.err = cel.NewEnv(options...)
	})
	return b.env, b.err
}

// environmentOf is the environment of a policy's expressions.
func environmentOf(params, rights bool, d *declared) (*cel.Env, error) {
	if env := d.envs[[2]bool{params, rights}]; env != nil {
		return env, nil
	}
	b, err := base(params, rights)
	if err != nil {
		return nil, err
	}
	own := *d // shares the maps, which grow as variables are declared
	own.Provider = b.CELTypeProvider()
	env, err := b.Extend(cel.CustomTypeProvider(&own))
	d.envs[[2]bool{params, rights}] = env
	return env, err
}
