//go:build linux

package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
)

// wholeObjects are objects that have many fields.
var wholeObjects = []string{
	`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"x","labels":{"a":"b"},"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"unconfined"},"ownerReferences":[{"kind":"ReplicaSet","name":"r","controller":true}]},
	"spec":{"hostPID":true,"hostIPC":true,"hostNetwork":true,"hostUsers":true,"shareProcessNamespace":true,"automountServiceAccountToken":true,"serviceAccountName":"s","runtimeClassName":"r","nodeName":"n","nodeSelector":{"a":"b"},"restartPolicy":"Always","priorityClassName":"p","imagePullSecrets":[{"name":"s"}],
	"tolerations":[{"operator":"Exists"}],"affinity":{"podAntiAffinity":{}},"topologySpreadConstraints":[{"maxSkew":1}],"hostAliases":[{"ip":"1.2.3.4","hostnames":["a"]}],"dnsConfig":{"nameservers":["1.1.1.1"]},"terminationGracePeriodSeconds":5,
	"securityContext":{"runAsUser":0,"runAsGroup":0,"runAsNonRoot":false,"fsGroup":0,"supplementalGroups":[0],"sysctls":[{"name":"kernel.msgmax","value":"1"}],"seccompProfile":{"type":"Unconfined"},"appArmorProfile":{"type":"Unconfined"},"seLinuxOptions":{"type":"x","user":"u","role":"r"},"windowsOptions":{"hostProcess":true}},
	"volumes":[{"name":"v","hostPath":{"path":"/","type":"Directory"}},{"name":"s","secret":{"secretName":"s","defaultMode":511,"items":[{"key":"k","path":"p"}]}},{"name":"p","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":9,"audience":"a"}}]}},{"name":"e","emptyDir":{"sizeLimit":"1Gi","medium":"Memory"}}],
	"initContainers":[{"name":"i","image":"i","restartPolicy":"Always"}],"ephemeralContainers":[{"name":"e","image":"i"}],
	"containers":[{"name":"c","image":"i:latest","imagePullPolicy":"Never","command":["sh"],"args":["-c","x"],"workingDir":"/","stdin":true,"tty":true,
	"env":[{"name":"PASSWORD","value":"x"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],"envFrom":[{"secretRef":{"name":"s"}},{"configMapRef":{"name":"c"}}],
	"ports":[{"containerPort":22,"hostPort":22,"protocol":"TCP","hostIP":"0.0.0.0","name":"p"}],"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}},
	"volumeMounts":[{"name":"v","mountPath":"/host","readOnly":false,"mountPropagation":"Bidirectional","subPath":"a"}],"volumeDevices":[{"name":"v","devicePath":"/dev/x"}],"livenessProbe":{"httpGet":{"port":80,"host":"h"},"exec":{"command":["a"]}},"readinessProbe":{"tcpSocket":{"port":1}},"lifecycle":{"postStart":{"exec":{"command":["a"]}}},
	"securityContext":{"privileged":true,"allowPrivilegeEscalation":true,"readOnlyRootFilesystem":false,"runAsUser":0,"runAsNonRoot":false,"procMount":"Unmasked","capabilities":{"add":["SYS_ADMIN"],"drop":["ALL"]},"seccompProfile":{"type":"Localhost","localhostProfile":"p"},"seLinuxOptions":{"level":"s0"},"windowsOptions":{"hostProcess":true}}}]}}`,
	`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"strategy":{"type":"Recreate"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`,
	`{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"a"},"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}}}}`,
	`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"a","labels":{"a":"b"}},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}]},"rules":[{"apiGroups":["*"],"resources":["*"],"resourceNames":["n"],"verbs":["*"],"nonResourceURLs":["*"]}]}`,
	`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"a","namespace":"x"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"User","name":"system:anonymous","apiGroup":"rbac.authorization.k8s.io","namespace":"n"}]}`,
	`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","annotations":{"service.beta.kubernetes.io/aws-load-balancer-internal":"true"}},"spec":{"type":"LoadBalancer","selector":{"a":"b"},"externalIPs":["1.2.3.4"],"loadBalancerSourceRanges":["0.0.0.0/0"],"externalTrafficPolicy":"Local","ports":[{"port":22,"targetPort":"ssh","nodePort":30022,"protocol":"TCP","name":"n"}]}}`,
	`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"a","annotations":{"nginx.ingress.kubernetes.io/ssl-redirect":"false","nginx.ingress.kubernetes.io/configuration-snippet":"x"}},"spec":{"ingressClassName":"n","defaultBackend":{"service":{"name":"s","port":{"number":1}}},"tls":[{"hosts":["h"],"secretName":"s"}],"rules":[{"host":"h","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"s","port":{"name":"p"}}}}]}}]}}`,
	`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a"},"spec":{"podSelector":{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]},"policyTypes":["Ingress"],"ingress":[{"from":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]}},{"namespaceSelector":{},"podSelector":{}}],"ports":[{"port":80,"endPort":90,"protocol":"TCP"}]}],"egress":[{"to":[{"podSelector":{}}]}]}}`,
	`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"type":"kubernetes.io/tls","immutable":true,"data":{"tls.crt":"eA==","tls.key":"eA=="},"stringData":{"a":"b"}}`,
	`{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a"},"automountServiceAccountToken":true,"secrets":[{"name":"s"}],"imagePullSecrets":[{"name":"s"}]}`,
	`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`,
	`{"apiVersion":"v1","kind":"Node","metadata":{"name":"n","labels":{"a":"b"}},"spec":{"taints":[{"key":"a","effect":"NoSchedule"}],"podCIDR":"10.0.0.0/24"},"status":{"nodeInfo":{"kubeletVersion":"v1.20.0","containerRuntimeVersion":"containerd://1.2.3","kernelVersion":"4.4.0","osImage":"Debian GNU/Linux 9"},"addresses":[{"type":"ExternalIP","address":"1.2.3.4"}],"conditions":[{"type":"Ready","status":"True"}]}}`,
	`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"a"},"webhooks":[{"name":"w","failurePolicy":"Ignore","timeoutSeconds":30,"sideEffects":"None","clientConfig":{"url":"http://x","service":{"name":"s","namespace":"n","port":1},"caBundle":"eA=="},"namespaceSelector":{"matchExpressions":[{"key":"a","operator":"NotIn","values":["b"]}]},"objectSelector":{},"matchConditions":[{"name":"m","expression":"true"}],"rules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"],"scope":"*"}]}]}`,
	`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"a"},"spec":{"failurePolicy":"Ignore","matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},"validations":[{"expression":"true","message":"m"}]}}`,
	`{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","authentication":{"anonymous":{"enabled":true},"webhook":{"enabled":false},"x509":{"clientCAFile":"f"}},"authorization":{"mode":"AlwaysAllow"},"readOnlyPort":10255,"tlsCipherSuites":["a"],"eventRecordQPS":0,"streamingConnectionIdleTimeout":"0s"}`,
	`{"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["a"],"rules":[{"level":"None","users":["u"],"verbs":["get"],"resources":[{"group":"","resources":["secrets"]}]}]}`,
	`{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"a"},"spec":{"minReplicas":1,"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment","name":"a"}}}`,
	`{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"a"},"spec":{"minAvailable":"50%","maxUnavailable":0,"selector":{"matchLabels":{"a":"b"}}}}`,
	`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"a"},"spec":{"hard":{"pods":"1"}}}`,
	`{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"a"},"spec":{"limits":[{"type":"Container","default":{"cpu":"1"},"max":{"memory":"1Gi"}}]}}`,
	`{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"a"},"spec":{"hostPath":{"path":"/"},"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteMany"],"csi":{"driver":"d","volumeAttributes":{"a":"b"}}}}`,
	`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"password":"x"},"binaryData":{"a":"eA=="}}`,
	`{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"a"},"spec":{"selector":{"a":"b"},"servers":[{"port":{"number":80,"protocol":"HTTP","name":"n"},"hosts":["*"],"tls":{"mode":"SIMPLE","minProtocolVersion":"TLSV1_0"}}]}}`,
	`{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"a"},"spec":{"action":"ALLOW","selector":{"matchLabels":{"a":"b"}},"rules":[{"from":[{"source":{"principals":["*"]}}],"to":[{"operation":{"paths":["/"]}}]}]}}`,
	`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"a"},"spec":{"gatewayClassName":"g","listeners":[{"name":"l","port":80,"protocol":"HTTP","hostname":"h","tls":{"certificateRefs":[{"name":"n"}]},"allowedRoutes":{"namespaces":{"from":"All"}}}]}}`,
	`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"a"},"spec":{"parentRefs":[{"name":"a"}],"hostnames":["h"],"rules":[{"backendRefs":[{"name":"s","port":1}]}]}}`,
	`{"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"a"},"spec":{"secretName":"s","duration":"2160h","dnsNames":["*.x"],"privateKey":{"algorithm":"RSA","size":1024},"issuerRef":{"name":"i","kind":"ClusterIssuer"}}}`,
	`{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a"},"spec":{"project":"default","source":{"repoURL":"http://x","targetRevision":"HEAD"},"destination":{"server":"s","namespace":"n"},"syncPolicy":{"automated":{"prune":true}}}}`,
	`{"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","metadata":{"name":"a"},"spec":{"refreshInterval":"0","secretStoreRef":{"name":"s","kind":"ClusterSecretStore"},"data":[{"secretKey":"k","remoteRef":{"key":"r"}}]}}`,
}

