package network

import (
	"math"
	"strings"
)

// innerName tells whether a name is of the cluster, the network or an address.
func innerName(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, end := range []string{".arpa", ".local", ".internal", ".svc", ".lan", ".home", ".localdomain", ".consul"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return !strings.Contains(name, ".")
}

// domainOf is what somebody registered of a name, as far as a rule of thumb tells.
func domainOf(name string) string {
	labels := strings.Split(name, ".")
	n := 2
	if len(labels) > 2 && len(labels[len(labels)-1]) == 2 && len(labels[len(labels)-2]) <= 3 {
		n = 3 // co.uk
	}
	return strings.Join(labels[max(0, len(labels)-n):], ".")
}

// reputation are domains that answer what is known of a hash or an address, which is part of the name.
var reputation = map[string]bool{
	"sophosxl.net": true, "mcafee.com": true, "cymru.com": true, "spamhaus.org": true, "surbl.org": true, "uribl.com": true, "spamhaus.net": true, "barracudacentral.org": true,
	"fortinet.net": true, "rspamd.com": true, "abuseat.org": true, "sorbs.net": true, "spamcop.net": true, "team-cymru.com": true, "webroot.com": true, "trendmicro.com": true,
}

// tunnelName tells whether a name looks like one that carries bytes.
func tunnelName(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if innerName(name) || reputation[domainOf(name)] {
		return false
	}
	sub := strings.TrimSuffix(name, domainOf(name))
	if len(sub) < tunnelLength {
		return false
	}
	longest := ""
	for label := range strings.SplitSeq(sub, ".") {
		if len(label) > len(longest) {
			longest = label
		}
	}
	return len(longest) >= 16 && entropy(longest) >= tunnelBits && (strings.ContainsAny(longest, "0123456789") || len(sub) > 60)
}

// entropy is how many bits a letter of a text carries.
func entropy(s string) (bits float64) {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
