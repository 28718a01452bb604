package exposure

import "testing"

func FuzzMayTurnOff(f *testing.F) {
	for _, s := range []string{"sslmode=disable", "a=b&tls=false", "SSL=0", "trustServerCertificate=true;", "ssl_cert_reqs=none", "=", "x=", "encrypt=no"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i := range len(s) {
			if s[i] >= 0x80 {
				return // letters fold in more ways there
			}
		}
		if noTLS.MatchString(s) && !mayTurnOff(s) {
			t.Errorf("%q is passed over", s)
		}
	})
}