// wrong is a value as JSON has it, numbers that none can hold too.
type wrong string

// MarshalJSON is the text itself where encoding/json takes it.
func (w wrong) MarshalJSON() ([]byte, error) { return []byte(w), nil }

// fieldsOf gives, for each field of an object, what makes the object with another value there.
func fieldsOf(t testing.TB, text string) iter.Seq[func(n int, value string) string] {
	return func(yield func(func(int, string) string) bool) {
		var object map[string]any
		check(t, json.Unmarshal([]byte(text), &object))
		visit(object, func(put func(any)) bool {
			return yield(func(n int, value string) string {
				meta, _ := object["metadata"].(map[string]any)
				if _, ok := meta["name"].(string); ok {
					meta["name"] = fmt.Sprintf("a%d", n)
				}
				put(wrong(value))
				b, err := json.Marshal(object)
				check(t, err)
				put(nil)
				return string(b)
			})
		})
	}
}

// visit goes to each value below v; put changes it, and gives back what was there for nil.
func visit(v any, yield func(put func(any)) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			old := v[k]
			if !yield(func(x any) { v[k] = or(x, old) }) || !visit(old, yield) {
				return false
			}
		}
	case []any:
		for i, old := range v {
			if !yield(func(x any) { v[i] = or(x, old) }) || !visit(old, yield) {
				return false
			}
		}
	}
	return true
}

