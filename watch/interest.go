package watch

import (
	"reflect"
	"slices"

	"bulwark"
	"bulwark/watch/internal/tree"
)

// merge is all that is wanted, and what the engine itself needs.
func merge(wants []bulwark.Interest) bulwark.Interest {
	all := bulwark.Interest{}
	for _, want := range wants {
		for k, list := range want {
			for _, one := range list {
				add(all, k, one)
			}
		}
	}
	for _, k := range append(tree.Kinds(), bulwark.KindCgroupMade, bulwark.KindCgroupGone) {
		add(all, k, bulwark.Where{})
	}
	delete(all, bulwark.KindContainer) // it is the engine's own: no sensor is asked for it
	return all
}

// interest asks a detector, whatever it does; a condition-less kind wants all events of it.
func interest(d bulwark.Detector) (want bulwark.Interest) {
	defer func() {
		if recover() != nil {
			want = nil
		}
	}()
	want = bulwark.Interest{}
	for k, list := range d.Interest() {
		if len(list) == 0 {
			list = []bulwark.Where{{}}
		}
		want[k] = list
	}
	return want
}

// mostWheres is how many conditions are told apart for one kind: with more, a sensor would spend more on them than
// events cost.
const mostWheres = 1024

func add(all bulwark.Interest, k bulwark.Kind, one bulwark.Where) {
	list := all[k]
	if len(list) == 1 && reflect.ValueOf(list[0]).IsZero() {
		return
	}
	if reflect.ValueOf(one).IsZero() || len(list) >= mostWheres {
		all[k] = []bulwark.Where{{}}
		return
	}
	if !slices.ContainsFunc(list, func(w bulwark.Where) bool { return reflect.DeepEqual(w, one) }) {
		all[k] = append(slices.Clip(list), one)
	}
}
