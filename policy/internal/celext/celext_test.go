package celext

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

func environment(t testing.TB) *cel.Env {
	t.Helper()
	env, err := cel.NewEnv(append(Environment(), cel.Variable("x", cel.DynType))...)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// documented are examples of Kubernetes' documentation of its CEL libraries, and of what it
// says of their edges: each is true, or fails with the word.
var documented = map[string]string{
	// lists
	`[1, 2, 3].isSorted()`: "", `!['b', 'a'].isSorted()`: "", `[].isSorted()`: "", `[1, 1].isSorted()`: "",
	`[1, 3].sum() == 4`: "", `[1.0, 3.0].sum() == 4.0`: "", `[duration('1m'), duration('1s')].sum() == duration('61s')`: "", `[].sum() == 0`: "",
	`[1, 3].min() == 1`: "", `[1, 3].max() == 3`: "", `['b', 'a'].max() == 'b'`: "", `[].max() == 1`: "max called on empty list",
	`[1, 2, 2, 3].indexOf(2) == 1`: "", `['a', 'b', 'b', 'c'].lastIndexOf('b') == 2`: "", `[1.0].indexOf(1.1) == -1`: "", `[].indexOf('string') == -1`: "",
	`[1, 2].includes(2)`: "", `'a'.includes('a')`: "", `![1].includes(3)`: "",
	// regular expressions
	`"abc 123".find('[0-9]+') == '123'`: "", `"abc 123".find('xyz') == ''`: "", `"123 abc 456".findAll('[0-9]+') == ['123', '456']`: "",
	`"123 abc 456".findAll('[0-9]+', 1) == ['123']`: "", `"123 abc 456".findAll('xyz') == []`: "", `"a".find(x) == ''`: "Illegal regex",
	// URLs
	`url('https://example.com:80/').getHost() == 'example.com:80'`: "", `url('https://[::1]:80/').getHost() == '[::1]:80'`: "", `url('/path').getHost() == ''`: "",
	`url('https://[::1]:80/').getHostname() == '::1'`: "", `url('https://example.com:80/').getPort() == '80'`: "", `url('https://example.com/').getPort() == ''`: "",
	`url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/'`: "", `url('/path').getScheme() == ''`: "",
	`url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}`: "", `url('https://example.com/path?').getQuery() == {}`: "",
	`isURL('https://user:pass@example.com:80/path?query=val#fragment')`: "", `isURL('/absolute-path')`: "", `!isURL('https://a:b:c/')`: "", `!isURL('../relative-path')`: "",
	`url('https://a') == url('https://a')`: "", `url('relative').getHost() == ''`: "URL parse error",
	// addresses
	`isIP('127.0.0.1') && isIP('::1')`: "", `!isIP('127.0.0.256') && !isIP('fe80::1%en0') && !isIP('::ffff:1.2.3.4')`: "",
	`ip('127.0.0.1') == ip('127.0.0.1')`: "", `ip('127.0.0.1') != ip('10.0.0.1')`: "", `ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')`: "",
	`string(ip('2001:DB8::ABCD')) == '2001:db8::abcd'`: "", `ip('127.0.0.1').family() == 4 && ip('::1').family() == 6`: "", `ip('0.0.0.0').isUnspecified() && ip('::1').isLoopback()`: "",
	`ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.169.254').isLinkLocalUnicast() && ip('192.168.0.1').isGlobalUnicast()`: "", `type(ip('::1')) == net.IP`: "",
	`ip('a') == ip('b')`: "parse error",
	`cidr('192.168.0.0/24').containsIP(ip('192.168.0.1')) && cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP('192.168.1.1')`: "",
	`cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24')) && !cidr('192.168.1.0/24').containsCIDR('192.168.0.0/16')`:                                        "",
	`cidr('192.168.0.1/24').ip() == ip('192.168.0.1') && cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24') && cidr('::1/128').prefixLength() == 128`:        "",
	`isCIDR('192.168.0.0/16') && !isCIDR('192.168.0.0/33') && !isCIDR('1.2.3.4')`:                                                                                   "", `string(cidr('10.0.0.0/8')) == '10.0.0.0/8'`: "",
	// quantities
	`isQuantity('1.3Gi') && isQuantity('1,3G') == false && isQuantity('10000k') && isQuantity('200K') == false && isQuantity('Three') == false`:            "",
	`quantity('150Mi').isLessThan(quantity('1Gi')) && quantity('1.5G').isGreaterThan(quantity('1G')) && quantity('200M').compareTo(quantity('0.2G')) == 0`: "",
	`quantity('50k').add('20k') == quantity('70k')`: "no matching overload", `quantity('50k').add(20) == quantity('50020') && quantity('50k').sub(quantity('20k')) == quantity('30k') && quantity('50k').sub(20000) == quantity('30k')`: "",
	`quantity('50').asInteger() == 50 && quantity('50.703').isInteger() == false && quantity('50.703').asApproximateFloat() == 50.703 && sign(quantity('-1')) == -1`: "",
	`quantity('9999999999999999999999999999999999999G').asInteger() == 1`:                                                                                            "cannot convert value to integer", `quantity('200K') == quantity('1')`: "unable to parse quantity",
	// versions
	`isSemver('1.0.0') && !isSemver('v1.0') && isSemver('v1.0', true) && semver('v01.2', true) == semver('1.2.0')`:                                                                                          "",
	`semver('1.2.3').isLessThan(semver('1.2.4')) && semver('1.2.3-alpha').compareTo(semver('1.2.3')) == -1 && semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3`: "",
	`semver('v1.0-beta', true) == semver('1.0.0')`: "short version",
	// formats
	`!format.dns1123Label().validate('my-label-name').hasValue() && format.dns1123Label().validate('A').hasValue()`:                                                            "",
	`!format.dns1123SubdomainPrefix().validate('apiextensions.k8s.io-').hasValue() && format.qualifiedName().validate('a/b/c').hasValue()`:                                     "",
	`format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000') == optional.none() && !format.named('unknown').hasValue()`:                                  "",
	`format.date().validate('2021-13-01').hasValue() && !format.datetime().validate('2021-01-01T00:00:00Z').hasValue() && format.datetime().validate('2021-01-01').hasValue()`: "",
	`!format.byte().validate('aGVsbG8=').hasValue() && format.byte().validate('hello').hasValue() && format.uri().validate('relative').hasValue()`:                             "",
	`format.dns1035Label().validate('1a').value().size() == 1 && !format.labelValue().validate('').hasValue()`:                                                                 "",
	// CEL's own extensions that Kubernetes has
	`sets.contains([1, 2], [2]) && sets.intersects(['a'], ['a', 'b']) && sets.equivalent([1, 1], [1])`: "", `'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b'`: "",
	`'tacocat'.charAt(3) == 'o' && 'HELLO'.lowerAscii() == 'hello' && 'a %s %d'.format(['b', 1]) == 'a b 1' && ' a '.trim() == 'a' && 'abc'.substring(1, 2) == 'b'`: "",
	`[1, 2].all(i, v, v == i + 1) && {'a': 1}.exists(k, v, k == 'a' && v == 1) && [1, 2].transformList(i, v, v * 2) == [2, 4]`:                                      "", `x.?a.orValue(1) == 1`: "",
	`1 < 1.5 && 1u <= 2`: "", `x[?'b'] == optional.none()`: "", `[3, 1, 2].sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2]`: "", `timestamp('2023-01-01T00:00:00Z').getFullYear() == 2023`: "",
	`base64.encode(b'a') == ''`: "undeclared", `math.greatest(1, 2) == 2`: "undeclared", // they are none of Kubernetes'
}

func TestDocumented(t *testing.T) {
	env := environment(t)
	for expression, fails := range documented {
		var arg any = map[string]any{}
		if strings.Contains(expression, "find(x)") {
			arg = "("
		}
		text := ""
		ast, issues := env.Compile(expression)
		if issues.Err() != nil {
			text = issues.Err().Error()
		} else {
			prg, err := env.Program(ast, Program()...)
			if err != nil {
				t.Fatalf("%s: %v", expression, err)
			}
			out, _, err := prg.Eval(map[string]any{"x": arg})
			if err != nil {
				text = err.Error()
			} else if out != types.True {
				t.Errorf("%s is %v", expression, out)
			}
		}
		if fails == "" && text != "" || fails != "" && !strings.Contains(text, fails) {
			t.Errorf("%s: error %q, want one of %q", expression, text, fails)
		}
	}
}

func TestCostsEnd(t *testing.T) {
	env := environment(t)
	list := make([]int, 2000)
	for _, expression := range []string{
		`x.all(a, x.all(b, x.all(c, a + b + c >= 0)))`,
		`x.map(a, x.map(b, string(a) + string(b)).join(',')).join(',').size() > 0`,
		`x.exists(a, 'a'.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').find('(a+)+$b(((a+)+)+)+') == 'b')`,
	} {
		ast, issues := env.Compile(expression)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		prg, err := env.Program(ast, Program()...)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = prg.Eval(map[string]any{"x": list}); err == nil || !strings.Contains(err.Error(), "cost limit") {
			t.Errorf("%s ends with %v, want the limit of costs", expression, err)
		}
	}
}
