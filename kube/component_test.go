package kube_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"bulwark/kube"
)

func TestComponent(t *testing.T) {
	for _, tt := range []struct {
		image         string
		command, args []string
		want          string
	}{
		{"registry.k8s.io/kube-apiserver:v1.34.2", []string{"kube-apiserver", "--profiling=false"}, nil, "kube-apiserver"},
		{"registry.k8s.io/kube-apiserver:v1.34.2", nil, []string{"--profiling=false"}, "kube-apiserver"},
		{"example.com/tools:1", []string{"/usr/local/bin/kube-scheduler"}, nil, "kube-scheduler"},
		{"example.com/hyperkube:1", []string{"/hyperkube", "kubelet"}, nil, "kubelet"},
		{"example.com/etcd@sha256:aa", nil, nil, "etcd"},
		{"example.com/operator:1", nil, []string{"--kubelet-service=kube-system/kubelet"}, ""},
		{"example.com/operator:1", nil, []string{"-x", "--kubelet=/bin/kubelet"}, ""},
		{"example.com/shell:1", []string{"sh", "-c", "systemctl restart kubelet"}, nil, ""},
		{"example.com/etcd-backup:1", nil, nil, ""},
		{"", nil, nil, ""},
	} {
		c := kube.Container{Container: &corev1.Container{Image: tt.image, Command: tt.command, Args: tt.args}}
		if got := c.Component(); got != tt.want {
			t.Errorf("%s %q %q: %q, want %q", tt.image, tt.command, tt.args, got, tt.want)
		}
	}
}

func TestImageName(t *testing.T) {
	for ref, want := range map[string][2]string{
		"nginx": {"nginx", ""}, "nginx:1.27": {"nginx", "1.27"}, "localhost:5000/a": {"localhost:5000/a", ""}, "localhost:5000/a:v1@sha256:aa": {"localhost:5000/a", "v1"}, "": {"", ""},
	} {
		if got := [2]string{kube.ImageName(ref), kube.ImageTag(ref)}; got != want {
			t.Errorf("%q: %q, want %q", ref, got, want)
		}
	}
}
