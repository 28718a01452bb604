package license

import "strings"

// ids maps an id in lower case to its spelling: those of the SPDX list that packages
// really carry. Deprecated spellings stand for what they mean.
var ids = func() map[string]string {
	m := map[string]string{
		"gpl-1.0": "GPL-1.0-only", "gpl-1.0+": "GPL-1.0-or-later",
		"gpl-2.0": "GPL-2.0-only", "gpl-2.0+": "GPL-2.0-or-later",
		"gpl-3.0": "GPL-3.0-only", "gpl-3.0+": "GPL-3.0-or-later",
		"lgpl-2.0": "LGPL-2.0-only", "lgpl-2.0+": "LGPL-2.0-or-later",
		"lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later",
		"lgpl-3.0": "LGPL-3.0-only", "lgpl-3.0+": "LGPL-3.0-or-later",
		"agpl-3.0": "AGPL-3.0-only", "agpl-3.0+": "AGPL-3.0-or-later",
		"bsd-2-clause-freebsd": "BSD-2-Clause",
	}
	for _, id := range strings.Fields(`
		0BSD AAL AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 AGPL-1.0-only AGPL-1.0-or-later AGPL-3.0-only AGPL-3.0-or-later
		Apache-1.0 Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0 Artistic-1.0-cl8 Artistic-1.0-Perl Artistic-2.0
		Beerware BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause
		BSD-3-Clause-Attribution BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-4-Clause BSD-4-Clause-UC BSD-Source-Code
		BSL-1.0 BUSL-1.1 bzip2-1.0.6 CAL-1.0 CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-4.0 CC-BY-ND-4.0
		CC-BY-NC-SA-4.0 CC-BY-SA-2.0 CC-BY-SA-2.5 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-PDDC CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.0 CECILL-2.1
		CECILL-B CECILL-C ClArtistic CNRI-Python CPAL-1.0 CPL-1.0 curl ECL-2.0 EFL-2.0 EPL-1.0 EPL-2.0 EUPL-1.0 EUPL-1.1 EUPL-1.2
		Fair FSFAP FSFUL FSFULLR FTL GFDL-1.1-only GFDL-1.1-or-later GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only
		GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later
		HPND HPND-sell-variant ICU IJG ImageMagick Info-ZIP IPA IPL-1.0 ISC JSON LGPL-2.0-only LGPL-2.0-or-later
		LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later LGPLLR Libpng libpng-2.0 libtiff LPL-1.02 LPPL-1.3c
		MirOS MIT MIT-0 MIT-advertising MIT-CMU MIT-feh MIT-Modern-Variant MITNFA MPL-1.0 MPL-1.1 MPL-2.0
		MPL-2.0-no-copyleft-exception MS-PL MS-RL MulanPSL-2.0 NAIST-2003 NCSA Net-SNMP NetCDF NIST-PD NPL-1.1 NTP OFL-1.0 OFL-1.1
		OLDAP-2.8 OpenSSL OSL-1.0 OSL-2.0 OSL-2.1 OSL-3.0 PDDL-1.0 PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1
		QPL-1.0 Ruby SAX-PD SGI-B-2.0 SISSL Sleepycat SMLNJ SSPL-1.0 TCL Unicode-3.0 Unicode-DFS-2015 Unicode-DFS-2016 Unlicense UPL-1.0
		Vim W3C W3C-19980720 W3C-20150513 WTFPL X11 Xnet XFree86-1.1 YPL-1.1 Zend-2.0 Zlib zlib-acknowledgement ZPL-2.0 ZPL-2.1`) {
		m[strings.ToLower(id)] = id
	}
	return m
}()

