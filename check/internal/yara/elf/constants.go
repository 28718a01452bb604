package elf

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Constants are those of the module, by name.
var Constants = constants(`
ET_NONE 0 ET_REL 1 ET_EXEC 2 ET_DYN 3 ET_CORE 4
EM_NONE 0 EM_M32 1 EM_SPARC 2 EM_386 3 EM_68K 4 EM_88K 5 EM_860 7 EM_MIPS 8 EM_MIPS_RS3_LE 10 EM_PPC 20 EM_PPC64 21 EM_ARM 40 EM_X86_64 62 EM_AARCH64 183
SHT_NULL 0 SHT_PROGBITS 1 SHT_SYMTAB 2 SHT_STRTAB 3 SHT_RELA 4 SHT_HASH 5 SHT_DYNAMIC 6 SHT_NOTE 7 SHT_NOBITS 8 SHT_REL 9 SHT_SHLIB 10 SHT_DYNSYM 11
SHF_WRITE 1 SHF_ALLOC 2 SHF_EXECINSTR 4
PT_NULL 0 PT_LOAD 1 PT_DYNAMIC 2 PT_INTERP 3 PT_NOTE 4 PT_SHLIB 5 PT_PHDR 6 PT_TLS 7 PT_GNU_EH_FRAME 0x6474e550 PT_GNU_STACK 0x6474e551
PF_X 1 PF_W 2 PF_R 4
DT_NULL 0 DT_NEEDED 1 DT_PLTRELSZ 2 DT_PLTGOT 3 DT_HASH 4 DT_STRTAB 5 DT_SYMTAB 6 DT_RELA 7 DT_RELASZ 8 DT_RELAENT 9 DT_STRSZ 10 DT_SYMENT 11
DT_INIT 12 DT_FINI 13 DT_SONAME 14 DT_RPATH 15 DT_SYMBOLIC 16 DT_REL 17 DT_RELSZ 18 DT_RELENT 19 DT_PLTREL 20 DT_DEBUG 21 DT_TEXTREL 22 DT_JMPREL 23
DT_BIND_NOW 24 DT_INIT_ARRAY 25 DT_FINI_ARRAY 26 DT_INIT_ARRAYSZ 27 DT_FINI_ARRAYSZ 28 DT_RUNPATH 29 DT_FLAGS 30 DT_ENCODING 32
STT_NOTYPE 0 STT_OBJECT 1 STT_FUNC 2 STT_SECTION 3 STT_FILE 4 STT_COMMON 5 STT_TLS 6
STB_LOCAL 0 STB_GLOBAL 1 STB_WEAK 2`)

func constants(text string) map[string]int64 {
	m := map[string]int64{}
	fields := strings.Fields(text)
	for i := 0; i+1 < len(fields); i += 2 {
		n, err := strconv.ParseInt(fields[i+1], 0, 64)
		if err == nil {
			m[fields[i]] = n
		}
	}
	return m
}

// PEEntry gives where in the file a Windows program begins to run.
func PEEntry(b []byte) (int64, bool) {
	le := binary.LittleEndian
	if len(b) < 64 || string(b[:2]) != "MZ" {
		return 0, false
	}
	r := reader{b: b}
	pe := uint64(le.Uint32(b[60:]))
	h := r.at(pe, 24+20)
	if h == nil || string(h[:4]) != "PE\x00\x00" {
		return 0, false
	}
	sections, optional := uint64(le.Uint16(h[6:])), uint64(le.Uint16(h[20:]))
	rva := le.Uint32(h[40:])
	for i := range sections {
		s := r.at(pe+24+optional+i*40, 40)
		if s == nil {
			break
		}
		va, raw, off := le.Uint32(s[12:]), le.Uint32(s[16:]), le.Uint32(s[20:])
		if rva >= va && rva-va < max(raw, le.Uint32(s[8:])) {
			return int64(off) + int64(rva-va), true
		}
	}
	return int64(rva), true
}
