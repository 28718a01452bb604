package osrelease

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func file(p string, content []byte) *bulwark.File {
	f := &bulwark.File{FileInfo: bulwark.FileInfo{Size: int64(len(content))}, ReaderAt: bytes.NewReader(content)}
	f.SetPath(p)
	return f
}

func TestExtract(t *testing.T) {
	tests := map[string]struct {
		path, text string
		want       *bulwark.Release
	}{
		"debian": {"etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
			&bulwark.Release{ID: "debian", VersionID: "12", Codename: "bookworm", Name: "Debian GNU/Linux 12 (bookworm)"}},
		"debian 8": {"etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 8 (jessie)\"\nVERSION=\"8 (jessie)\"\nVERSION_ID=\"8\"\nID=debian\n",
			&bulwark.Release{ID: "debian", VersionID: "8", Codename: "jessie", Name: "Debian GNU/Linux 8 (jessie)"}},
		"rhel": {"etc/os-release", "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\nCPE_NAME=\"cpe:/o:redhat:enterprise_linux:9::baseos\"\n",
			&bulwark.Release{ID: "rhel", IDLike: "fedora", VersionID: "9.4", Name: "Red Hat Enterprise Linux", CPE: "cpe:/o:redhat:enterprise_linux:9::baseos"}},
		"alpine, usr/lib": {"usr/lib/os-release", "NAME='Alpine Linux'\nID=alpine\r\nVERSION_ID=3.19.1\n# ID=other\nPRETTY_NAME=\"Alpine \\\"Linux\\\" v3.19\"",
			&bulwark.Release{ID: "alpine", VersionID: "3.19.1", Name: `Alpine "Linux" v3.19`}},
		"hostile":          {"etc/os-release", "ID=\"de bian\"\nVERSION_ID=\x1b[31m12\nPRETTY_NAME=\"a\x1b[2Jb\"", &bulwark.Release{VersionID: "[31m12", Name: "a[2Jb"}},
		"nothing":          {"etc/os-release", "# empty\n", nil},
		"debian_version":   {"etc/debian_version", "12.5\n", &bulwark.Release{Point: "12.5"}},
		"testing":          {"etc/debian_version", "trixie/sid\n", nil},
		"alpine-release":   {"etc/alpine-release", "3.19.1\n", &bulwark.Release{ID: "alpine", VersionID: "3.19.1"}},
		"centos 7":         {"etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n", &bulwark.Release{ID: "centos", VersionID: "7", Point: "7.9.2009", Name: "CentOS Linux release 7.9.2009 (Core)"}},
		"oracle":           {"etc/oracle-release", "Oracle Linux Server release 8.9\n", &bulwark.Release{ID: "ol", VersionID: "8.9", Name: "Oracle Linux Server release 8.9"}},
		"amazon":           {"etc/system-release", "Amazon Linux release 2023.3.20240108 (Amazon Linux)\n", &bulwark.Release{ID: "amzn", VersionID: "2023.3.20240108", Name: "Amazon Linux release 2023.3.20240108 (Amazon Linux)"}},
		"unknown relative": {"etc/redhat-release", "Something release 3\n", nil},
		"ubuntu, lsb": {"etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.3 LTS\"\n",
			&bulwark.Release{ID: "ubuntu", VersionID: "22.04", Codename: "jammy", Name: "Ubuntu 22.04.3 LTS"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := file(tt.path, []byte(tt.text))
			if !New().Wants(&f.FileInfo) {
				t.Error("Wants refuses it")
			}
			facts, err := New().Extract(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, facts.Release); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWantsNothingElse(t *testing.T) {
	for _, p := range []string{"os-release", "srv/etc/os-release", "etc/issue"} {
		f := file(p, []byte("ID=x"))
		if New().Wants(&f.FileInfo) {
			t.Errorf("Wants takes %s", p)
		}
	}
}

func FuzzExtract(f *testing.F) {
	paths := []string{"etc/os-release", "etc/debian_version", "etc/alpine-release", "etc/redhat-release", "etc/lsb-release"}
	f.Add([]byte("ID=debian\nVERSION_ID=\"12\"\nNAME='x\\'"), uint8(0))
	f.Add([]byte("CentOS release 7.9 (x)"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		facts, _ := New().Extract(t.Context(), file(paths[int(kind)%len(paths)], data))
		r := facts.Release
		if r == nil {
			return
		}
		if all := r.ID + r.IDLike + r.VersionID + r.Codename + r.Name + r.Point + r.CPE; strings.ContainsFunc(all, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			t.Errorf("control characters in %+v", r)
		}
	})
}
