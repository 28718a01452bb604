package apiview

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"bulwark/kube"
)

// Map is an object or a part of one.
type Map struct {
	node    *kube.Node
	kind    *schema
	up      *Map
	name    string // of the field of up that it is, or is in
	index   int    // its position there; -1 when it is the field itself
	top     *top
	built   bool
	entries []entry
	byName  map[string]int // of large ones
}

// top is what all parts of an object share.
type top struct {
	object *kube.Object
	at     []any // where in it a pod template stands
	trace  *Trace
	made   int // values that were shown
	store  *store
}

// maxValues is how many values one view shows: aliases can make a small document stand for
// any number of them.
const maxValues = 1 << 20

var errTooMany = types.NewErr("the object has more than %d values", maxValues)

type entry struct {
	name string
	node *kube.Node
	kind *schema
	val  ref.Val // nil: not asked for yet
}

var _ traits.Mapper = (*Map)(nil)

const manyFields = 24

func (m *Map) build() {
	if m.built {
		return
	}
	m.built = true
	if m.kind != nil && m.kind.form == object {
		m.buildObject()
		return
	}
	var of *schema
	if m.kind != nil {
		of = m.kind.elem
	}
	if m.entries == nil {
		m.entries = m.top.store.room(m.node.Len())
	}
	for name, n := range m.node.Fields() {
		m.put(entry{name: name, node: n, kind: of})
	}
}

// buildObject takes the fields that the type has, and that would be written.
func (m *Map) buildObject() {
	m.entries = m.top.store.room(m.node.Len() + len(m.kind.always) + m.kind.more)
	for name, n := range m.node.Fields() {
		f := m.kind.fields[name]
		if f == nil || f.omits(n) {
			m.drop(name)
			continue
		}
		e := entry{name: name, node: n, kind: f.of}
		if !n.Exists() {
			e.val = f.zero(m)
		}
		m.entries = append(m.entries, e)
	}
	if len(m.entries) >= manyFields || m.node.Len() > 1 && m.twice() {
		m.again()
	}
	for _, f := range m.kind.always {
		if m.find(f.name) < 0 {
			m.put(entry{name: f.name, val: f.zero(m)})
		}
	}
	if m.kind.defaults != nil {
		m.kind.defaults(m)
	}
	if m.up == nil {
		whole(m)
	}
}

// twice tells whether a key of the document is given twice.
func (m *Map) twice() bool {
	for i := range m.entries {
		for j := range i {
			if m.entries[j].name == m.entries[i].name {
				return true
			}
		}
	}
	return false
}

// again puts the entries one by one.
func (m *Map) again() {
	list := m.entries
	m.entries = make([]entry, 0, cap(list))
	for _, e := range list {
		m.put(e)
	}
}

// put adds an entry; one that is there already gives way, as of a key that is given twice.
func (m *Map) put(e entry) {
	if i := m.find(e.name); i >= 0 {
		m.entries[i] = e
		return
	}
	m.entries = append(m.entries, e)
	switch n := len(m.entries); {
	case m.byName != nil:
		m.byName[e.name] = n - 1
	case n == manyFields:
		m.byName = make(map[string]int, 2*n)
		for i := range m.entries {
			m.byName[m.entries[i].name] = i
		}
	}
}

func (m *Map) drop(name string) {
	if i := m.find(name); i >= 0 {
		m.entries = slices.Delete(m.entries, i, i+1)
		if m.byName != nil {
			clear(m.byName)
			for i := range m.entries {
				m.byName[m.entries[i].name] = i
			}
		}
	}
}

func (m *Map) find(name string) int {
	if m.byName != nil {
		if i, ok := m.byName[name]; ok {
			return i
		}
		return -1
	}
	for i := range m.entries {
		if m.entries[i].name == name {
			return i
		}
	}
	return -1
}

// Find gives the value of a field.
func (m *Map) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	return m.Field(string(name))
}

// Has tells whether there is a field of that name.
func (m *Map) Has(name string) bool {
	if !m.built {
		m.build()
	}
	if trace := m.top.trace; trace != nil {
		*trace = Trace{in: m, name: name}
	}
	return m.find(name) >= 0
}

// Field is Find by a name as Go has it.
func (m *Map) Field(name string) (ref.Val, bool) {
	if !m.built {
		m.build()
	}
	if trace := m.top.trace; trace != nil {
		*trace = Trace{in: m, name: name}
	}
	i := m.find(name)
	if i < 0 {
		return nil, false
	}
	return m.value(i), true
}

func (m *Map) value(i int) ref.Val {
	e := &m.entries[i]
	if e.val == nil {
		e.val = convert(e.node, e.kind, m, e.name, -1)
	}
	return e.val
}

// get is the value of a field; nil when there is none.
func (m *Map) get(name string) ref.Val {
	m.build()
	if i := m.find(name); i >= 0 {
		return m.value(i)
	}
	return nil
}

// path is where the map stands in its object.
func (m *Map) path() []any {
	if m.up == nil {
		return slices.Clone(m.top.at)
	}
	p := append(m.up.path(), m.name)
	if m.index >= 0 {
		p = append(p, m.index)
	}
	return p
}

// Get is Find for a field that has to be there.
func (m *Map) Get(key ref.Val) ref.Val {
	v, ok := m.Find(key)
	if !ok {
		return types.ValOrErr(key, "no such key: %v", key)
	}
	return v
}

// Contains tells whether there is a field of that name.
func (m *Map) Contains(key ref.Val) ref.Val {
	v, ok := m.Find(key)
	if v != nil && types.IsUnknownOrError(v) {
		return v
	}
	return types.Bool(ok)
}

// Size is the number of fields.
func (m *Map) Size() ref.Val {
	m.build()
	return types.Int(len(m.entries))
}

// Equal compares fields.
func (m *Map) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	if m.top.made += len(m.entries); m.top.made > maxValues {
		return errTooMany
	}
	for i := range m.entries {
		v, ok := o.Find(m.key(i))
		if !ok || types.Equal(m.value(i), v) != types.True {
			return types.False
		}
	}
	return types.True
}

func (m *Map) key(i int) ref.Val { return types.String(m.entries[i].name) }

// Type is map.
func (m *Map) Type() ref.Type { return types.MapType }

// Value is the map as Go has it, made as it is asked for.
func (m *Map) Value() any {
	m.build()
	out := make(map[string]any, len(m.entries))
	for i := range m.entries {
		out[m.entries[i].name] = m.value(i).Value()
	}
	return out
}

// ConvertToNative gives a map[string]any.
func (m *Map) ConvertToNative(t reflect.Type) (any, error) {
	v := m.Value()
	if reflect.TypeOf(v).AssignableTo(t) {
		return v, nil
	}
	return nil, fmt.Errorf("type conversion error from 'map' to '%v'", t)
}

// ConvertToType converts to a map or its type alone.
func (m *Map) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return m
	case types.TypeType:
		return types.MapType
	}
	return types.NewErr("type conversion error from 'map' to '%s'", t)
}

// Iterator gives the names of the fields.
func (m *Map) Iterator() traits.Iterator {
	m.build()
	return &keys{m: m}
}

// keys goes through the names of the fields.
type keys struct {
	traits.Iterator // CEL asks for HasNext and Next alone
	m               *Map
	next            int
}

func (k *keys) HasNext() ref.Val { return types.Bool(k.next < len(k.m.entries)) }

func (k *keys) Next() ref.Val {
	if k.next >= len(k.m.entries) {
		return nil
	}
	k.next++
	return k.m.key(k.next - 1)
}
