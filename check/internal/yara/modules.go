package yara

import (
	"strconv"
	"strings"

	"bulwark/check/internal/yara/elf"
)

func fn(result *typ, do func(*evaluator, []value) value, forms ...string) *typ {
	return &typ{k: function, call: &builtin{forms: forms, result: result, do: do}}
}

// modules are those that can be imported.
var modules = map[string]*typ{
	"math": {k: module, fields: mathFields},
	"hash": {k: module, fields: hashFields},
	"elf":  {k: module, fields: elfFields()},
	"string": {k: module, fields: map[string]*typ{
		"to_int": fn(anInteger, toInt, "s", "si"),
		"length": fn(anInteger, func(_ *evaluator, a []value) value { return intValue(int64(len(a[0].s))) }, "s"),
	}},
	"console": {k: module, fields: map[string]*typ{
		"log": fn(anInteger, quiet, "s", "i", "f", "ss", "si", "sf"),
		"hex": fn(anInteger, quiet, "i", "si"),
	}},
	"time":   {k: module, refuse: "would make the result depend on the clock"},
	"pe":     {k: module, refuse: "is for Windows programs and is not supported"},
	"dotnet": {k: module, refuse: "is for Windows programs and is not supported"},
	"dex":    {k: module, refuse: "is for Android programs and is not supported"},
	"macho":  {k: module, refuse: "is for macOS programs and is not supported"},
	"cuckoo": {k: module, refuse: "needs a sandbox's report and is not supported"},
	"magic":  {k: module, refuse: "needs libmagic and is not supported"},
	"lnk":    {k: module, refuse: "is for Windows links and is not supported"},
	"vt":     {k: module, refuse: "needs a service and is not supported"},
}

// moduleValues gives the fields of modules that have more than functions.
var moduleValues = map[string]func(*evaluator) map[string]value{"elf": elfValues}

// quiet is what prints in libyara: here it does nothing and is true.
func quiet(*evaluator, []value) value { return intValue(1) }

func toInt(_ *evaluator, a []value) value {
	base := 0
	if len(a) > 1 {
		base = int(a[1].i)
		if a[1].i < 0 || a[1].i > 36 || a[1].i == 1 {
			return value{}
		}
	}
	s := a[0].s
	if base == 0 && len(s) > 1 && s[0] == '0' && strings.ContainsAny(s[1:2], "bBoO_") {
		return value{}
	}
	n, err := strconv.ParseInt(s, base, 64)
	if err != nil {
		return value{}
	}
	return intValue(n)
}

// elfFields are the types of the module elf.
func elfFields() map[string]*typ {
	ints := func(names string) map[string]*typ {
		m := map[string]*typ{}
		for n := range strings.FieldsSeq(names) {
			m[n] = anInteger
		}
		return m
	}
	list := func(names string, texts ...string) *typ {
		elem := &typ{k: structure, fields: ints(names)}
		for _, t := range texts {
			elem.fields[t] = aString
		}
		return &typ{k: array, elem: elem}
	}
	m := ints(`type machine entry_point number_of_sections sh_offset sh_entry_size number_of_segments ph_offset ph_entry_size
		dynamic_section_entries symtab_entries dynsym_entries`)
	m["sections"] = list("type flags address size offset", "name")
	m["segments"] = list("type flags offset virtual_address physical_address file_size memory_size alignment")
	m["dynamic"] = list("type val")
	m["symtab"] = list("value size type bind shndx", "name")
	m["dynsym"] = list("value size type bind shndx", "name")
	for name := range elf.Constants {
		m[name] = anInteger
	}
	m["telfhash"] = &typ{k: function, refuse: "is not supported"}
	m["import_md5"] = &typ{k: function, refuse: "is not supported"}
	return m
}

// elfValues reads the file as ELF, once.
func elfValues(e *evaluator) map[string]value {
	if e.elfSet != nil {
		return e.elfSet
	}
	m := make(map[string]value, len(elf.Constants)+16)
	for name, n := range elf.Constants {
		m[name] = intValue(n)
	}
	e.elfSet = m
	data, ok := e.bytes(0, e.s.size)
	if !ok {
		return m
	}
	f, ok := elf.Parse(data)
	if !ok {
		return m
	}
	for name, n := range f.Numbers {
		m[name] = intValue(n)
	}
	for name, rows := range f.Tables {
		items := make([]value, len(rows))
		for i, row := range rows {
			items[i] = value{k: structure, fields: fieldsOf(row)}
		}
		m[name] = value{k: array, items: items}
	}
	return m
}

func fieldsOf(row elf.Row) map[string]value {
	m := make(map[string]value, len(row.Numbers)+1)
	for name, n := range row.Numbers {
		m[name] = intValue(n)
	}
	if row.Named {
		m["name"] = strValue(row.Name)
	}
	return m
}

// peEntry gives where in a Windows program its entry point lies.
func peEntry(b []byte) (int64, bool) { return elf.PEEntry(b) }
