package program

// table is all that is known of programs: to add one, add a row with what it is found
// in and what it is not. Patterns are checked against real files where these are
// at hand (program_test.go).
var table = []row{
	// Language runtimes.
	{
		name: "node", bitnami: true, files: []string{"node", "nodejs", "libnode.so*"},
		anchors: []string{"node.js/v"}, pattern: `node\.js/v(\d+\.\d+\.\d+)`,
		yes: []string{"\x00node.js/v20.11.1\x00=>20.11.1"}, no: []string{"node.js/vX", "node v20.11.1"},
	},
	{
		name: "python", bitnami: true, files: []string{"python2.*", "python3.*", "libpython2.*", "libpython3.*"},
		anchors: []string{"\x00{v}."}, pattern: `\x00({v}\.\d+(?:(?:a|b|rc)\d+)?)\+?\x00`,
		yes: []string{"\x003.11.4\x00=>3.11.4", "a\x003.11.0rc1\x00=>3.11.0rc1", "\x003.11.4+\x00=>3.11.4"},
		no:  []string{"\x003.10.4\x00", "\x003.11.4.dist\x00", "usr/lib/python3.11"},
	},
	{
		name: "ruby", bitnami: true, files: []string{"ruby", "ruby[0-9]*", "libruby*.so*"},
		anchors: []string{"ruby "}, pattern: `ruby (\d+\.\d+\.\d+)(?:p\d+)? \(20`,
		yes: []string{"\x00ruby 3.2.2p53 (2023-03-30 revision e51014f9c0) [x86_64-linux]=>3.2.2"}, no: []string{"ruby - Copyright", "ruby 3.2.2"},
	},
	{
		name: "perl", files: []string{"perl", "perl5*", "libperl.so*"},
		anchors: []string{"\x00v5."}, pattern: `\x00v(5\.\d+\.\d+)\x00`,
		yes: []string{"\x00v5.36.0\x00=>5.36.0"}, no: []string{"\x00v5.36.0-x", "perl/5.36.0"},
	},
	{
		name: "php", bitnami: true, files: []string{"php", "php[0-9]*", "php-cgi*", "php-fpm*", "libphp*.so*"},
		anchors: []string{"X-Powered-By: PHP/"}, pattern: `X-Powered-By: PHP/(\d+\.\d+\.\d+(?:(?:alpha|beta|RC)\d+)?)`,
		yes: []string{"X-Powered-By: PHP/8.2.4\x00=>8.2.4", "X-Powered-By: PHP/8.3.0RC1=>8.3.0RC1"}, no: []string{"X-Powered-By: PHP/%s"},
	},
	{
		name: "java", bitnami: true, files: []string{"release"},
		anchors: []string{"JAVA_VERSION=\""}, pattern: `JAVA_VERSION="(\d[\w.+-]*)"`,
		yes: []string{"IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\n=>17.0.9", "JAVA_VERSION=\"1.8.0_392\"=>1.8.0_392"},
		no:  []string{"VERSION=\"12\"", "JAVA_VERSION=\"\""},
	},
	{
		name: "java", bitnami: true, files: []string{"libjvm.so"},
		anchors: []string{"Server VM ("}, pattern: `Server VM \((\d+(?:\.\d+)*)\+\d`,
		yes: []string{"OpenJDK 64-Bit Server VM (17.0.9+9) for linux-amd64 JRE (17.0.9+9)=>17.0.9"}, no: []string{"64-Bit Server VM (mixed mode)", "Server VM (25.392-b08)"},
	},
	{
		name: "go", golang: true, files: []string{"go/VERSION", "go-1.*/VERSION"},
		pattern: `go(\d+\.\d+(?:\.\d+)?)(?:\s|$)`,
		yes:     []string{"go1.22.3\ntime 2024-05-01T19:49:47Z\n=>1.22.3", "go1.20\n=>1.20", "go1.19.8=>1.19.8"}, no: []string{"go1.23rc1\n", "version go1.22.3\n"},
	},
	{
		name: "rust", files: []string{"rustc", "librustc_driver-*.so", "libstd-*.so"},
		anchors: []string{"rustc version "}, pattern: `rustc version (\d+\.\d+\.\d+)(?:-\w+(?:\.\d+)?)? \(`,
		yes: []string{"rustc version 1.75.0 (82e1608df 2023-12-21)=>1.75.0"}, no: []string{"rustc version unknown"},
	},
	{
		name: "deno", files: []string{"deno"},
		anchors: []string{"Deno/"}, pattern: `Deno/(\d+\.\d+\.\d+)(?:Deno/|\+)`,
		yes: []string{"2.9.6+e518fbdDeno/2.9.6Deno/2.9.6+e518fbd=>2.9.6"}, no: []string{"OTel-OTLP-Exporter-Deno/0.80.0grpc"},
	},
	{
		name: "bun", files: []string{"bun"},
		anchors: []string{"bun-v"}, pattern: `bun-v(\d+\.\d+\.\d+)[\x00/]`,
		yes: []string{"download/bun-v1.4.5/bun-linux-x64.zip=>1.4.5"}, no: []string{"bun-version 1.4.5", "bun-v1"},
	},
	{
		name: "erlang", files: []string{"OTP_VERSION"}, pattern: `(\d+(?:\.\d+)+)\s*$`,
		yes: []string{"25.2.3\n=>25.2.3"}, no: []string{"OTP 25.2.3\n", "25\n"},
	},
	{
		name: "elixir", files: []string{"elixir.app"},
		anchors: []string{"{vsn,"}, pattern: `\{vsn,\s*"(\d+\.\d+\.\d+)(?:-[\w.]+)?"`,
		yes: []string{"{application,elixir,\n [{description,\"elixir\"},\n  {vsn,\"1.15.7\"},=>1.15.7"}, no: []string{"{vsn, git}"},
	},
	{
		name: "dotnet", bitnami: true, files: []string{"Microsoft.NETCore.App/*/.version"},
		pattern: `[0-9a-f]{40}\r?\n(\d+\.\d+\.\d+)`,
		yes:     []string{"bf5e279d9239bfef5bb1b8d6212f1b971c434606\n8.0.1\nlinux-x64\n=>8.0.1"}, no: []string{"8.0.1\n"},
	},
	{
		name: "lua", bitnami: true, files: []string{"lua", "lua5*", "liblua*.so*"},
		anchors: []string{"Lua 5."}, pattern: `Lua (5\.\d+\.\d+)  Copyright`,
		yes: []string{"$LuaVersion: Lua 5.4.4  Copyright (C) 1994-2022 Lua.org, PUC-Rio $=>5.4.4"}, no: []string{"\x00Lua 5.4\x00"},
	},
	{
		name: "r", files: []string{"R/library/base/DESCRIPTION"},
		pattern: `Package: base\r?\nVersion: (\d+\.\d+\.\d+)`,
		yes:     []string{"Package: base\nVersion: 4.2.2\nPriority: base\n=>4.2.2"}, no: []string{"Package: stats\nVersion: 4.2.2\n"},
	},

	// Servers.
	{
		name: "nginx", bitnami: true, files: []string{"nginx", "nginx-debug"},
		anchors: []string{"nginx version: nginx/"}, pattern: `nginx version: nginx/(\d+\.\d+\.\d+)`,
		yes: []string{"nginx version: nginx/1.25.3\x00=>1.25.3"}, no: []string{"Server: nginx/1.25.3"},
	},
	{
		name: "openresty", bitnami: true, files: []string{"nginx", "openresty"},
		anchors: []string{"nginx version: openresty/"}, pattern: `nginx version: openresty/(\d+(?:\.\d+)+)`,
		yes: []string{"nginx version: openresty/1.21.4.1=>1.21.4.1"}, no: []string{"nginx version: nginx/1.25.3"},
	},
	{
		name: "apache", bitnami: true, files: []string{"httpd", "apache2"},
		anchors: []string{"Apache/2."}, pattern: `Apache/(2\.\d+\.\d+)`,
		yes: []string{"\x00Apache/2.4.58 (Unix)\x00=>2.4.58"}, no: []string{"Apache/2.4\x00"},
	},
	{
		name: "haproxy", bitnami: true, files: []string{"haproxy"},
		anchors: []string{" version "}, pattern: ` version (\d+\.\d+\.\d+)[^ ,]*, released 20`,
		yes: []string{" version 2.6.12-1+deb12u4, released 2026/10/17=>2.6.12", " version 2.9.1, released 2023/12/15=>2.9.1"}, no: []string{"since HAProxy version 2.5."},
	},
	{
		name: "redis", bitnami: true, files: []string{"redis-server", "redis-cli", "redis-check-aof", "redis-check-rdb", "redis-benchmark"},
		anchors: []string{"\x004.", "\x005.", "\x006.", "\x007.", "\x008."}, pattern: `\x00([4-8]\.\d+\.\d+)\x00`,
		yes: []string{"\x007.0.15\x00=>7.0.15"}, no: []string{"\x005.3.0-0-g0\x00", "redis-cli 7.0.15"},
	},
	{
		name: "memcached", bitnami: true, files: []string{"memcached"},
		anchors: []string{"memcached 1."}, pattern: `memcached (1\.\d+\.\d+)`,
		yes: []string{"\x00memcached 1.6.18\x00=>1.6.18"}, no: []string{"memcached 1.6"},
	},
	{
		name: "postgresql", bitnami: true, files: []string{"postgres"},
		anchors: []string{"postgres (PostgreSQL) "}, pattern: `postgres \(PostgreSQL\) (\d+\.\d+(?:\.\d+)?)`,
		yes: []string{"postgres (PostgreSQL) 15.5 (Debian 15.5-0+deb12u1)=>15.5", "postgres (PostgreSQL) 9.6.24=>9.6.24"}, no: []string{"PostgreSQL 15.5 on x86_64", "postgres (PostgreSQL) 17beta1"},
	},
	{
		name: "mariadb", bitnami: true, files: []string{"mariadbd", "mysqld"},
		anchors: []string{"MariaDB "}, pattern: `MariaDB (\d+\.\d+\.\d+)\x00`,
		yes: []string{"\x00MariaDB 10.11.19\x00=>10.11.19"}, no: []string{"MariaDB 10.4 or later", "needs MariaDB 10.4.1 or later"},
	},
	{
		name: "mysql", files: []string{"mysqld"},
		anchors: []string{"/mysql-"}, pattern: `/mysql-(\d+\.\d+\.\d+)/`,
		yes: []string{"/build/mysql-8.0.35/sql/mysqld.cc=>8.0.35"}, no: []string{"/mysql-test/8.0.35"},
	},
	{
		name: "varnish", bitnami: true, files: []string{"varnishd"},
		anchors: []string{"varnish-"}, pattern: `varnish-(\d+\.\d+\.\d+) revision`,
		yes: []string{"(varnish-7.1.1 revision 7cee1c581)=>7.1.1"}, no: []string{"varnish-cache"},
	},
	{
		name: "dovecot", files: []string{"dovecot"},
		anchors: []string{"Dovecot v"}, pattern: `Dovecot v(\d+(?:\.\d+)+)`,
		yes: []string{"Dovecot v2.3.19.1 (9b53102964) starting up=>2.3.19.1"}, no: []string{"Dovecot version"},
	},
	{
		name: "openssh", files: []string{"ssh", "sshd", "sshd-session"},
		anchors: []string{"OpenSSH_"}, pattern: `OpenSSH_(\d+\.\d+p\d+)[\x00 ]`,
		yes: []string{"\x00OpenSSH_9.2p1 Debian-2+deb12u2\x00=>9.2p1"}, no: []string{"OpenSSH_2*,OpenSSH_3*", "OpenSSH_9.2\x00"},
	},

	// Tools.
	{
		name: "busybox", files: []string{"busybox", "busybox.*"},
		anchors: []string{"BusyBox v"}, pattern: `BusyBox v(\d+\.\d+\.\d+)`,
		yes: []string{"BusyBox v1.36.1 (2023-06-12)=>1.36.1"}, no: []string{"BusyBox is copyrighted"},
	},
	{
		name: "bash", files: []string{"bash"},
		anchors: []string{"@(#)Bash version "}, pattern: `@\(#\)Bash version (\d+\.\d+\.\d+)`,
		yes: []string{"@(#)Bash version 5.2.15(1) release GNU=>5.2.15"}, no: []string{"GNU bash, version %s"},
	},
	{
		name: "git", bitnami: true, files: []string{"git"},
		anchors: []string{"git/"}, pattern: `git/(\d+\.\d+\.\d+)`,
		yes: []string{"\x00git/2.39.5\x00=>2.39.5"}, no: []string{".git/index", "git version %s"},
	},
	{
		name: "curl", files: []string{"curl"},
		anchors: []string{"curl/"}, pattern: `curl/(\d+\.\d+\.\d+)`,
		yes: []string{"\x00curl/8.5.0\x00=>8.5.0"}, no: []string{"https://curl.se/libcurl/c/x.html", "curl/%s"},
	},

	// Libraries.
	{
		name: "curl", files: []string{"libcurl.so*", "libcurl-*.so*"},
		anchors: []string{"libcurl/"}, pattern: `libcurl/(\d+\.\d+\.\d+)`,
		yes: []string{"\x00libcurl/7.88.1\x00=>7.88.1"}, no: []string{"https://curl.se/libcurl/c/x.html"},
	},
	{
		name: "openssl", files: []string{"openssl", "libcrypto.so*", "libssl.so*"},
		anchors: []string{"OpenSSL "}, pattern: `OpenSSL (\d+\.\d+\.\d+[a-z]*)(?:-fips)?  ?\d{1,2} [A-Z][a-z]{2} 20\d\d`,
		yes: []string{"\x00OpenSSL 3.0.11 19 Sep 2023\x00=>3.0.11", "OpenSSL 1.1.1w  11 Sep 2023=>1.1.1w"}, no: []string{"OpenSSL 3.0.0 is needed", "OpenSSL 3.2.0-dev "},
	},
	{
		name: "sqlite", bitnami: true, files: []string{"sqlite3", "libsqlite3.so*"},
		anchors: []string{"\x003."}, pattern: `\x00(3\.\d+\.\d+)\x00`,
		yes: []string{"\x003.40.1\x00=>3.40.1"}, no: []string{"\x003.40.1 2022-12-28", "GLIBC_2.3.4"},
	},
	{
		name: "zlib", files: []string{"libz.so*"},
		anchors: []string{"flate 1."}, pattern: `flate (1\.\d+(?:\.\d+)*) Copyright`,
		yes: []string{" deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly=>1.2.13", " inflate 1.3 Copyright 1995-2023 Mark Adler=>1.3"}, no: []string{"inflate 1.x"},
	},
	{
		name: "expat", files: []string{"libexpat.so*"},
		anchors: []string{"expat_"}, pattern: `expat_(\d+\.\d+\.\d+)`,
		yes: []string{"\x00expat_2.5.0\x00=>2.5.0"}, no: []string{"expat_realloc"},
	},
	{
		name: "libpng", files: []string{"libpng1*.so*"},
		anchors: []string{"libpng version "}, pattern: `libpng version (\d+\.\d+\.\d+)`,
		yes: []string{"libpng version 1.6.39 - November 20, 2022=>1.6.39"}, no: []string{"libpng version string"},
	},
	{
		name: "nghttp2", files: []string{"libnghttp2.so*"},
		anchors: []string{"\x001."}, pattern: `\x00(1\.\d+\.\d+)\x00`,
		yes: []string{"\x001.52.0\x00=>1.52.0"}, no: []string{"\x001.52.0-DEV\x00"},
	},
	{
		name: "glibc", files: []string{"libc.so.6", "libc-2.*.so"},
		anchors: []string{"GNU C Library"}, pattern: `GNU C Library[^\n]{0,100} release version (\d+\.\d+(?:\.\d+)?)`,
		yes: []string{"GNU C Library (Debian GLIBC 2.36-9+deb12u3) stable release version 2.36.=>2.36"}, no: []string{"GNU C Library copyright"},
	},
	{
		name: "musl", files: []string{"ld-musl-*.so.1", "libc.musl-*.so.1"},
		anchors: []string{"\x001.1.", "\x001.2."}, pattern: `\x00(1\.[12]\.\d+)\x00`,
		yes: []string{"musl libc (x86_64)\nVersion %s\n\x001.2.4\x00=>1.2.4"}, no: []string{"\x001.2.4_git\x00"},
	},

	// Applications that are unpacked from an archive.
	{
		name: "wordpress", bitnami: true, files: []string{"wp-includes/version.php"},
		anchors: []string{"$wp_version = '"}, pattern: `\$wp_version = '(\d+\.\d+(?:\.\d+)?)'`,
		yes: []string{"<?php\n/**\n */\n$wp_version = '6.4.2';\n=>6.4.2"}, no: []string{"$wp_version = '6.5-beta1';"},
	},
	{
		name: "drupal", bitnami: true, files: []string{"core/lib/Drupal.php"},
		anchors: []string{"const VERSION = '"}, pattern: `const VERSION = '(\d+\.\d+\.\d+)'`,
		yes: []string{"class Drupal {\n  const VERSION = '10.1.0';\n=>10.1.0"}, no: []string{"const VERSION = '11.0-dev';"},
	},
	{
		name: "nextcloud", bitnami: true, files: []string{"version.php"},
		anchors: []string{"$OC_VersionString = '"}, pattern: `\$OC_VersionString = '(\d+\.\d+\.\d+)'`,
		yes: []string{"<?php\n$OC_Version = array(27,1,4,1);\n$OC_VersionString = '27.1.4';=>27.1.4"}, no: []string{"$OC_VersionString = '28.0.0 RC1';"},
	},
	{
		name: "moodle", bitnami: true, files: []string{"version.php"},
		anchors: []string{"$release "}, pattern: `\$release +?= '(\d+\.\d+(?:\.\d+)?)\+? \(Build`,
		yes: []string{"$release  = '4.3.2 (Build: 20231222)';=>4.3.2"}, no: []string{"$release  = 'x';"},
	},
}