func or(x, old any) any {
	if x == nil {
		return old
	}
	return x
}

// wrongValues stand where another type belongs.
var wrongValues = []string{`7`, `-1`, `"x"`, `"\u0000\u001b[31m"`, `null`, `true`, `[null]`, `{"a":null}`, `[1,"a",null,[],{}]`, `{"a":{"b":[7]},"name":7,"kind":[]}`, `[{"name":{}},{"name":"c","value":[]}]`}

// TestObjectsOfWrongTypes puts values of every type into every field of objects that have many. Each
// object gives findings or none, but no crash; the good pod is found beside all of them.
func TestObjectsOfWrongTypes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.most = 400 << 10 // thousands of objects with findings each
	n := 0
	for i, text := range wholeObjects {
		text = strings.ReplaceAll(text, "\n", "")
		r.spill(fmt.Sprintf("src/o%d.json", i), func(w io.Writer) {
			for put := range fieldsOf(t, text) {
				for _, value := range wrongValues {
					n++
					fmt.Fprintf(w, "%s\n---\n", put(n, value))
				}
			}
		})
	}
	r.put("src/zz/good.yaml", []byte(goodPod))
	t.Logf("%d objects", n)
	res := r.run("scan", "dir:"+r.path("in", "src"), "--only", "misconfig,exposure", "--hygiene", "--offline", "-f", "json", "--framework", "nsa,cis,pss", "--db", database, "--cache-dir", r.path("cache"), "--now", "2026-10-01T00:00:00Z")
	if res.code != 0 || !strings.Contains(res.stdout, `"shop/Pod/good"`) {
		t.Errorf("exit code %d: %.2000s", res.code, res.stderr)
	}
}
