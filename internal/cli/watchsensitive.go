package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"bulwark"
	"bulwark/detect/access"
	"bulwark/internal/limit"
	"bulwark/internal/yamlerr"
)

// sensitiveFile is what --sensitive reads.
type sensitiveFile struct {
	Sensitive []declaration
}

type declaration struct {
	Name                       string
	Severity                   string
	Paths, Volumes, Images     []string
	Read, Change, Copy, Delete []access.Who
}

// sensitive reads what is declared to be sensitive.
func sensitive(names []string) (list []access.Sensitive, err error) {
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--sensitive: %w", err)}
		}
		data, err := limit.ReadAll(f, maxConfig, name)
		f.Close()
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--sensitive: %w", err)}
		}
		one, err := parseSensitive(data)
		if err != nil {
			return nil, &exit{code: exitUsage, err: fmt.Errorf("--sensitive: %s: %s", name, yamlerr.Plain(err)), hint: "docs/watch.md shows such a file"}
		}
		list = append(list, one...)
	}
	return list, nil
}

func parseSensitive(data []byte) (list []access.Sensitive, err error) {
	var file sensitiveFile
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i, s := range file.Sensitive {
		one := access.Sensitive{Name: s.Name, Severity: bulwark.SeverityHigh, Paths: s.Paths, Volumes: s.Volumes, Images: s.Images, Read: s.Read, Change: s.Change, Copy: s.Copy, Delete: s.Delete}
		if s.Severity != "" {
			if err := one.Severity.UnmarshalText([]byte(s.Severity)); err != nil {
				return nil, err
			}
		}
		if s.Name == "" || len(s.Paths)+len(s.Volumes) == 0 {
			return nil, fmt.Errorf("entry %d has no name, or neither paths nor volumes", i+1)
		}
		list = append(list, one)
	}
	return list, nil
}
