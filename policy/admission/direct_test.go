package admission

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"

	"bulwark/kube"
	"bulwark/policy/internal/celext"
)

// peculiar are expressions that go otherwise than policies mostly go, on one of the objects at
// least: values are missing, of other types, null, or of functions that fail.
var peculiar = []string{
	"object.spec.nosuch.field == 'x'", "object.spec.?nosuch.field.orValue(1) == 1", "object.?spec.?nosuch.?field == optional.none()", "has(object.spec.nosuch.field)", "has(object.spec.securityContext.runAsNonRoot)",
	"object.spec.containers[0].name == 'web'", "object.spec.containers[7].name == 'web'", "object.spec.containers[?0].?name.orValue('') == 'web'", "object.spec.containers[?7].?name.hasValue()", "object.metadata.labels['app'] == 'web'",
	"object.metadata.labels[?'app'].orValue('') == 'web'", "object.metadata.labels['nosuch'] == 'web'", "object.metadata.?labels['nosuch'].hasValue()", "object.metadata.labels[0] == 'web'", "object.spec.containers['a'] == 1",
	"object.spec.containers.exists(c, c.name == 'proxy')", "object.spec.containers.exists_one(c, c.name == 'proxy')", "object.spec.containers.exists_one(c, c.nosuch == 'proxy')", "object.spec.containers.exists(c, c.nosuch == 'x')",
	"object.spec.containers.exists(c, c.nosuch == 'x' || c.name == 'web')", "object.spec.containers.all(c, c.nosuch == 'x' && c.name == 'nosuch')", "object.spec.containers.all(i, c, i < 3 && c.name != '')", "object.metadata.labels.all(k, v, k.startsWith('a') || v != '')",
	"object.metadata.labels.exists(k, k == 'app')", "object.metadata.labels.map(k, k).size() == 3", "object.spec.containers.map(c, c.name).join(',') == 'web,proxy,logs'", "object.spec.containers.filter(c, has(c.ports)).size() == 1", "object.spec.containers.map(c, has(c.ports), c.name) == ['web']",
	"object.spec.containers.transformList(i, c, i > 0, c.name) == ['proxy', 'logs']", "object.spec.containers.map(c, c.image).all(i, i.contains('/'))", "object.metadata.labels.transformMap(k, v, v + 'x')['app'] == 'webx'",
	"object.spec.containers + [object.spec.containers[0]] != []", "(object.spec.containers + object.spec.volumes).exists(x, x.name == 'tmp')", "object.spec.containers == object.spec.containers", "object.spec.containers.map(c, c.name) in [['web', 'proxy', 'logs']]",
	"'web' in object.spec.containers.map(c, c.name)", "1 in [1, 2]", "object.metadata.name in ['web', 'x']", "'app' in object.metadata.labels", "1 in object.metadata.labels", "'a' in object.metadata.name", "!object.spec.hostNetwork",
	"object.metadata.name && true", "true || object.metadata.name", "object.metadata.name || true", "object.metadata.nosuch || true", "object.metadata.nosuch == 1 && false", "false && object.metadata.nosuch == 1", "!object.metadata.name", "object.metadata.name ? true : false",
	"object.metadata.name == 1", "object.metadata.name != 1", "object.spec == null", "object.nosuch == null", "oldObject == null", "oldObject.spec == null", "has(oldObject.spec)", "oldObject.?spec.hasValue()", "namespaceObject.metadata.name == 'default'",
	"namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'default'", "request.operation == 'CREATE' && request.kind.kind == 'Pod'", "has(request.subResource)", "request.userInfo.groups.exists(g, g == 'a')", "request.?name.orValue('') == 'web'", "variables.all.size() == 3", "variables.bad == 1", "variables.none.hasValue()",
	"variables.none.orValue(true)", "variables.names.all(n, n.size() < 9)", "quantity(object.spec.containers[0].resources.limits.memory).isLessThan(quantity('1Gi'))", "quantity(object.metadata.name).isLessThan(quantity('1Gi'))", "quantity('x').isLessThan(quantity('1Gi'))", "cidr('10.0.0.0/8').containsIP('10.1.1.1')", "isIP(object.metadata.name)",
	"object.metadata.name.matches('^w.b$')", "object.metadata.name.matches('^w' + '.b$')", "object.spec.matches('x')", "object.metadata.name.find('e') == 'e'", "object.metadata.name.startsWith(object.spec)", "object.metadata.name.lowerAscii() == 'web'", "int(object.metadata.name) == 1", "string(object.spec.containers.size()) == '3'",
	"object.spec.containers.size() + 1 == 4", "size(object.spec.containers) - 1 < 4 && 9223372036854775807 + 1 > 0", "object.spec.terminationGracePeriodSeconds >= 30", "object.spec.terminationGracePeriodSeconds < 30.5", "object.spec.terminationGracePeriodSeconds < 'a'", "object.spec.containers[0].ports[0].containerPort in [80, 8080]", "object.spec.containers.map(c, c.ports)[0] == 1",
	"sets.contains(['a', 'b'], ['a'])", "object.spec.?containers.orValue([]).size() == 3", "object.spec.?containers.or(object.spec.?initContainers).orValue([]).size() == 3", "object.?spec.or(optional.of(1)).hasValue()", "object.spec.?securityContext.?runAsNonRoot.optMap(v, v == true).orValue(false)", "optional.ofNonZeroValue(object.metadata.name).hasValue()",
	"[1, 2, 3].sum() == 6", "{'a': object.metadata.name}.a == 'web'", "{'a': object.metadata.name}['a'] == 'web'", "dyn(object.metadata.name) == 'web'", "type(object.metadata.name) == string", "duration('1h') > duration('5m')", "timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
	"format.dns1123Label().validate(object.metadata.name).hasValue()", "!format.named('dns1123Label').value().validate(object.metadata.name).hasValue()", "format.named('nosuch').value().validate('x').hasValue()", "object.metadata.name.split('e')[1] == 'b'", "object.metadata.name.split('e')[2] == 'b'", "[[1, 2], [3]].exists(l, l.exists(i, i == 3))", "[[1], [2]].map(l, l.map(i, i + 1)) == [[2], [3]]",
	"object.spec.containers.all(c, object.spec.containers.exists(d, d.name == c.name))", "object.spec.containers.map(object, object.name)[0] == 'web'", "object.spec.containers.map(c, c).map(c, c.name).map(c, c + 'x')[2] == 'logsx'", "semver('1.2.3').isGreaterThan(semver('1.0.0'))", "url('https://a.test/x').getHost() == 'a.test'", "object.spec.containers.all(c, c.?securityContext.?capabilities.?drop.orValue([]).exists(d, d == 'ALL'))",
	"object.spec.containers.all(c, sets.contains(['CHOWN'], c.?securityContext.?capabilities.?add.orValue([])))", "object.spec.securityContext.?runAsUser.orValue(1) == 1 && object.spec.?securityContext.runAsNonRoot == optional.of(true)", "object.metadata.?annotations['a.b/c'].orValue('') == ''", "object.metadata.?annotations[?'a.b/c'].orValue('') == ''",
}

