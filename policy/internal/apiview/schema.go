package apiview

import (
	b64 "encoding/base64"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"bulwark/kube"
)

// form is what a type's values are.
type form uint8

const (
	anything form = iota
	object
	mapping
	sequence
	text
	boolean
	integer
	float
	quantity
	intOrText
	encoded // base64
)

// schema is a type of the Kubernetes API.
type schema struct {
	name     string // of a structure: "Pod"
	form     form
	elem     *schema
	fields   map[string]*field
	always   []*field // those that are written though they are empty
	defaults func(*Map)
	more     int // fields that defaults may add
}

type field struct {
	name    string
	of      *schema
	pointer bool
	omit    bool // when it is empty
}

// kinds are the types of the kinds that the view knows.
var kinds = map[string]any{
	"v1 Pod": corev1.Pod{}, "v1 Service": corev1.Service{}, "v1 Namespace": corev1.Namespace{}, "v1 ConfigMap": corev1.ConfigMap{}, "v1 Secret": corev1.Secret{},
	"v1 ServiceAccount": corev1.ServiceAccount{}, "v1 PersistentVolumeClaim": corev1.PersistentVolumeClaim{}, "v1 PersistentVolume": corev1.PersistentVolume{},
	"v1 ReplicationController": corev1.ReplicationController{}, "v1 PodTemplate": corev1.PodTemplate{}, "v1 LimitRange": corev1.LimitRange{}, "v1 ResourceQuota": corev1.ResourceQuota{},
	"v1 Node": corev1.Node{},
	//lint:ignore SA1019 clusters still have them
	"v1 Endpoints":       corev1.Endpoints{},
	"apps/v1 Deployment": appsv1.Deployment{}, "apps/v1 StatefulSet": appsv1.StatefulSet{}, "apps/v1 DaemonSet": appsv1.DaemonSet{}, "apps/v1 ReplicaSet": appsv1.ReplicaSet{},
	"batch/v1 Job": batchv1.Job{}, "batch/v1 CronJob": batchv1.CronJob{},
	"autoscaling/v1 HorizontalPodAutoscaler": autoscalingv1.HorizontalPodAutoscaler{}, "autoscaling/v2 HorizontalPodAutoscaler": autoscalingv2.HorizontalPodAutoscaler{},
	"networking.k8s.io/v1 Ingress": networkingv1.Ingress{}, "networking.k8s.io/v1 NetworkPolicy": networkingv1.NetworkPolicy{}, "networking.k8s.io/v1 IngressClass": networkingv1.IngressClass{},
	"policy/v1 PodDisruptionBudget": policyv1.PodDisruptionBudget{}, "scheduling.k8s.io/v1 PriorityClass": schedulingv1.PriorityClass{}, "storage.k8s.io/v1 StorageClass": storagev1.StorageClass{},
	"rbac.authorization.k8s.io/v1 Role": rbacv1.Role{}, "rbac.authorization.k8s.io/v1 ClusterRole": rbacv1.ClusterRole{},
	"rbac.authorization.k8s.io/v1 RoleBinding": rbacv1.RoleBinding{}, "rbac.authorization.k8s.io/v1 ClusterRoleBinding": rbacv1.ClusterRoleBinding{},
	"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": admissionv1.ValidatingWebhookConfiguration{}, "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration": admissionv1.MutatingWebhookConfiguration{},
}

// Current is the version that a kind's objects of an older one are in when nothing but the
// version in them is changed; "" when there is none, or when that takes more.
func Current(version, kind string) string {
	switch kind {
	case "Deployment", "DaemonSet", "ReplicaSet", "StatefulSet":
		if version == "extensions/v1beta1" || version == "apps/v1beta1" || version == "apps/v1beta2" {
			return "apps/v1"
		}
	case "CronJob":
		if version == "batch/v1beta1" {
			return "batch/v1"
		}
	case "NetworkPolicy":
		if version == "extensions/v1beta1" {
			return "networking.k8s.io/v1"
		}
	}
	group, _, _ := strings.Cut(version, "/")
	if now := group + "/v1"; old[group+" "+kind] && version != now {
		return now
	}
	return ""
}

// old are kinds of v1 that had the same fields in the versions before.
var old = map[string]bool{
	"policy PodDisruptionBudget": true, "scheduling.k8s.io PriorityClass": true, "storage.k8s.io StorageClass": true, "networking.k8s.io IngressClass": true,
	"rbac.authorization.k8s.io Role": true, "rbac.authorization.k8s.io ClusterRole": true, "rbac.authorization.k8s.io RoleBinding": true, "rbac.authorization.k8s.io ClusterRoleBinding": true,
}

var (
	schemas   = map[reflect.Type]*schema{}
	schemasMu sync.Mutex
)

func schemaOf(o *kube.Object) *schema {
	return known()[[2]string{o.APIVersion, o.Kind}]
}

// known are the schemas of all kinds.
var known = sync.OnceValue(func() map[[2]string]*schema {
	m := map[[2]string]*schema{}
	for name, v := range kinds {
		version, kind, _ := strings.Cut(name, " ")
		m[[2]string{version, kind}] = typed(reflect.TypeOf(v))
	}
	return m
})

