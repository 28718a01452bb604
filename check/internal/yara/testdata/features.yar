// Rules that use every feature of the language; each must give what libyara gives.
import "math"
import "hash"
import "elf"

rule text_plain { strings: $a = "ELF" $b = "GNU C Library" $c = "lorem" condition: any of them }
rule text_escapes { strings: $a = "tab\there" $b = "quote\"back\\slash" $c = "\x7fELF\x02" $d = "\x00\x00\x01" condition: any of them }
rule text_nocase { strings: $a = "gnu" nocase $b = "LoReM iPsUm" nocase $c = "x-1" nocase condition: any of them }
rule text_wide { strings: $a = "lorem" wide $b = "secret" wide $c = "ab" wide condition: any of them }
rule text_wide_ascii { strings: $a = "lorem" wide ascii $b = "secret" ascii wide condition: any of them }
rule text_wide_nocase { strings: $a = "LOREM" wide nocase $b = "Secret" wide ascii nocase condition: any of them }
rule text_fullword { strings: $a = "lorem" fullword $b = "word" fullword $c = "is" fullword $d = "under" fullword condition: any of them }
rule text_fullword_nocase { strings: $a = "LOREM" fullword nocase $b = "Word" fullword nocase condition: any of them }
rule text_fullword_wide { strings: $a = "lorem" fullword wide $b = "word" wide ascii fullword condition: any of them }
rule text_short { strings: $a = "l" $b = "q" $c = "qz" $d = "\xfe" condition: any of them }
rule text_overlap { strings: $a = "aaa" $b = "abab" $c = "aa" condition: any of them }
rule text_zero { strings: $a = "\x00\x00\x00\x00\x00" condition: #a > 2 }
rule text_private { strings: $a = "lorem" private $b = "ipsum" condition: $a and $b }
rule text_anonymous { strings: $ = "lorem" $ = "dolor" $ = "nowhere to be seen" condition: 2 of them }
rule text_long { strings: $a = "lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod" condition: $a }

rule xor_all { strings: $a = "http://evil.example" xor $b = "lorem" xor condition: any of them }
rule xor_range { strings: $a = "http://evil" xor(1-255) $b = "http://evil" xor(32) $c = "evil.ex" xor(0x20-0x2f) condition: any of them }
rule xor_wide { strings: $a = "secret" xor wide $b = "secret" xor wide ascii condition: any of them }
rule xor_short { strings: $a = "abc" xor(1-3) condition: $a }
rule base64_plain { strings: $a = "This program cannot" base64 $b = "/bin/bash" base64 condition: any of them }
rule base64_wide { strings: $a = "/bin/bash" base64wide $b = "/bin/bash" base64 base64wide condition: any of them }
rule base64_of_wide { strings: $a = "bash" wide base64 $b = "bash" wide ascii base64 condition: any of them }
rule base64_alphabet { strings: $a = "/bin/bash" base64("!@#$%^&*(){}[].,|ABCDEFGHIJ\x09LMNOPQRSTUVWXYZabcdefghijklmnopqrstu") condition: $a }

rule hex_plain { strings: $a = { 7F 45 4C 46 } $b = { 4d5a9000 } $c = {6c6F72656D} condition: any of them }
rule hex_wild { strings: $a = { 7F ?? 4C 46 } $b = { 6c 6f ?? ?? 6d } $c = { 00 ?? 00 ?? 01 } condition: any of them }
rule hex_nibble { strings: $a = { 7? 45 ?C 46 } $b = { 6? 6? 7? 6? 6? 20 } $c = { ?1 0? 00 00 00 } condition: any of them }
rule hex_jump { strings: $a = { 6c 6f [1] 65 6d } $b = { 69 70 [0-3] 6d } $c = { 6c [2-4] 20 69 } $d = { 01 [4-20] 02 03 } condition: any of them }
rule hex_jump_far { strings: $a = { 6c 6f 72 [10-300] 61 6d 65 74 } $b = { 6c 6f 72 65 [201-250] 65 } $c = { 7f 45 4c 46 [300-90000] 2e 74 65 78 74 } condition: any of them }
rule hex_jump_open { strings: $a = { 6c 6f 72 [-] 61 6d 65 74 } $b = { 7f 45 4c 46 [4-] 2e 64 61 74 61 } $c = { 61 [-] 7a 7a [5-] 71 } condition: any of them }
rule hex_jump_three { strings: $a = { 6c 6f [300-] 69 70 [-] 64 6f 6c [0-1000] 73 69 74 } condition: $a }
rule hex_alt { strings: $a = { ( 6c 6f 72 | 69 70 73 ) } $b = { 6c ( 6f | 6f 72 | ?? 72 65 ) 65 } $c = { 20 ( 64 6f | ( 73 | 61 ) 69 ) 74 } condition: any of them }
rule hex_alt_jump { strings: $a = { 6c ( 6f [1-3] 65 | 61 ) 6d } condition: $a }
rule hex_comment { strings: $a = { 6c 6f /* middle */ 72 // end
  65 6d } condition: $a }
rule hex_code { strings: $a = { 55 48 89 E5 } $b = { 48 8B ?? ?? 48 89 } $c = { E8 ?? ?? ?? ?? 48 } $d = { 0F B6 (C0 | C1 | D2) } condition: any of them }

rule re_plain { strings: $a = /lorem/ $b = /GNU C/ condition: any of them }
rule re_nocase { strings: $a = /LOREM/i $b = /ipsum/ nocase $c = /[^a-k]OR/i condition: any of them }
rule re_dot { strings: $a = /l.r.m/ $b = /elit.sed/ $c = /elit.sed/s condition: any of them }
rule re_star { strings: $a = /lo*rem/ $b = /ip.*dolor/ $c = /a*b/ $d = /x*yz/ condition: any of them }
rule re_plus { strings: $a = /lo+rem/ $b = /[a-z]+ipsum/ $c = /ab+/ $d = /(ab)+/ condition: any of them }
rule re_question { strings: $a = /lorr?em/ $b = /colou?r/ $c = /ips?u?m/ condition: any of them }
rule re_lazy { strings: $a = /lo.*?m/ $b = /a+?b/ $c = /ip.+?u/ $d = /l.{2,9}?m/ condition: any of them }
rule re_count { strings: $a = /a{3}/ $b = /a{2,4}b/ $c = /[0-9]{4,}/ $d = /lo.{1,200}am/ $e = /x{,3}y/ condition: any of them }
rule re_alt { strings: $a = /lorem|dolor/ $b = /(lo|do)(rem|lor)/ $c = /a(b|ba|bab)a/ $d = /(sit|amet),?/ condition: any of them }
rule re_class { strings: $a = /[l-o]o[^a-q]em/ $b = /[\w]+@[a-z.]+/ $c = /[]x-]y/ $d = /[^\s\w]{3,8}/ $e = /[-a]z/ condition: any of them }
rule re_escapes { strings: $a = /\d+\.\d+/ $b = /\w+\s\w+/ $c = /\x6corem/ $d = /\S\D\W\d/ $e = /\tx\n/ $f = /\/bin\/[a-z]+/ condition: any of them }
rule re_anchor { strings: $a = /^lorem/ $b = /end$/ $c = /^\x7fELF/ $d = /^.{4}\x02/ $e = /\x00$/ condition: any of them }
rule re_word { strings: $a = /\blorem\b/ $b = /\Borem/ $c = /\bword/ $d = /is\b/ $e = /o\B/ condition: any of them }
rule re_fullword { strings: $a = /lo[a-z]+/ fullword $b = /w.rd/ fullword $c = /[a-z]{3}/ fullword condition: any of them }
rule re_wide { strings: $a = /lorem/ wide $b = /s.cret/ wide ascii $c = /se[a-z]+t/ wide nocase $d = /\bsec/ wide condition: any of them }
rule re_nested { strings: $a = /((lo|ip)[a-z]{1,3} ?)+/ $b = /(a(b(ab)*)?)+/ condition: any of them }
rule re_binary { strings: $a = /\x7fELF[\x01\x02]/ $b = /[\x80-\xff]{4}/ $c = /\x00\x00[^\x00]{2,6}\x00/ condition: any of them }
rule re_url { strings: $a = /https?:\/\/[\w\.\/-]{4,40}/ $b = /[a-z0-9]+\.(com|org|example)/ condition: any of them }
rule re_ip { strings: $a = /[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}/ condition: $a }
rule re_no_atom { strings: $a = /[a-f][0-9]/ $b = /\w\W\w/ condition: any of them }
rule re_empty_alt { strings: $a = /lo(rem|)/ condition: $a }

