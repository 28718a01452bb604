package outdated

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"bulwark"
)

// requestTimeout bounds one request with its answer.
const requestTimeout = 60 * time.Second

// guarded is a client for addresses that an image names. It looks at the address that a
// connection is really made to, after names are resolved and for every redirect, and
// refuses those that are not public: an image must not make the scanner ask
// services of the network that it runs in. It uses no proxy, because behind one it
// could not know the address.
func guarded() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: refusePrivate}
	return &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			DisableCompression:  true, // indexes are compressed as they are, and their digests cover that
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second,
			MaxIdleConnsPerHost: workers, IdleConnTimeout: 10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return fmt.Errorf("more than 5 redirects: %w", bulwark.ErrLimit)
			}
			return nil
		},
	}
}

// refusePrivate is a [net.Dialer]'s Control: address is the resolved one.
func refusePrivate(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, bulwark.ErrUntrusted)
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%s is not a public address, and the image named it: %w", at.Addr(), bulwark.ErrUntrusted)
	}
	return nil
}

// reserved are blocks that are not public beside those net/netip knows: "this" network,
// carrier NAT, protocol assignments, documentation, benchmarks, reserved, and the
// IPv6 forms that carry an IPv4 address.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