var podSchema = sync.OnceValue(func() *schema { return typed(reflect.TypeFor[corev1.Pod]()) })

// typed is the schema of a type, for all goroutines.
func typed(t reflect.Type) *schema {
	schemasMu.Lock()
	defer schemasMu.Unlock()
	return derive(t)
}

// scalars are types that are written otherwise than they are made.
var scalars = map[reflect.Type]form{
	reflect.TypeFor[resource.Quantity]():  quantity,
	reflect.TypeFor[intstr.IntOrString](): intOrText,
	reflect.TypeFor[metav1.Time]():        text,
	reflect.TypeFor[metav1.MicroTime]():   text,
	reflect.TypeFor[metav1.Duration]():    text,
	reflect.TypeFor[metav1.FieldsV1]():    anything,
}

// added is how many fields defaults add to a structure, where they are more than two or none
// of its own.
var added = map[string]int{"PodSpec": 14, "Container": 3, "Probe": 4, "DeploymentSpec": 3, "StatefulSetSpec": 4, "JobSpec": 5, "ObjectMeta": 1, "PodStatus": 1, "Pod": 2}

// derive makes the schema of a type once.
func derive(t reflect.Type) *schema {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := schemas[t]; ok {
		return s
	}
	s := &schema{}
	schemas[t] = s
	if f, ok := scalars[t]; ok {
		s.form = f
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		s.name, s.form, s.fields, s.defaults = t.Name(), object, map[string]*field{}, defaults[t]
		s.more = added[s.name]
		if s.defaults != nil && s.more == 0 {
			s.more = 2
		}
		s.collect(t)
	case reflect.Map:
		s.form, s.elem = mapping, derive(t.Elem())
	case reflect.Slice:
		s.form = encoded
		if t.Elem().Kind() != reflect.Uint8 {
			s.form, s.elem = sequence, derive(t.Elem())
		}
	case reflect.String:
		s.form = text
	case reflect.Bool:
		s.form = boolean
	case reflect.Float32, reflect.Float64:
		s.form = float
	case reflect.Interface:
		s.form = anything
	default:
		s.form = integer
	}
	return s
}

func (s *schema) collect(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() || name == "-":
		case name == "" && f.Anonymous:
			s.collect(f.Type)
		case name != "":
			one := &field{name: name, of: derive(f.Type), pointer: f.Type.Kind() == reflect.Pointer}
			// What is left out when it is empty; a struct is so only when it is zero by its
			// own account, as times are.
			one.omit = strings.Contains(options, "omitzero") || strings.Contains(options, "omitempty") && (one.pointer || one.of.form != object && one.of.form != quantity && one.of.form != intOrText)
			s.fields[name] = one
			if !one.omit {
				s.always = append(s.always, one)
			}
		}
	}
}

// omits tells whether a field with that value is left out.
func (f *field) omits(n *kube.Node) bool {
	if !f.omit {
		return false
	}
	if !n.Exists() {
		return true
	}
	if f.pointer {
		return false
	}
	switch f.of.form {
	case boolean:
		return n.False()
	case integer, float:
		i, ok := n.Int()
		return ok && i == 0
	case text, encoded:
		return n.Form() != kube.Map && n.Form() != kube.List && n.Text() == ""
	case mapping, sequence:
		return n.Len() == 0
	}
	return false
}

// zero is an empty field that is written all the same.
func (f *field) zero(m *Map) ref.Val {
	if f.pointer {
		return types.NullValue
	}
	switch f.of.form {
	case object:
		return newMap(nil, f.of, m, f.name, -1)
	case text:
		return types.String("")
	case boolean:
		return types.False
	case integer:
		return types.IntZero
	case float:
		return types.Double(0)
	case quantity:
		return types.String("0")
	case intOrText:
		return types.IntZero
	}
	return types.NullValue
}

// scalar shows a value as its type has it; one that does not fit as it was written.
func (s *schema) scalar(n *kube.Node) ref.Val {
	switch s.form {
	case text, encoded:
		return types.String(n.Text())
	case float:
		return double(n.Text())
	case quantity:
		return canonical(n.Text())
	case intOrText:
		if i, ok := n.Int(); ok {
			return types.Int(i)
		}
		return types.String(n.Text())
	}
	return plain(n)
}

// amounts are canonical forms that were found before: few different amounts are written.
var (
	amounts  sync.Map // string -> ref.Val
	nAmounts atomic.Int64
)

const mostAmounts = 4096

// canonical is an amount as the API server writes it; what is none stays as it is.
func canonical(s string) ref.Val {
	if v, ok := amounts.Load(s); ok {
		return v.(ref.Val)
	}
	v := types.String(s)
	if q, err := resource.ParseQuantity(s); err == nil {
		v = types.String(q.String())
	}
	if len(s) < 32 && nAmounts.Add(1) <= mostAmounts {
		amounts.Store(s, v)
	}
	return v
}

func double(s string) ref.Val {
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil {
		return types.String(s)
	}
	return types.Double(f)
}

func base64(s string) ref.Val { return types.String(b64.StdEncoding.EncodeToString([]byte(s))) }