rule cond_true { condition: true }
rule cond_false { condition: false }
rule cond_not { strings: $a = "lorem" condition: not $a }
rule cond_and_or { strings: $a = "lorem" $b = "GNU" $c = "zzzz" condition: ($a and not $b) or ($c and $b) or not ($a or $b or $c) }
rule cond_precedence { condition: true or false and false }
rule cond_not_eq { condition: not 1 == 2 and not filesize < 0 }
rule cond_filesize { condition: filesize > 1KB and filesize < 1MB }
rule cond_filesize_small { condition: filesize <= 100 }
rule cond_filesize_zero { condition: filesize == 0 }
rule cond_arith { condition: 1 + 2 * 3 == 7 and 7 \ 2 == 3 and 7 % 4 == 3 and -7 \ 2 == -3 and -7 % 3 == -1 and 2 - -2 == 4 }
rule cond_bits { condition: 0xF0 | 0x0F == 0xFF and 6 & 3 == 2 and 6 ^ 3 == 5 and ~0 == -1 and 1 << 4 == 16 and 256 >> 4 == 16 and 1 << 64 == 0 and 0o17 == 15 }
rule cond_float { condition: 1.5 + 1 == 2.5 and 3.0 \ 2 == 1.5 and 0.1 + 0.2 == 0.3 and 1.0 == 1 and 5 > 4.5 and filesize * 1.5 >= filesize }
rule cond_compare { condition: 1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3 and 1 != 2 }
rule cond_strings { condition: "abc" contains "b" and "ABC" icontains "b" and "abc" startswith "ab" and "ABC" istartswith "ab" and "abc" endswith "bc" and "ABC" iendswith "bc" and "aBc" iequals "AbC" and not "abc" contains "B" and "abc" == "abc" and "abc" < "abd" and "abc" != "ABC" }
rule cond_matches { condition: "foobar" matches /o+b/ and not "foobar" matches /^bar/ and "FOO" matches /foo/i and "a\nb" matches /a.b/s and not "a\nb" matches /a.b/ }
rule cond_count { strings: $a = "o" condition: #a > 3 and #a < 100000 }
rule cond_count_zero { strings: $a = "never ever there" condition: #a == 0 }
rule cond_count_arith { strings: $a = "lorem" $b = "ipsum" condition: #a + #b > 2 or #a * 2 == #b }
rule cond_count_in { strings: $a = "o" condition: #a in (0..50) > 1 and #a in (0..20) <= 3 }
rule cond_count_in_end { strings: $a = "e" condition: #a in (0..filesize - 100) >= 1 }
rule cond_offset { strings: $a = "lorem" $b = "ipsum" condition: @a < @b and @a[1] >= 0 }
rule cond_offset_second { strings: $a = "lorem" condition: @a[2] > @a[1] }
rule cond_offset_none { strings: $a = "lorem" condition: @a[1000000] > 0 or not @a[1000000] > 0 }
rule cond_length { strings: $a = /lo[a-z]+/ $b = "ips" condition: !a[1] >= 5 or !b == 3 }
rule cond_length_sum { strings: $a = /\d+/ condition: for any i in (1..#a) : ( !a[i] == 4 ) }
rule cond_at { strings: $a = "\x7fELF" $b = "lorem" condition: $a at 0 or $b at 0 }
rule cond_at_expr { strings: $a = "ELF" $b = "ipsum" condition: $a at 0 + 1 or $b at @b }
rule cond_in { strings: $a = "ELF" $b = "dolor" condition: $a in (0..10) or $b in (5..50) }
rule cond_in_expr { strings: $a = "e" condition: $a in (filesize - 20..filesize) }
rule cond_in_backwards { strings: $a = "e" condition: $a in (filesize..0) or true }
rule cond_uint { condition: uint8(0) == 0x7f and uint16(0) == 0x457f and uint32(0) == 0x464c457f and uint32be(0) == 0x7f454c46 and uint16be(1) == 0x454c and uint8be(1) == 0x45 }
rule cond_int { condition: int8(0) != 200 and int16(2) < 32768 and int32(4) != 0x7fffffff1 and int8be(0) == int8(0) and int16be(0) < 40000 and int32be(0) <= 0x7fffffff }
rule cond_uint_beyond { condition: uint32(filesize - 2) == 0 or true }
rule cond_uint_undefined { condition: uint32(filesize) == 0 or not uint32(filesize) == 0 }
rule cond_uint_not_undefined { condition: not uint8(filesize + 10) }
rule cond_defined { condition: defined uint8(0) and not defined uint8(filesize) }
rule cond_defined_expr { strings: $a = "lorem" condition: defined @a[1] and defined @a }
rule cond_entrypoint { condition: entrypoint > 0 }
rule cond_entrypoint_code { strings: $a = { 31 ed } $b = { f3 0f 1e fa } condition: $a at entrypoint or $b at entrypoint or $a at entrypoint + 4 }
rule cond_division_undefined { condition: 1 \ (filesize - filesize) == 0 or 1 % (filesize - filesize) == 0 }
rule cond_shift_negative { condition: 1 << (filesize - filesize - 1) == 0 or true }
rule cond_undefined_and { condition: uint8(filesize) == 0 and true }
rule cond_undefined_or { condition: uint8(filesize) == 0 or filesize >= 0 }
rule cond_undefined_arith { condition: defined (uint8(filesize) + 1) }

rule of_them { strings: $a = "lorem" $b = "ipsum" $c = "never there" condition: 2 of them }
rule of_all { strings: $a = "lorem" $b = "ipsum" condition: all of them }
rule of_any { strings: $a1 = "nope nope" $a2 = "ipsum" $b = "GNU" condition: any of ($a*) or #b > 1000 }
rule of_none { strings: $a = "never there" $b = "GNU" condition: none of them }
rule of_zero { strings: $a = "lorem" $b = "GNU" condition: 0 of them }
rule of_zero_expr { strings: $a = "lorem" $b = "GNU" condition: (filesize - filesize) of them }
rule of_list { strings: $a = "lorem" $b = "GNU" $c = "zz" condition: 1 of ($a, $c) and #b < 9 }
rule of_percent { strings: $a = "lorem" $b = "ipsum" $c = "dolor" $d = "nope nope" condition: 75% of them }
rule of_percent_half { strings: $a = "lorem" $b = "ipsum x" $c = "GNU" condition: 34% of ($*) }
rule of_expr { strings: $a = "lorem" $b = "ipsum" $c = "zz" condition: (1 + 1) of them }
rule of_count { strings: $a = "lorem" $b = "ipsum" $c = "dolor" condition: #a of them }
rule of_in { strings: $a = "lorem" $b = "ipsum" $c = "ELF" condition: any of them in (0..10) }
rule of_in_all { strings: $a = "lorem" $b = "ipsum" condition: all of ($a, $b) in (0..filesize) }
rule of_not { strings: $a = "lorem" condition: not any of them }

rule for_of { strings: $a = "lorem" $b = "ipsum" condition: for any of them : ( # > 1 ) }
rule for_of_all { strings: $a = "lorem" $b = "ipsum" condition: for all of them : ( @ > 0 and @ < 100000 ) }
rule for_of_at { strings: $a = "ELF" $b = "lorem" condition: for any of ($a, $b) : ( $ at 1 ) }
rule for_of_in { strings: $a = "lorem" $b = "dolor" $c = "ELF" condition: for 1 of them : ( $ in (0..30) ) }
rule for_of_length { strings: $a = /lo[a-z]+/ $b = /d[a-z]+r/ condition: for any of them : ( ! == 5 ) }
rule for_of_index { strings: $a = "o" $b = "e" condition: for all of them : ( @[2] > @[1] ) }
rule for_in_range { strings: $a = "o" condition: for any i in (1..#a) : ( @a[i] % 7 == 0 ) }
rule for_in_all { strings: $a = "o" condition: for all i in (1..#a) : ( @a[i] >= @a ) }
rule for_in_list { condition: for any i in (0, 1, 5, 16) : ( uint8(i) == 0x45 or uint8(i) == 3 ) }
rule for_in_number { condition: for 2 i in (0..10) : ( uint8(i) == 0 ) }
rule for_in_empty { strings: $a = "never there at all" condition: for all i in (1..#a) : ( i == 0 ) }
rule for_in_empty_none { strings: $a = "never there at all" condition: for none i in (1..#a) : ( i == 0 ) }
rule for_in_strings { strings: $a = "lorem" condition: for any i in (1, 2) : ( $a at i - 1 ) }
rule for_in_nested { condition: for any i in (0..4) : ( for any j in (0..4) : ( uint8(i) == uint8(j) and i != j ) ) }
rule for_in_undefined { condition: for any i in (0..uint8(filesize)) : ( true ) }
rule for_in_body_undefined { condition: for all i in (0..2) : ( uint8(filesize + i) == 1 ) }
rule for_all_list { condition: for all i in (1, 2, 3) : ( i < 4 ) }
rule for_in_mixed { strings: $a = "lorem" $b = "o" condition: for any of ($a, $b) : ( for any i in (1..#) : ( @[i] == 4 ) ) }

private rule helper { strings: $a = "lorem" condition: $a }
rule ref_private { condition: helper }
rule ref_not { condition: not helper and filesize > 0 }
rule ref_chain { condition: ref_private and of_them }
rule ref_of { condition: any of (of_*) }
rule ref_of_two { condition: 2 of (ref_private, of_all, cond_false) }
rule ref_of_all { condition: all of (text_plain, text_nocase) }
rule tagged : one two three { meta: author = "nobody" score = 75 negative = -1 yes = true condition: true }

rule ext_filename { condition: filename matches /^[a-z]/ or extension == ".bin" or filepath contains "/" }
rule ext_name { condition: filename endswith "ls" or filename == "lorem.txt" }

rule math_entropy { condition: math.entropy(0, filesize) > 5.0 }
rule math_entropy_low { condition: math.entropy(0, 64) < 4.5 }
rule math_entropy_string { condition: math.entropy("aabbccdd") == 2.0 }
rule math_mean { condition: math.mean(0, filesize) > 60.0 and math.mean("abc") == 98.0 }
rule math_deviation { condition: math.deviation(0, filesize, math.mean(0, filesize)) > 20.0 and math.deviation("abc", 98.0) > 0.6 }
rule math_serial { condition: math.serial_correlation(0, filesize) > 0.2 }
rule math_serial_string { condition: math.serial_correlation("BCAB") < 0.0 or math.serial_correlation("ABCD") == 2.8 }
rule math_pi { condition: math.monte_carlo_pi(0, filesize) < 0.2 }
rule math_in_range { condition: math.in_range(math.entropy(0, filesize), 4.0, 6.5) }
rule math_minmax { condition: math.max(1, 2) == 2 and math.min(1, 2) == 1 and math.max(-1, 2) == -1 and math.abs(-5) == 5 }
rule math_number { condition: math.to_number(filesize > 10) == 1 }
rule math_count { condition: math.count(0x6f, 0, filesize) > 10 and math.count(0x00) > 5 }
rule math_percentage { condition: math.percentage(0x00) > 0.3 or math.percentage(0x61, 0, 1000) > 0.01 }
rule math_mode { condition: math.mode() == 0 or math.mode(0, 100) == 0x20 }
rule math_beyond { condition: math.entropy(filesize, 10) > 0.0 or not defined math.mean(filesize + 1, 1) }
rule hash_md5 { condition: hash.md5(0, 4) == "868907d1bd0cc4d2ce3ff07aa12d6c04" or hash.md5("dummy") == "275876e34cf609db118f3d84b799a790" }
rule hash_sha { condition: hash.sha1("a") == "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8" and hash.sha256("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" }
rule hash_clip { condition: hash.md5(0, filesize) == hash.md5(0, filesize + 1000) }
rule hash_undefined { condition: defined hash.md5(filesize, 1) }
rule hash_sums { condition: hash.crc32("abc") == 0x352441c2 and hash.checksum32("abc") == 294 and hash.crc32(0, 10) != 0 }

rule elf_type { condition: elf.type == elf.ET_DYN and elf.machine == elf.EM_X86_64 }
rule elf_exec { condition: elf.type == elf.ET_EXEC }
rule elf_entry { condition: elf.entry_point > 0 and uint8(elf.entry_point) != 0 }
rule elf_entry_is { condition: elf.entry_point == entrypoint }
rule elf_sections { condition: elf.number_of_sections > 20 and elf.sections[0].type == elf.SHT_NULL }
rule elf_section_name { condition: for any i in (0..elf.number_of_sections - 1) : ( elf.sections[i].name == ".text" and elf.sections[i].size > 1000 ) }
rule elf_section_each { condition: for any s in elf.sections : ( s.name == ".data" and s.flags & elf.SHF_WRITE != 0 and s.offset > 0 and s.address > 0 ) }
rule elf_segments { condition: for any s in elf.segments : ( s.type == elf.PT_LOAD and s.flags == elf.PF_R | elf.PF_X and s.file_size == s.memory_size ) }
rule elf_segment_numbers { condition: elf.number_of_segments > 5 and elf.segments[0].type == elf.PT_PHDR and elf.segments[0].alignment == 8 and elf.segments[0].offset == 64 and elf.ph_offset == 64 and elf.ph_entry_size == 56 and elf.sh_entry_size == 64 and elf.sh_offset > 0 }
rule elf_interp { condition: for any s in elf.segments : ( s.type == elf.PT_INTERP and s.virtual_address == s.physical_address ) }
rule elf_dynamic { condition: elf.dynamic_section_entries > 10 and for any d in elf.dynamic : ( d.type == elf.DT_NEEDED and d.val > 0 ) }
rule elf_dynamic_last { condition: elf.dynamic[elf.dynamic_section_entries - 1].type == elf.DT_NULL }
rule elf_dynsym { condition: elf.dynsym_entries > 10 and for any s in elf.dynsym : ( s.name == "malloc" and s.bind == elf.STB_GLOBAL and s.type == elf.STT_FUNC ) }
rule elf_symtab { condition: elf.symtab_entries > 0 }
rule elf_not { condition: not defined elf.type }
rule elf_count { condition: for 3 s in elf.sections : ( s.flags & elf.SHF_EXECINSTR != 0 ) }

// What rule sets write.
rule idiom_magic { condition: (uint16(0) == 0x5a4d or uint32be(0) == 0x7f454c46 or uint32(0) == 1179403647) and filesize < 200KB }
rule idiom_pe { condition: uint16(0) == 0x5a4d and uint32(uint32(0x3C)) == 0x00004550 }
rule idiom_sets { strings: $x1 = "lorem" $x2 = "ipsum" $y1 = "dolor" $y2 = "GNU" $z = "never" condition: ( all of ($x*) and 1 of ($y*) ) or ( 2 of ($y*, $z) and filesize < 1MB ) }
rule idiom_last { strings: $a = "lorem" condition: filesize - @a[#a] < 20000 and @a[#a] >= @a[1] }
rule idiom_after { strings: $a = "ipsum" condition: uint8(@a + !a) == 0x20 }
rule idiom_before { strings: $a = "dolor" condition: for any i in (1..#a) : ( uint8(@a[i] - 1) == 0x20 ) }
rule idiom_near { strings: $a = "lorem" $b = "ipsum" condition: for any i in (1..#a) : ( for any j in (1..#b) : ( @b[j] - @a[i] > 0 and @b[j] - @a[i] < 30 ) ) }
rule idiom_in_offset { strings: $a = "lorem" $b = "dolor" condition: $b in (@a..@a + 20) }
rule idiom_not_for { strings: $a = "lorem" $b = "zzzz" condition: not for any of them : ( # > 3 ) }
rule idiom_sections { condition: uint32(0) == 0x464c457f and elf.type == elf.ET_DYN and elf.entry_point < filesize and elf.number_of_segments > 0
  and for any i in (0..elf.number_of_segments) : ( ( elf.segments[i].offset <= elf.entry_point ) and ( elf.segments[i].offset + elf.segments[i].file_size >= elf.entry_point ) ) }
rule idiom_entropy { strings: $not = "nothing like this" condition: uint32(0) == 1179403647 and math.entropy(1200, 4096) > 3 and none of ($not*) }
rule idiom_eval { strings: $a = /\bword[\n\t ]{0,500}(\([^)]|s)/ nocase $b = /:\s{0,20}eval}/ nocase $c = /a[,}\)]/ $d = /\$_(GET|POST)\[["']\w/ condition: #a + #b + #c + #d >= 0 }
rule idiom_pool { strings: $a = /(stratum|ssl|https?)(\+tcp)?:\/\/[a-z0-9.-]{3,60}(:[0-9]{2,5})?/ condition: $a }
rule idiom_shell { strings: $a = /(\/bin\/)?(ba|da|z|k)?sh(\s+-i)?/ fullword $b = /\/(bin|usr\/bin)\/[a-z]{2,8}\b/ condition: any of them }
rule idiom_code { strings: $a = { 48 8D ( 3D | 35 | 15 | 0D ) ?? ?? ?? 00 } $b = { 0F 1F [1-5] 00 } $c = { C3 [0-15] F3 0F 1E FA } $d = { E8 ?? ?? ?? ?? [0-12] ( 48 | 85 C0 ) 8? } condition: any of them }
rule xor_fullword { strings: $a = "secret" xor(1-42) fullword $b = "lorem" xor fullword $c = "evil" xor(0-255) fullword condition: any of them }
rule xor_private { strings: $a = "lorem" xor(2-3) private $b = "secret" xor(0x01-0x02) ascii condition: any of them }
rule base64_short { strings: $a = "run" base64 $b = "bash" base64 $c = "can" base64wide $d = "abcd" base64 condition: any of them }
rule text_nocase_symbols { strings: $a = "[x]{y}@Z`_" nocase $b = "a@b" nocase $c = "x-1" nocase wide condition: any of them or true }
rule anonymous_of { strings: $ = "lorem" $ = "GNU" $b = "dolor" condition: all of ($b, $*) or any of ($*) }
rule for_anonymous { strings: $ = "lorem" $ = "GNU" condition: for any of ($*) : ( # > 1 and @ > 0 and ! > 2 ) }
rule for_of_set { strings: $a1 = "lorem" $a2 = "ipsum" $b = "dolor" condition: for 2 of ($a*, $b) : ( $ in (0..filesize) and # < 100000 ) }
rule hex_at { strings: $a = { 7f 45 [0-2] 46 } $b = { 6c [1-3] 65 } condition: $a at 0 or $b in (0..10) }
rule hex_far_at { strings: $a = { 6c 6f 72 [250-] 65 6e 64 } condition: #a >= 1 and @a < 100 }
rule hex_odd { strings: $a = {6C6F 7265 6D} $b = { 6c6f[1-2]656d } $c = {(6c|6f)(6f|72)} condition: any of them }
rule hex_same { strings: $a = { 00 00 00 00 } $b = { ?? 00 ?? 00 ff } $c = { 20 [0-4] 20 } condition: #a + #b + #c > 3 }
rule hex_greedy { strings: $a = { 61 [0-8] 62 } $b = { 61 [1-3] ( 62 | 61 62 ) } condition: !a[1] > 1 and !b[1] > 1 or #a >= 0 }
rule re_wide_anchor { strings: $a = /^lorem/ wide $b = /word\b/ wide $c = /s[a-z0-9]cret\s/ wide $d = /[^\x00]{3}/ wide condition: any of them }
rule re_braces { strings: $a = /a{b/ $b = /a{,2}b/ $d = /a{2}b{2,}/ condition: any of them or true }
rule re_class_escapes { strings: $a = /[\x00-\x1f]{2}/ $b = /[\.\-\]\\]+/ $c = /[^\n\t ]{10}/ $d = /[\d\-_]{3}/ condition: any of them }
rule re_slash { strings: $a = /https?:\/\/[^\/]+\/x/ $b = /\/[a-z]+\/[a-z]+/ condition: any of them }
rule re_length { strings: $a = /l[a-z]+/ $b = /l[a-z]+?/ condition: !a[1] == 5 and !b[1] == 2 }
rule cond_nested_not { strings: $a = "lorem" condition: not (not ($a) or not (filesize > 3)) }
rule cond_big_numbers { condition: 0x7fffffffffffffff > 0 and -9223372036854775807 < 0 and 9223372036854775807 == 0x7fffffffffffffff and 2MB == 2048KB }
rule cond_int_edges { condition: int8(0) <= 127 and int16(0) <= 32767 and int32be(4) < 2147483648 and int32(0) >= -2147483648 }
rule cond_filesize_math { condition: filesize \ 2 * 2 <= filesize and filesize % 2 < 2 and filesize & 1 == filesize % 2 and filesize >> 1 == filesize \ 2 }
rule cond_bool_compare { strings: $a = "lorem" condition: $a and true and not false }
rule cond_number_truth { condition: 1 and not 0 and (filesize or true) }
rule cond_string_truth { condition: "a" and not "" }
