//go:build linux

package apiserver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bulwark/policy/admission"
	"bulwark/test/apiserver/harness"
)

// shown are objects that the server gives defaults, other than pods.
const shown = `
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: default}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: false, containers: [{name: a, image: a, ports: [{containerPort: 80}], resources: {limits: {cpu: 1000m}}, livenessProbe: {httpGet: {port: 80}}, env: [{name: N, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}], volumes: [{name: e}, {name: h, hostPath: {path: /}}, {name: s, secret: {secretName: s}}, {name: p, projected: {sources: [{serviceAccountToken: {path: t}}]}}]}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: default}, spec: {replicas: 0, strategy: {type: Recreate}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {hostNetwork: true, serviceAccount: old, containers: [{name: a, image: "a:1", ports: [{containerPort: 80}]}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a, namespace: default}, spec: {serviceName: a, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a@sha256:0000000000000000000000000000000000000000000000000000000000000000", lifecycle: {preStop: {httpGet: {port: 1}}}}]}}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a, namespace: default}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "r:5000/a"}]}}}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a, namespace: default}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: a, namespace: default}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: a, namespace: default}, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: a, image: a}]}}}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: a, namespace: default}, spec: {ports: [{name: a, port: 80}, {name: b, port: 81, targetPort: web, protocol: UDP}]}}
---
{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: default}, data: {x: eA==}, stringData: {y: "y"}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}, data: {x: "1"}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: default}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: default}, spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: default}, spec: {podSelector: {}, egress: [{}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, namespace: default}, spec: {rules: [{host: a.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a, namespace: default}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a, namespace: default}, spec: {minAvailable: 50%, selector: {matchLabels: {a: b}}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a, namespace: default}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}, subjects: [{kind: ServiceAccount, name: a, namespace: default}, {apiGroup: rbac.authorization.k8s.io, kind: User, name: u}]}
`

// only are fields that only a server can fill in: what it allocates, counts and remembers, and
// labels that it makes of a job's uid.
var only = regexp.MustCompile(`^object\.(metadata\.(uid|creationTimestamp|managedFields|generation|resourceVersion|annotations|labels|finalizers)|status|spec\.(clusterIP|ipFamil|selector|template\.metadata\.labels|metrics))`)

// TestDefaultsAreTheServers holds that our view of objects has every field that the server gives
// them, with its value.
func TestDefaultsAreTheServers(t *testing.T) {
	s := harness.Start(t)
	list := documents(t, shown)
	r := rand.New(rand.NewPCG(3, 3))
	for n := range 60 {
		o := objectOf(t, strings.Replace(generated(r, n), "namespace: shop", "namespace: default", 1))
		if o.Namespace == "default" {
			list = append(list, o)
		}
	}
	fields, wrong := 0, 0
	for _, o := range list {
		path := "/apis/" + o.APIVersion
		if o.Group() == "" {
			path = "/api/v1"
		}
		code, answer, err := s.Call(t.Context(), harness.Admin, http.MethodPost, path+"/namespaces/default/"+admission.Plural(o.Kind)+"?dryRun=All", o.Root.JSON())
		if err != nil || code >= 300 {
			if o.Kind != "Pod" {
				t.Errorf("%s: %d %v %s", o.ID(), code, err, answer)
			}
			continue
		}
		var stored map[string]any
		if err := json.Unmarshal(answer, &stored); err != nil {
			t.Fatal(err)
		}
		for _, e := range leaves("object", stored) {
			if only.MatchString(e) {
				continue
			}
			fields++
			set, err := admission.Parse("p.yaml", []byte(fmt.Sprintf("apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\nspec:\n  matchConstraints: {resourceRules: [{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}]}\n  validations: [{expression: %q}]\n", e)))
			if err != nil || len(set.Problems) > 0 {
				t.Fatalf("%s: %v %v", e, err, set.Problems)
			}
			decisions, err := set.Evaluate(t.Context(), admission.Create(o, nil))
			if err != nil {
				t.Fatal(err)
			}
			if len(decisions) > 0 {
				if wrong++; wrong < 40 {
					t.Errorf("%s: the server has %s; ours: %s", o.ID(), e, decisions[0].Message)
				}
			}
		}
	}
	t.Logf("%d fields of %d objects, %d differ", fields, len(list), wrong)
}

// leaves are expressions that say what is at every path of a value.
func leaves(at string, v any) (list []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, w := range v {
			step := "." + name
			if !identifier.MatchString(name) || slices.Contains([]string{"namespace", "in"}, name) {
				step = fmt.Sprintf("[%q]", name)
			}
			list = append(list, leaves(at+step, w)...)
		}
		slices.Sort(list)
		return list
	case []any:
		for i, w := range v {
			list = append(list, leaves(fmt.Sprintf("%s[%d]", at, i), w)...)
		}
		return list
	case nil:
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return []string{at + " == " + string(b)}
}

var identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
