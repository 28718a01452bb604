package gitlab_test

import (
	"bytes"
	"strings"
	"testing"

	"bulwark"
	"bulwark/report"
	"bulwark/report/gitlab"
	"bulwark/report/internal/golden"
	"bulwark/report/internal/sample"
	"bulwark/report/internal/schema"
)

// required is what GitLab's schema demands of the fields that are written, in words
// of our own: the schema itself is not to be had here.
const required = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["version", "scan", "vulnerabilities"],
  "definitions": {
    "tool": {
      "type": "object", "required": ["id", "name", "version", "vendor"],
      "properties": {
        "id": {"type": "string", "minLength": 1}, "name": {"type": "string", "minLength": 1, "maxLength": 255}, "version": {"type": "string", "minLength": 1},
        "vendor": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}}
      }
    },
    "time": {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$", "maxLength": 19, "minLength": 19}
  },
  "properties": {
    "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+(?:-(?:[0-9a-zA-Z.-]+))?$"},
    "scan": {
      "type": "object", "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
      "properties": {
        "end_time": {"$ref": "#/definitions/time"}, "start_time": {"$ref": "#/definitions/time"},
        "status": {"enum": ["success", "failure"]}, "type": {"enum": ["container_scanning"]},
        "analyzer": {"$ref": "#/definitions/tool"}, "scanner": {"$ref": "#/definitions/tool"},
        "messages": {"type": "array", "items": {"type": "object", "required": ["level", "value"],
          "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": {"type": "string", "minLength": 1}}}}
      }
    },
    "vulnerabilities": {
      "type": "array",
      "items": {
        "type": "object", "required": ["id", "identifiers", "location"],
        "properties": {
          "id": {"type": "string", "minLength": 1}, "name": {"type": "string", "maxLength": 255}, "description": {"type": "string", "maxLength": 1048576},
          "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]}, "solution": {"type": "string", "maxLength": 7000},
          "identifiers": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["type", "name", "value"],
            "properties": {"type": {"type": "string", "minLength": 1}, "name": {"type": "string", "minLength": 1}, "value": {"type": "string", "minLength": 1},
              "url": {"type": "string", "pattern": "^(https?|ftp)://.+", "format": "uri"}}}},
          "links": {"type": "array", "items": {"type": "object", "required": ["url"], "properties": {"url": {"type": "string", "pattern": "^(https?|ftp)://.+", "format": "uri"}}}},
          "details": {"type": "object", "additionalProperties": {"type": "object", "required": ["type", "name", "value"], "properties": {"type": {"const": "text"}}}},
          "location": {
            "type": "object", "required": ["dependency", "image", "operating_system"],
            "properties": {
              "dependency": {"type": "object", "required": ["package", "version"],
                "properties": {"package": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}, "version": {"type": "string"}}},
              "operating_system": {"type": "string", "minLength": 1, "maxLength": 255},
              "image": {"type": "string", "minLength": 1, "pattern": "^[^:]+(:\\d+[^:]*)?:[^:]+(:[^:]+)?$"}
            }
          }
        }
      }
    }
  }
}`

func write(t *testing.T, r *bulwark.Report, o report.Options) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Replay(gitlab.New(&buf, o)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestReport(t *testing.T) {
	lookup := func(string) (report.Details, bool) {
		return report.Details{Text: strings.Repeat("long ", 300_000), References: []string{"https://example.com", "javascript:x"}}, true
	}
	schema.Valid(t, []byte(required), write(t, sample.Report(), report.Options{Lookup: lookup}), nil)
	got := write(t, sample.Report(), report.Options{})
	schema.Valid(t, []byte(required), got, nil)
	golden.Check(t, "report.gitlab.json", got)
	if bytes.Contains(got, []byte("CVE-2024-0727")) {
		t.Error("an excepted finding is reported")
	}
}

// Whatever a target is called, its name must look like an image's.
func TestImageNames(t *testing.T) {
	for _, name := range []string{"", "nginx", "nginx:1.27", "example.com:5000/a/b:1", "a@sha256:00", "tar:/tmp/x.tar", "C:\\x:y:z", "::", "host"} {
		r := sample.Report()
		r.Assets[0].Name = name
		schema.Valid(t, []byte(required), write(t, r, report.Options{}), nil)
	}
}

func TestEmpty(t *testing.T) {
	schema.Valid(t, []byte(required), write(t, &bulwark.Report{}, report.Options{}), nil)
}
