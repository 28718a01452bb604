//go:build linux

package apiserver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"bulwark/check/workload/pss"
	"bulwark/kube"
	"bulwark/test/apiserver/harness"
)

// podsJudged is how many pods the server and we have to agree on.
const podsJudged = 600

// TestStandardsAgree: for pods of every shape that the Pod Security Standards look at, our
// verdict is the server's.
func TestStandardsAgree(t *testing.T) {
	s := harness.Start(t)
	for _, level := range []string{pss.Baseline, pss.Restricted} {
		s.Must(t, http.MethodPost, "/api/v1/namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": level, "labels": object{"pod-security.kubernetes.io/enforce": level}}})
	}
	r := rand.New(rand.NewPCG(7, 7))
	judged, invalid := map[string]int{}, 0
	for n := 0; judged[""] < podsJudged && n < 4*podsJudged; n += 50 {
		pods := make([]object, 50)
		for i := range pods {
			pods[i] = randomPod(r, fmt.Sprintf("p%d", n+i))
		}
		for i, v := range verdicts(t, s, pods) {
			switch {
			case v == "":
				invalid++
			default:
				judged[""]++
				judged[v]++
				if got := levelOf(t, pods[i]); got != v {
					b, _ := json.Marshal(pods[i])
					t.Errorf("the server says %s, we say %s: %s", v, got, b)
				}
			}
		}
	}
	t.Logf("%v, %d were no valid pods", judged, invalid)
	for _, level := range []string{"", pss.Privileged, pss.Baseline, pss.Restricted} {
		if want := map[string]int{"": podsJudged}[level]; judged[level] < max(want, podsJudged/12) {
			t.Errorf("%d pods of level %q are too few to show anything", judged[level], level)
		}
	}
}

// levelOf is our verdict of a pod, read as manifests are.
func levelOf(t *testing.T, pod object) string {
	t.Helper()
	b, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	root, err := kube.ParseJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	ws := (&kube.Set{Objects: []*kube.Object{o}}).Workloads()
	if !ok || len(ws) != 1 || len(ws[0].Misfits) > 0 {
		t.Fatalf("%s: %v", b, ws)
	}
	return pss.Level(&ws[0].Meta, &ws[0].Spec)
}

