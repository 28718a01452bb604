package remedy

import (
	"bulwark"
	"bulwark/kube"
)

func (m *Maker) chart(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	return nil, unsure("a chart")
}
func (m *Maker) overlay(o *kube.Object, edits []kube.Edit) (*bulwark.Patch, error) {
	return nil, unsure("an overlay")
}