// names are keyed as func name leaves them. A family without its version stays as it is
// written: "BSD" and "GPL" are no ids.
var names = map[string]string{
	"apache": "Apache-2.0", "apache 2": "Apache-2.0", "apache2": "Apache-2.0", "apache2.0": "Apache-2.0", "apache 2.0.": "Apache-2.0", "apl2": "Apache-2.0", "apl 2": "Apache-2.0", "al 2": "Apache-2.0", "asl 2": "Apache-2.0",
	"apache foundation 2": "Apache-2.0", "apache public 2": "Apache-2.0", "asf 2": "Apache-2.0", "apache 1.1": "Apache-1.1",
	"mit": "MIT", "mit x11": "MIT", "mit mit": "MIT", "mit/x11": "MIT", "expat": "MIT", "expat mit": "MIT", "mit expat": "MIT",
	"bsd 2 clause": "BSD-2-Clause", "2 clause bsd": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause", "bsd 2": "BSD-2-Clause", "freebsd": "BSD-2-Clause", "bsd 2 clause simplified": "BSD-2-Clause",
	"bsd 3 clause": "BSD-3-Clause", "3 clause bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "modified bsd": "BSD-3-Clause", "revised bsd": "BSD-3-Clause", "bsd 3": "BSD-3-Clause", "bsd new": "BSD-3-Clause",
	"bsd 3 clause new or revised": "BSD-3-Clause", "eclipse distribution 1": "BSD-3-Clause", "edl 1": "BSD-3-Clause",
	"isc": "ISC", "isc iscl": "ISC", "iscl": "ISC", "zlib/libpng": "Zlib", "unlicense unlicense": "Unlicense", "unlicense": "Unlicense",
	"mozilla public 2": "MPL-2.0", "mozilla public 2 mpl 2": "MPL-2.0", "mpl 2": "MPL-2.0", "mpl2": "MPL-2.0", "mozilla public 1.1": "MPL-1.1", "mozilla public 1.1 mpl 1.1": "MPL-1.1", "mpl 1.1": "MPL-1.1",
	"eclipse public 1": "EPL-1.0", "eclipse public 2": "EPL-2.0", "epl 1": "EPL-1.0", "epl 2": "EPL-2.0", "common public 1": "CPL-1.0",
	"gpl 2": "GPL-2.0-only", "gplv2": "GPL-2.0-only", "gpl2": "GPL-2.0-only", "gnu gpl 2": "GPL-2.0-only", "gnu general public 2": "GPL-2.0-only", "gnu general public 2 gplv2": "GPL-2.0-only",
	"lgplv2+": "LGPL-2.0-or-later", "lgpl 2+": "LGPL-2.0-or-later", "lgplv2.1+": "LGPL-2.1-or-later", "gplv2+": "GPL-2.0-or-later", "gpl 2+": "GPL-2.0-or-later", "gpl2+": "GPL-2.0-or-later", "gnu general public 2 or later gplv2+": "GPL-2.0-or-later", "gpl 2 or later": "GPL-2.0-or-later",
	"gpl 3": "GPL-3.0-only", "gplv3": "GPL-3.0-only", "gpl3": "GPL-3.0-only", "gnu gpl 3": "GPL-3.0-only", "gnu general public 3": "GPL-3.0-only", "gnu general public 3 gplv3": "GPL-3.0-only",
	"gplv3+": "GPL-3.0-or-later", "gpl 3+": "GPL-3.0-or-later", "gpl3+": "GPL-3.0-or-later", "gnu general public 3 or later gplv3+": "GPL-3.0-or-later", "gpl 3 or later": "GPL-3.0-or-later",
	"lgpl 2.1": "LGPL-2.1-only", "lgplv2.1": "LGPL-2.1-only", "gnu lesser general public 2.1": "LGPL-2.1-only", "lgpl 2.1 or later": "LGPL-2.1-or-later", "lgpl 2.1+": "LGPL-2.1-or-later",
	"gnu lesser general public 2 lgplv2": "LGPL-2.0-only", "gnu lesser general public 2 or later lgplv2+": "LGPL-2.0-or-later",
	"lgpl 3": "LGPL-3.0-only", "lgplv3": "LGPL-3.0-only", "gnu lesser general public 3": "LGPL-3.0-only", "gnu lesser general public 3 lgplv3": "LGPL-3.0-only",
	"lgplv3+": "LGPL-3.0-or-later", "lgpl 3 or later": "LGPL-3.0-or-later", "gnu lesser general public 3 or later lgplv3+": "LGPL-3.0-or-later",
	"agpl 3": "AGPL-3.0-only", "agplv3": "AGPL-3.0-only", "gnu affero general public 3": "AGPL-3.0-only", "gnu affero general public 3 or later agplv3+": "AGPL-3.0-or-later",
	"cddl 1": "CDDL-1.0", "cddl 1.1": "CDDL-1.1", "common development and distribution 1": "CDDL-1.0", "common development and distribution cddl 1": "CDDL-1.0",
	"python foundation": "PSF-2.0", "psf": "PSF-2.0", "psfl": "PSF-2.0", "psf 2": "PSF-2.0", "psf2": "PSF-2.0", "python 2": "Python-2.0",
	"boost": "BSL-1.0", "boost 1": "BSL-1.0", "boost 1 bsl 1": "BSL-1.0", "zope public": "ZPL-2.1", "zpl": "ZPL-2.1", "zpl 2.1": "ZPL-2.1", "wtfpl": "WTFPL", "do what the fuck you want to public": "WTFPL",
	"cc0": "CC0-1.0", "cc0 1": "CC0-1.0", "cc0 1 universal": "CC0-1.0", "cc0 1 universal cc0 1 public domain dedication": "CC0-1.0", "creative commons zero": "CC0-1.0", "artistic 2": "Artistic-2.0", "perl 5": "Artistic-1.0-Perl OR GPL-1.0-or-later", "perl 5 5": "Artistic-1.0-Perl OR GPL-1.0-or-later",
	"mit no attribution mit 0": "MIT-0", "european union public 1.2 eupl 1.2": "EUPL-1.2", "university of illinois/ncsa open source": "NCSA", "historical permission notice and disclaimer hpnd": "HPND",
	"bouncy castle": "MIT", "universal permissive 1": "UPL-1.0", "go": "BSD-3-Clause", "w3c": "W3C", "ruby": "Ruby", "ruby's": "Ruby",
}