// verdicts are the levels that the server lets pods into; "" for what is no valid pod.
func verdicts(t *testing.T, s *harness.Server, pods []object) []string {
	t.Helper()
	list := make([]string, len(pods))
	var g errgroup.Group
	g.SetLimit(4)
	for i, pod := range pods {
		g.Go(func() (err error) {
			list[i], err = verdict(t, s, pod)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return list
}

func verdict(t *testing.T, s *harness.Server, pod object) (string, error) {
	level := pss.Privileged
	for _, ns := range []string{pss.Baseline, pss.Restricted} {
		code, body, err := s.Call(t.Context(), harness.Admin, http.MethodPost, "/api/v1/namespaces/"+ns+"/pods?dryRun=All", pod)
		switch {
		case err != nil:
			return "", err
		case code == http.StatusCreated:
			level = ns
		case code == http.StatusForbidden && strings.Contains(string(body), "violates PodSecurity"):
			return level, nil
		case code == http.StatusUnprocessableEntity:
			return "", nil
		default:
			return "", fmt.Errorf("the server says %d: %s", code, body)
		}
	}
	return level, nil
}

// rarely gives one of the others now and then, else the first, which meets all standards: a
// pod has many fields, and each must decide sometimes.
func rarely[T any](r *rand.Rand, first T, others ...T) T {
	if r.IntN(14) > 0 {
		return first
	}
	return others[r.IntN(len(others))]
}

// set puts a value that is not nil.
func set(o object, name string, v any) {
	if v != nil {
		o[name] = v
	}
}

func randomPod(r *rand.Rand, name string) object {
	meta := object{"name": name}
	set(meta, "annotations", rarely[any](r, nil, object{"container.apparmor.security.beta.kubernetes.io/c0": "unconfined"}, object{"container.apparmor.security.beta.kubernetes.io/c0": "runtime/default"},
		object{"container.apparmor.security.beta.kubernetes.io/c0": "localhost/mine"}, object{"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}))
	spec := object{}
	for _, name := range []string{"hostPID", "hostIPC", "hostNetwork", "shareProcessNamespace"} {
		set(spec, name, rarely[any](r, nil, true, false))
	}
	set(spec, "hostUsers", rarely[any](r, nil, false, true))
	set(spec, "os", rarely[any](r, nil, object{"name": "linux"}, object{"name": "windows"}))
	set(spec, "securityContext", podSecurity(r))
	containers, mounts := []object{}, randomVolumes(r, spec)
	for i := range 1 + r.IntN(2) {
		containers = append(containers, randomContainer(r, fmt.Sprint("c", i), mounts))
	}
	spec["containers"] = containers
	if r.IntN(4) == 0 {
		c := randomContainer(r, "init", nil)
		set(c, "restartPolicy", rarely[any](r, nil, "Always"))
		if c["restartPolicy"] == nil {
			delete(c, "livenessProbe")
			delete(c, "lifecycle")
		}
		spec["initContainers"] = []object{c}
	}
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
}

func seccomp(r *rand.Rand) any {
	return rarely[any](r, object{"type": "RuntimeDefault"}, nil, object{"type": "Unconfined"}, object{"type": "Localhost", "localhostProfile": "p.json"})
}

func selinux(r *rand.Rand) any {
	return rarely[any](r, nil, object{"type": "container_t"}, object{"type": "container_init_t"}, object{"type": "container_engine_t"}, object{"type": "spc_t"}, object{"user": "u"}, object{"role": "r"}, object{"level": "s0:c1,c2"}, object{"type": ""})
}

func appArmor(r *rand.Rand) any {
	return rarely[any](r, nil, object{"type": "RuntimeDefault"}, object{"type": "Localhost", "localhostProfile": "p"}, object{"type": "Unconfined"})
}

func windows(r *rand.Rand) any {
	return rarely[any](r, nil, object{"hostProcess": true}, object{"hostProcess": false}, object{"runAsUserName": "ContainerUser"})
}

func podSecurity(r *rand.Rand) any {
	sc := object{}
	set(sc, "runAsNonRoot", rarely[any](r, true, nil, false))
	set(sc, "runAsUser", rarely[any](r, nil, 0, 1000))
	set(sc, "seccompProfile", seccomp(r))
	set(sc, "seLinuxOptions", selinux(r))
	set(sc, "appArmorProfile", appArmor(r))
	set(sc, "windowsOptions", windows(r))
	names := []string{"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "kernel.msgmax", "net.core.somaxconn", "kernel.sem", "fs.mqueue.msg_max"}
	if r.IntN(12) == 0 {
		sc["sysctls"] = []object{{"name": names[r.IntN(len(names))], "value": "1"}}
	}
	return rarely[any](r, sc, nil)
}

func containerSecurity(r *rand.Rand) any {
	sc := object{}
	set(sc, "allowPrivilegeEscalation", rarely[any](r, false, nil, true))
	set(sc, "privileged", rarely[any](r, nil, true, false))
	if sc["privileged"] == true {
		delete(sc, "allowPrivilegeEscalation")
	}
	set(sc, "runAsNonRoot", rarely[any](r, nil, true, false))
	set(sc, "runAsUser", rarely[any](r, nil, 0, 1000))
	set(sc, "procMount", rarely[any](r, nil, "Default", "Unmasked"))
	set(sc, "seccompProfile", rarely(r, nil, seccomp(r)))
	set(sc, "seLinuxOptions", selinux(r))
	set(sc, "appArmorProfile", appArmor(r))
	set(sc, "windowsOptions", windows(r))
	caps := object{}
	set(caps, "drop", rarely[any](r, []string{"ALL"}, nil, []string{"NET_RAW"}, []string{"all"}, []string{"CHOWN", "ALL"}))
	all := []string{"NET_BIND_SERVICE", "CHOWN", "SYS_ADMIN", "NET_ADMIN", "SETUID", "AUDIT_WRITE", "SYS_CHROOT", "MKNOD", "NET_RAW", "CAP_CHOWN", "ALL"}
	if r.IntN(10) == 0 {
		caps["add"] = []string{all[r.IntN(len(all))]}
	}
	set(sc, "capabilities", rarely[any](r, caps, nil))
	return rarely[any](r, sc, nil)
}

func randomContainer(r *rand.Rand, name string, mounts []object) object {
	c := object{"name": name, "image": "nginx"}
	set(c, "securityContext", containerSecurity(r))
	set(c, "ports", rarely[any](r, nil, []object{{"containerPort": 80}}, []object{{"containerPort": 80, "hostPort": 80 + r.IntN(1000)}}, []object{{"containerPort": 80, "hostPort": 0}}))
	set(c, "livenessProbe", rarely[any](r, nil, object{"httpGet": object{"port": 80}}, object{"httpGet": object{"port": 80, "host": "other"}}, object{"tcpSocket": object{"port": 80, "host": "127.0.0.1"}}, object{"tcpSocket": object{"port": 80, "host": "localhost"}}))
	set(c, "lifecycle", rarely[any](r, nil, object{"postStart": object{"httpGet": object{"port": 80, "host": "other"}}}, object{"preStop": object{"httpGet": object{"port": 80}}}, object{"preStop": object{"tcpSocket": object{"port": 80, "host": "::1"}}}))
	if len(mounts) > 0 {
		c["volumeMounts"] = mounts
	}
	return c
}

// randomVolumes gives the pod volumes, and what mounts them.
func randomVolumes(r *rand.Rand, spec object) []object {
	kinds := []object{{"emptyDir": object{}}, {"configMap": object{"name": "x"}}, {"secret": object{"secretName": "x"}}, {"projected": object{"sources": []object{{"serviceAccountToken": object{"path": "t"}}}}},
		{"persistentVolumeClaim": object{"claimName": "x"}}, {"downwardAPI": object{"items": []object{{"path": "n", "fieldRef": object{"fieldPath": "metadata.name"}}}}}, {"csi": object{"driver": "d"}},
		{"ephemeral": object{"volumeClaimTemplate": object{"spec": object{"accessModes": []string{"ReadWriteOnce"}, "resources": object{"requests": object{"storage": "1Gi"}}}}}},
		{"hostPath": object{"path": "/var/log"}}, {"nfs": object{"server": "s", "path": "/"}}, {"iscsi": object{"targetPortal": "1.2.3.4:1", "iqn": "iqn.2020-01.x:y", "lun": 0}},
		{"fc": object{"targetWWNs": []string{"1"}, "lun": 0}}, {"flexVolume": object{"driver": "a/b"}}, {"image": object{"reference": "x"}}}
	if r.IntN(4) > 0 {
		return nil
	}
	kind := kinds[r.IntN(8)]
	if r.IntN(3) == 0 {
		kind = kinds[r.IntN(len(kinds))]
	}
	volume := object{"name": "v"}
	for k, v := range kind {
		volume[k] = v
	}
	spec["volumes"] = []object{volume}
	return []object{{"name": "v", "mountPath": "/v"}}
}
