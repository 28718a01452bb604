package chart

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemas holds the values to the schemas of the chart and its subcharts: what does not fit
// keeps helm from installing it, and is noted.
func (r *renderer) schemas(c *Chart, values map[string]any) {
	if len(c.Schema) > 0 {
		if err := conform(c.Schema, values); err != nil {
			r.note("", "the values do not fit values.schema.json of "+c.Meta.Name+": "+err.Error(), false)
		}
	}
	for _, sub := range c.Deps {
		if own, ok := table(values[sub.Meta.Name]); ok {
			r.schemas(sub, own)
		}
	}
}

// refuse loads no schema from anywhere.
type refuse struct{}

func (refuse) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not in the chart", url) }

func conform(schema []byte, values map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the schema cannot be used: %v", p)
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(refuse{})
	if err := c.AddResource("mem:///values.schema.json", doc); err != nil {
		return err
	}
	s, err := c.Compile("mem:///values.schema.json")
	if err != nil {
		return err
	}
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(toJSON(values)))
	if err != nil {
		return err
	}
	err = s.Validate(plain)
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return err
	}
	return errors.New(first(v))
}

// first is the first thing that does not fit: where, and why.
func first(v *jsonschema.ValidationError) string {
	for len(v.Causes) > 0 {
		v = v.Causes[0]
	}
	return "/" + strings.Join(v.InstanceLocation, "/") + ": " + v.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}
