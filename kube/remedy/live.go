package remedy

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"bulwark"
	"bulwark/internal/telling"
	"bulwark/kube"
)

// types are those of the kinds for which there are strategic-merge patches. Others have JSON
// patches.
var types = map[string]reflect.Type{
	"v1/Pod": reflect.TypeFor[corev1.Pod](), "v1/ServiceAccount": reflect.TypeFor[corev1.ServiceAccount](), "v1/Service": reflect.TypeFor[corev1.Service](),
	"v1/Namespace": reflect.TypeFor[corev1.Namespace](), "v1/ReplicationController": reflect.TypeFor[corev1.ReplicationController](), "v1/ConfigMap": reflect.TypeFor[corev1.ConfigMap](),
	"apps/v1/Deployment": reflect.TypeFor[appsv1.Deployment](), "apps/v1/DaemonSet": reflect.TypeFor[appsv1.DaemonSet](), "apps/v1/StatefulSet": reflect.TypeFor[appsv1.StatefulSet](),
	"apps/v1/ReplicaSet": reflect.TypeFor[appsv1.ReplicaSet](), "batch/v1/Job": reflect.TypeFor[batchv1.Job](), "batch/v1/CronJob": reflect.TypeFor[batchv1.CronJob](),
	"networking.k8s.io/v1/Ingress": reflect.TypeFor[networkingv1.Ingress](), "networking.k8s.io/v1/NetworkPolicy": reflect.TypeFor[networkingv1.NetworkPolicy](),
	"rbac.authorization.k8s.io/v1/Role": reflect.TypeFor[rbacv1.Role](), "rbac.authorization.k8s.io/v1/ClusterRole": reflect.TypeFor[rbacv1.ClusterRole](),
	"rbac.authorization.k8s.io/v1/RoleBinding": reflect.TypeFor[rbacv1.RoleBinding](), "rbac.authorization.k8s.io/v1/ClusterRoleBinding": reflect.TypeFor[rbacv1.ClusterRoleBinding](),
}

// live is the patch of an object that a cluster holds, as kubectl patch takes it. File is the
// object's id. Patches of an object may be made one after the other: one that would undo
// another is refused by the API server.
func live(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	for _, e := range edits {
		if settled(o.Kind, e.Path) {
			return nil, unsure("the API server lets nobody change %s of a %s: change what it is made by, or make it anew", kube.PathText(e.Path...), o.Kind)
		}
	}
	with, err := kube.Apply(o.Root, edits)
	if err != nil {
		return nil, err
	}
	if o.Root.Equal(with) {
		return nil, unsure("nothing would change")
	}
	if t := types[o.APIVersion+"/"+o.Kind]; t != nil {
		if body, err := merge(o.Root, with, t); err == nil {
			return shown("strategic-merge", o, body)
		}
	}
	ops := operations(nil, o.Root, with, "")
	root, err := kube.Apply(nil, []kube.Edit{kube.Put(ops)})
	if err != nil {
		return nil, err
	}
	return shown("json-patch", o, root)
}

// settled tells whether a field is as its object was made for as long as that is there.
func settled(kind string, path []any) bool {
	begins := func(with ...any) bool { return len(path) >= len(with) && slices.Equal(path[:len(with)], with) }
	switch kind {
	case "Pod":
		return begins("spec") && path[len(path)-1] != "image"
	case "Job":
		return begins("spec", "template")
	case "RoleBinding", "ClusterRoleBinding":
		return begins("roleRef")
	}
	return false
}

// shown is a patch that may be shown to people: with no value of a secret in it.
func shown(format string, o *kube.Object, body *kube.Node) (*bulwark.Patch, error) {
	text := string(body.JSON())
	if telling.Line(text) {
		return nil, unsure("a secret may stand in what would be shown")
	}
	return &bulwark.Patch{Format: format, File: o.ID(), Text: text}, nil
}

// merge is the strategic-merge patch that makes one state of a value of a type of the API of
// another. It fails where none can say it: where an element has no key, is in its place
// because of others, or is of a list without keys, which a patch puts in the place of whatever
// another patch has made of it.
func merge(old, with *kube.Node, t reflect.Type) (*kube.Node, error) {
	patch := map[string]any{}
	for f := range with.Keys() {
		was := old.Get(f.Name)
		if was.Equal(f.Value) && (was != nil || !f.Value.Exists()) {
			continue
		}
		ft, key := fieldOf(t, f.Name)
		v, err := mergeField(was, f.Value, ft, key)
		if err != nil {
			return nil, err
		}
		patch[f.Name] = v
	}
	for f := range old.Keys() {
		if !with.Has(f.Name) {
			patch[f.Name] = nil
		}
	}
	return kube.Apply(nil, []kube.Edit{kube.Put(patch)})
}

