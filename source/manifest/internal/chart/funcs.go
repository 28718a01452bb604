package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// functions are what templates may call: sprig's and helm's, without those that look at
// the machine or the network, and with every result the same in every run.
func (r *renderer) functions() template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	for name, f := range r.extra() {
		all[name] = f
	}
	for name, f := range all {
		if name != "include" && name != "tpl" {
			all[name] = r.bounded(name, f)
		}
	}
	return all
}

func (r *renderer) extra() template.FuncMap {
	m := template.FuncMap{
		"toToml": toTOML, "fromToml": fromTOML, "toYaml": toYAML, "toYamlPretty": toYAMLPretty, "fromYaml": fromYAML, "fromYamlArray": fromYAMLArray,
		"toJson": toJSON, "fromJson": fromJSON, "fromJsonArray": fromJSONArray,
		"include": r.include(nil), "tpl": r.tpl(nil), "required": required, "fail": fail, "lookup": r.lookup,
		"getHostByName": func(string) string { return "" },

		"print": fmt.Sprint, "println": fmt.Sprintln, "printf": printf,
		"html": template.HTMLEscaper, "js": template.JSEscaper, "urlquery": template.URLQueryEscaper,

		"repeat": repeat, "indent": indent, "nindent": nindent, "replace": replace, "set": set,
		"until": func(n int) ([]int, error) { return until(0, n, sign(n)) }, "untilStep": until, "seq": seq,
	}
	for name, f := range r.chance() {
		m[name] = f
	}
	return m
}

// chance are the functions that give something else in every run of helm.
func (r *renderer) chance() template.FuncMap {
	const digits, alpha = "0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	pick := rand.New(rand.NewPCG(1, 2))
	random := func(letters string) func(int) (string, error) {
		return func(n int) (string, error) {
			if n > 1<<16 {
				return "", tooMuch("a random text")
			}
			b := make([]byte, max(n, 0))
			for i := range b {
				b[i] = letters[pick.IntN(len(letters))]
			}
			if letters != digits {
				copy(b, generated[:len("generated")]) // checks know by its start that nobody wrote it
			}
			return string(b), nil
		}
	}
	made := func(string, ...any) certificate { return certificate{Cert: generated, Key: generated} }
	return template.FuncMap{
		"randAlphaNum": random(digits + alpha), "randAlpha": random(alpha), "randNumeric": random(digits), "randAscii": random(digits + alpha + "-_."), "randBytes": random(alpha),
		"randInt": func(low, high int) int { return low }, "shuffle": func(s string) string { return s },
		"uuidv4": func() string { return "00000000-0000-4000-8000-000000000000" },
		"now":    func() time.Time { return r.now }, "ago": func(any) string { return "0s" },
		"genPrivateKey": func(string) string { return generated }, "derivePassword": func(int, string, string, string, string) string { return "generated" },
		"genCA": made, "genCAWithKey": made, "genSelfSignedCert": made, "genSelfSignedCertWithKey": made, "genSignedCert": made, "genSignedCertWithKey": made,
		"buildCustomCert": func(string, string) certificate { return certificate{generated, generated} },
		"bcrypt":          func(string) string { return "generated" },
		"htpasswd":        func(user, _ string) string { return user + ":generated" },
		"encryptAES":      func(string, string) string { return "generated" }, "decryptAES": func(string, string) string { return "" },
	}
}

// generated stands for keys and certificates that helm makes anew in every run.
const generated = "generated when the chart is installed"

type certificate struct{ Cert, Key string }

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

func until(start, stop, step int) ([]int, error) {
	list := []int{}
	if step == 0 || stop < start && step > 0 || stop > start && step < 0 {
		return list, nil
	}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(list) == maxRound {
			return nil, tooMuch("until")
		}
		list = append(list, i)
	}
	return list, nil
}

// seq writes numbers with spaces between, as the command of that name does.
func seq(args ...int) (string, error) {
	first, step, last := 1, 1, 0
	switch len(args) {
	case 1:
		last = args[0]
		if last < first {
			step = -1
		}
	case 2:
		first, last = args[0], args[1]
		if last < first {
			step = -1
		}
	case 3:
		first, step, last = args[0], args[1], args[2]
		if step < 0 && last >= first || step > 0 && last < first {
			return "", nil
		}
	default:
		return "", nil
	}
	end := last + sign(step)
	list, err := until(first, end, step)
	return strings.Trim(fmt.Sprint(list), "[]"), err
}

func printf(format string, args ...any) (string, error) {
	if len(format) > maxText {
		return "", tooMuch("printf")
	}
	return fmt.Sprintf(format, args...), nil
}

func toYAML(v any) string {
	b, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}

func toYAMLPretty(v any) string {
	var b bytes.Buffer
	e := yamlv3.NewEncoder(&b)
	e.SetIndent(2)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func fromYAML(s string) map[string]any {
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(s), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func fromYAMLArray(s string) []any {
	l := []any{}
	if err := yaml.Unmarshal([]byte(s), &l); err != nil {
		return []any{err.Error()}
	}
	return l
}

func toTOML(v any) string {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(v); err != nil {
		return err.Error()
	}
	return b.String()
}

func fromTOML(s string) map[string]any {
	m := map[string]any{}
	if err := toml.Unmarshal([]byte(s), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func fromJSON(s string) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func fromJSONArray(s string) []any {
	l := []any{}
	if err := json.Unmarshal([]byte(s), &l); err != nil {
		return []any{err.Error()}
	}
	return l
}

// refusal is what a template says itself when it cannot be rendered so.
type refusal struct{ text string }

func (e *refusal) Error() string { return e.text }

func required(warn string, v any) (any, error) {
	if s, ok := v.(string); v == nil || ok && s == "" {
		return nil, &refusal{warn}
	}
	return v, nil
}

func fail(text string) (string, error) { return "", &refusal{text} }

// said is what a template itself said of why it fails.
func said(err error) (string, bool) {
	var r *refusal
	if errors.As(err, &r) {
		return r.text, true
	}
	return "", false
}
