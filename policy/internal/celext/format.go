package celext

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/util/validation"

	"bulwark/internal/lazyregexp"
)

// FormatType is the type of named formats.
var FormatType = cel.ObjectType("kubernetes.NamedFormat")

// format is a form that a text may be held to.
type format struct {
	name     string
	validate func(string) []string
	cost     int // the length of the pattern that it costs as much as
}

// LongestFormat is the length of the longest pattern that validating by a format costs as
// much as.
const LongestFormat = 1103

var knownFormats = map[string]*format{
	"dns1123Label":           {"DNS1123Label", validation.IsDNS1123Label, 30},
	"dns1123Subdomain":       {"DNS1123Subdomain", validation.IsDNS1123Subdomain, 60},
	"dns1035Label":           {"DNS1035Label", validation.IsDNS1035Label, 30},
	"qualifiedName":          {"QualifiedName", func(s string) []string { return validation.IsQualifiedName(s) }, 60},
	"dns1123LabelPrefix":     {"DNS1123LabelPrefix", prefix(validation.IsDNS1123Label), 30},
	"dns1123SubdomainPrefix": {"DNS1123SubdomainPrefix", prefix(validation.IsDNS1123Subdomain), 60},
	"dns1035LabelPrefix":     {"DNS1035LabelPrefix", prefix(validation.IsDNS1035Label), 30},
	"labelValue":             {"LabelValue", validation.IsValidLabelValue, 40},
	"uri":                    {"URI", isURI, LongestFormat},
	"uuid":                   {"uuid", must(uuid.MatchString, "does not match the UUID format"), 82},
	"byte":                   {"byte", must(isBase64, "invalid base64"), 84},
	"date":                   {"date", must(isDate, "invalid date"), 77},
	"datetime":               {"datetime", must(isDateTime, "invalid datetime"), 77},
}

// prefix validates the start of a name that the server completes: it may end in a dash.
func prefix(validate func(string) []string) func(string) []string {
	return func(s string) []string {
		if len(s) > 1 && strings.HasSuffix(s, "-") {
			s = s[:len(s)-2] + "a"
		}
		return validate(s)
	}
}

func must(is func(string) bool, why string) func(string) []string {
	return func(s string) []string {
		if is(s) {
			return nil
		}
		return []string{why}
	}
}

func isURI(s string) []string {
	if _, err := url.ParseRequestURI(s); err != nil {
		return []string{err.Error()}
	}
	return nil
}

var (
	uuid      = lazyregexp.New(`(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$`)
	timeOfDay = lazyregexp.New(`^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$`)
)

func isBase64(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err == nil && s != "" && !strings.ContainsAny(s, "\r\n")
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isDateTime(s string) bool {
	date, clock, ok := strings.Cut(strings.ToLower(s), "t")
	clock, _, _ = strings.Cut(clock, "t")
	m := timeOfDay.FindStringSubmatch(clock)
	return ok && isDate(date) && m != nil && m[1] <= "23" && m[2] <= "59" && m[3] <= "59"
}

// formats are the named formats, and what validates by them.
var formats = func() library {
	l := library{
		"validate": {cel.MemberOverload("format-validate", []*cel.Type{FormatType, cel.StringType}, cel.OptionalType(cel.ListType(cel.StringType)), binary(func(f *format, s string) ref.Val {
			if wrong := f.validate(s); len(wrong) > 0 {
				return types.OptionalOf(types.NewStringList(types.DefaultTypeAdapter, wrong))
			}
			return types.OptionalNone
		}))},
		"format.named": {cel.Overload("format-named", []*cel.Type{cel.StringType}, cel.OptionalType(FormatType), unary(func(name string) ref.Val {
			if f, ok := knownFormats[name]; ok {
				return types.OptionalOf(&value{FormatType, f})
			}
			return types.OptionalNone
		}))},
	}
	for name, f := range knownFormats {
		id := "format." + name
		l[id] = []cel.FunctionOpt{cel.Overload(id, []*cel.Type{}, FormatType, cel.FunctionBinding(func(...ref.Val) ref.Val { return &value{FormatType, f} }))}
	}
	return l
}()