func mergeField(old, with *kube.Node, t reflect.Type, key string) (*kube.Node, error) {
	switch {
	case old.Form() == kube.Map && with.Form() == kube.Map:
		return merge(old, with, t)
	case (key == "" || key == primitive) && old.Len() > 0 && with.Len() > 0:
		return nil, unsure("a list of which others may change a part")
	case key == "" || with.Form() != kube.List:
		return with, nil // it takes the place of the whole
	}
	list := []any{}
	seen := map[string]bool{}
	for _, item := range with.Items() {
		name := item.Get(key)
		if !name.Exists() || seen[name.Text()] {
			return nil, unsure("elements without a key of their own")
		}
		seen[name.Text()] = true
		was := byKey(old, key, name.Text())
		if was.Equal(item) && was != nil {
			continue
		}
		made, err := merge(was, item, t)
		if err != nil {
			return nil, err
		}
		if made, err = kube.Apply(made, []kube.Edit{kube.Put(name, key)}); err != nil {
			return nil, err
		}
		list = append(list, made)
	}
	kept := map[string]bool{}
	for _, item := range old.Items() {
		name := item.Get(key)
		if !name.Exists() || kept[name.Text()] {
			return nil, unsure("elements without a key of their own")
		}
		kept[name.Text()] = true
		if !seen[name.Text()] {
			list = append(list, map[string]any{"$patch": "delete", key: name})
		}
	}
	return kube.Apply(nil, []kube.Edit{kube.Put(list)})
}

// primitive stands for the key of lists that are merged by their elements themselves.
const primitive = "$primitive"

func byKey(list *kube.Node, key, name string) *kube.Node {
	for _, item := range list.Items() {
		if n := item.Get(key); n.Exists() && n.Text() == name {
			return item
		}
	}
	return nil
}

// fieldOf gives the type of a field by its name in JSON, of its elements if it is a list, and
// the key by which lists of it are merged.
func fieldOf(t reflect.Type, name string) (field reflect.Type, key string) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, ""
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "" && strings.Contains(opts, "inline") {
			if field, key = fieldOf(f.Type, name); field != nil {
				return field, key
			}
		}
		if tag != name {
			continue
		}
		ft := f.Type
		for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice {
			ft = ft.Elem()
		}
		if !strings.Contains(f.Tag.Get("patchStrategy"), "merge") {
			return ft, ""
		}
		return ft, cmp.Or(f.Tag.Get("patchMergeKey"), primitive)
	}
	return nil, ""
}

// operations are those of RFC 6902. Before an element of a list is changed, it is tested that
// it is the one that is meant.
func operations(ops []any, old, with *kube.Node, at string) []any {
	switch {
	case old.Equal(with) && old != nil:
		return ops
	case old.Form() == kube.Map && with.Form() == kube.Map:
		for f := range with.Keys() {
			path := at + "/" + escape(f.Name)
			if !old.Has(f.Name) {
				ops = append(ops, map[string]any{"op": "add", "path": path, "value": f.Value})
				continue
			}
			ops = operations(ops, old.Get(f.Name), f.Value, path)
		}
		for f := range old.Keys() {
			if !with.Has(f.Name) {
				ops = append(ops, map[string]any{"op": "remove", "path": at + "/" + escape(f.Name)})
			}
		}
		return ops
	case old.Form() == kube.List && old.Len() == with.Len() && with.Form() == kube.List:
		for i, item := range with.Items() {
			path := at + "/" + strconv.Itoa(i)
			if name := old.Item(i).Get("name"); name.Exists() && !old.Item(i).Equal(item) {
				ops = append(ops, map[string]any{"op": "test", "path": path + "/name", "value": name})
			}
			ops = operations(ops, old.Item(i), item, path)
		}
		return ops
	}
	return append(ops, map[string]any{"op": "test", "path": at, "value": old}, map[string]any{"op": "replace", "path": at, "value": with})
}

func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
