package lang

// ParseOutput reads an output format that stands in no file.
func ParseOutput(s string) (Output, error) { return parseOutput(&text{s: s}) }