// askedAbout are objects that the expressions are tried on.
var askedAbout = []string{
	podText,
	"{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {hostNetwork: true, containers: [{name: a, image: a, securityContext: {privileged: true}}]}}",
	"{apiVersion: v1, kind: Pod, metadata: {name: web, labels: [a], annotations: {a.b/c: d}}, spec: {containers: {a: b}}}",
	"{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {}}, spec: {containers: [1, x, null, {name: 7, image: null}, [a]], securityContext: null, volumes: text}}",
	"{apiVersion: v1, kind: Pod, metadata: null, spec: null}",
	"{apiVersion: example.com/v1, kind: Odd, metadata: {name: web}, spec: {containers: [{name: web, resources: {limits: {memory: 1Gi}}}], hostNetwork: {}, nosuch: {field: x}}}",
}

const peculiarVariables = "  variables: [{name: all, expression: 'object.spec.containers + object.spec.?initContainers.orValue([])'}, {name: names, expression: 'variables.all.map(c, c.name)'}, {name: bad, expression: 'object.nosuch'}, {name: none, expression: 'object.?nosuch'}]\n"

// TestDirectIsCEL holds that expressions that are evaluated straight over objects give what
// CEL gives.
func TestDirectIsCEL(t *testing.T) {
	known, answered := 0, 0
	for _, text := range append(ordinary, peculiar...) {
		s, err := Parse("p.yaml", []byte(fmt.Sprintf(head, "p")+peculiarVariables+fmt.Sprintf("  validations: [{expression: %q}]\n", text)))
		if err != nil || len(s.Problems) > 0 {
			t.Errorf("%s: %v %v", text, err, s)
			continue
		}
		p := s.Policies[0]
		x := &p.validations[0].expression
		if x.direct != nil {
			known++
		}
		for _, o := range askedAbout {
			if same(t, p, x, object(t, o)) {
				answered++
			}
		}
	}
	t.Logf("%d of %d expressions are known, %d answers", known, len(ordinary)+len(peculiar), answered)
	if known < 125 || answered < 400 {
		t.Errorf("only %d expressions are known, which give %d answers", known, answered)
	}
}

// same compares the evaluations of an expression about an object, and tells whether it was
// not left to CEL.
func same(t *testing.T, p *Policy, x *expression, o *kube.Object) bool {
	t.Helper()
	if x.direct == nil {
		return false
	}
	r := Create(o, nil)
	defer r.Done()
	got, ok := x.direct.Eval(&(&evaluation{}).begin(p, r, nil, celext.PolicyBudget).frame)
	if !ok {
		return false
	}
	want, _, err := x.prg.Eval((&evaluation{}).begin(p, r, nil, celext.PolicyBudget))
	if err != nil || want.Type() != got.Type() || types.Equal(want, got) != types.True {
		t.Errorf("%s about %.60s: %v, CEL says %v, %v", x.text, o.Root.JSON(), got, want, err)
	}
	return true
}

// FuzzDirect tries expressions and objects at random.
func FuzzDirect(f *testing.F) {
	for i, text := range append(ordinary, peculiar...) {
		f.Add(text, strings.TrimSpace(askedAbout[i%len(askedAbout)]))
	}
	f.Fuzz(func(t *testing.T, text, about string) {
		if len(text) > 300 || len(about) > 3000 {
			return
		}
		s, err := Parse("p.yaml", []byte(fmt.Sprintf(head, "p")+peculiarVariables+fmt.Sprintf("  validations: [{expression: %q}]\n", text)))
		if err != nil || len(s.Policies) == 0 {
			return
		}
		docs := kube.ParseYAML([]byte(about))
		if len(docs) == 0 || docs[0].Err != nil {
			return
		}
		if o, ok := kube.NewObject(docs[0].Root, kube.Origin{}); ok {
			same(t, s.Policies[0], &s.Policies[0].validations[0].expression, o)
		}
	})
}