// addresses are without scheme, "www." and the usual endings.
var addresses = map[string]string{
	"apache.org/licenses/license-2.0": "Apache-2.0", "opensource.org/licenses/apache-2.0": "Apache-2.0", "opensource.org/licenses/apache2.0": "Apache-2.0", "apache.org/licenses": "Apache-2.0",
	"apache.org/licenses/license-1.1": "Apache-1.1",
	"opensource.org/licenses/mit":     "MIT", "opensource.org/licenses/mit-license": "MIT", "opensource.org/license/mit": "MIT", "slf4j.org/license": "MIT", "mit-license.org": "MIT", "bouncycastle.org/licence": "MIT",
	"opensource.org/licenses/bsd-2-clause": "BSD-2-Clause", "opensource.org/licenses/bsd-3-clause": "BSD-3-Clause", "opensource.org/licenses/bsd-license": "BSD-2-Clause",
	"asm.ow2.org/license": "BSD-3-Clause", "asm.ow2.io/license": "BSD-3-Clause", "eclipse.org/org/documents/edl-v10": "BSD-3-Clause",
	"opensource.org/licenses/isc": "ISC", "opensource.org/licenses/mpl-2.0": "MPL-2.0", "mozilla.org/mpl/2.0": "MPL-2.0", "mozilla.org/en-us/mpl/2.0": "MPL-2.0", "mozilla.org/mpl/2.0/index": "MPL-2.0", "mozilla.org/mpl/mpl-1.1": "MPL-1.1",
	"eclipse.org/legal/epl-v10": "EPL-1.0", "eclipse.org/legal/epl-v20": "EPL-2.0", "eclipse.org/legal/epl-2.0": "EPL-2.0", "eclipse.org/org/documents/epl-2.0/epl-2.0": "EPL-2.0", "opensource.org/licenses/eclipse-1.0": "EPL-1.0", "eclipse.org/org/documents/epl-v10": "EPL-1.0",
	"gnu.org/licenses/gpl-2.0": "GPL-2.0-only", "gnu.org/licenses/gpl-3.0": "GPL-3.0-only", "gnu.org/licenses/lgpl-2.1": "LGPL-2.1-only", "gnu.org/licenses/old-licenses/lgpl-2.1": "LGPL-2.1-only", "gnu.org/licenses/lgpl-3.0": "LGPL-3.0-only", "gnu.org/licenses/old-licenses/gpl-2.0": "GPL-2.0-only",
	"creativecommons.org/publicdomain/zero/1.0": "CC0-1.0", "repository.jboss.org/licenses/apache-2.0": "Apache-2.0", "oss.oracle.com/licenses/upl-1.0": "UPL-1.0",
	"oss.oracle.com/licenses/cddl+gpl-1.1": "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0", "glassfish.dev.java.net/public/cddl+gpl_1_1": "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
	"licenses.nuget.org/mit": "MIT", "licenses.nuget.org/apache-2.0": "Apache-2.0", "unlicense.org": "Unlicense", "wtfpl.net": "WTFPL", "json.org/license": "JSON",
}
