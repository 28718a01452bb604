package celext

import (
	"fmt"
	"net/netip"
	"net/url"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// The types of addresses.
var (
	URLType  = cel.ObjectType("kubernetes.URL")
	IPType   = cel.OpaqueType("net.IP")
	CIDRType = cel.OpaqueType("net.CIDR")
)

// urls are functions over URLs.
var urls = library{
	"url":            {cel.Overload("string_to_url", []*cel.Type{cel.StringType}, URLType, unary(parseURL))},
	"isURL":          {cel.Overload("is_url_string", []*cel.Type{cel.StringType}, cel.BoolType, unary(func(s string) ref.Val { _, err := url.ParseRequestURI(s); return types.Bool(err == nil) }))},
	"getScheme":      {partOfURL("scheme", func(u *url.URL) string { return u.Scheme })},
	"getHost":        {partOfURL("host", func(u *url.URL) string { return u.Host })},
	"getHostname":    {partOfURL("hostname", (*url.URL).Hostname)},
	"getPort":        {partOfURL("port", (*url.URL).Port)},
	"getEscapedPath": {partOfURL("escaped_path", (*url.URL).EscapedPath)},
	"getQuery": {cel.MemberOverload("url_get_query", []*cel.Type{URLType}, cel.MapType(cel.StringType, cel.ListType(cel.StringType)), unary(func(u *url.URL) ref.Val {
		m := map[ref.Val]ref.Val{}
		for name, list := range u.Query() {
			m[types.String(name)] = types.NewStringList(types.DefaultTypeAdapter, list)
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, m)
	}))},
}

func partOfURL(name string, part func(*url.URL) string) cel.FunctionOpt {
	return cel.MemberOverload("url_get_"+name, []*cel.Type{URLType}, cel.StringType, unary(func(u *url.URL) ref.Val { return types.String(part(u)) }))
}

// parseURL takes absolute URLs and absolute paths alone, as ParseRequestURI does, which
// however does not know fragments.
func parseURL(s string) ref.Val {
	if _, err := url.ParseRequestURI(s); err != nil {
		return types.NewErr("URL parse error during conversion from string: %v", err)
	}
	u, err := url.Parse(s)
	if err != nil {
		return types.NewErr("URL parse error during conversion from string: %v", err)
	}
	return &value{URLType, u}
}

// addresses are functions over IP addresses.
var addresses = library{
	"ip":                   {cel.Overload("string_to_ip", []*cel.Type{cel.StringType}, IPType, unary(func(s string) ref.Val { return valOf(IPType)(parseIP(s)) }))},
	"isIP":                 {cel.Overload("is_ip", []*cel.Type{cel.StringType}, cel.BoolType, unary(func(s string) ref.Val { _, err := parseIP(s); return types.Bool(err == nil) }))},
	"ip.isCanonical":       {cel.Overload("ip_is_canonical", []*cel.Type{cel.StringType}, cel.BoolType, unary(isCanonical))},
	"family":               {cel.MemberOverload("ip_family", []*cel.Type{IPType}, cel.IntType, unary(family))},
	"isUnspecified":        {traitOfIP("unspecified", netip.Addr.IsUnspecified)},
	"isLoopback":           {traitOfIP("loopback", netip.Addr.IsLoopback)},
	"isLinkLocalMulticast": {traitOfIP("link_local_multicast", netip.Addr.IsLinkLocalMulticast)},
	"isLinkLocalUnicast":   {traitOfIP("link_local_unicast", netip.Addr.IsLinkLocalUnicast)},
	"isGlobalUnicast":      {traitOfIP("global_unicast", netip.Addr.IsGlobalUnicast)},
	"string":               {cel.Overload("ip_to_string", []*cel.Type{IPType}, cel.StringType, unary(func(a netip.Addr) ref.Val { return types.String(a.String()) }))},
}

func traitOfIP(name string, is func(netip.Addr) bool) cel.FunctionOpt {
	return cel.MemberOverload("ip_is_"+name, []*cel.Type{IPType}, cel.BoolType, unary(func(a netip.Addr) ref.Val { return types.Bool(is(a)) }))
}

// valOf makes a value of what a parser gives.
func valOf(t *cel.Type) func(any, error) ref.Val {
	return func(v any, err error) ref.Val {
		if err != nil {
			return types.WrapErr(err)
		}
		return &value{t, v}
	}
}

func parseIP(s string) (any, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("IP Address %q parse error during conversion from string: %w", s, err)
	case a.Zone() != "":
		return nil, fmt.Errorf("IP address %q with zone value is not allowed", s)
	case a.Is4In6():
		return nil, fmt.Errorf("IPv4-mapped IPv6 address %q is not allowed", s)
	}
	return a, nil
}

func isCanonical(s string) ref.Val {
	a, err := parseIP(s)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(a.(netip.Addr).String() == s)
}

func family(a netip.Addr) ref.Val {
	if a.Is4() {
		return types.Int(4)
	}
	return types.Int(6)
}

// networks are functions over CIDR ranges.
var networks = library{
	"cidr":   {cel.Overload("string_to_cidr", []*cel.Type{cel.StringType}, CIDRType, unary(func(s string) ref.Val { return valOf(CIDRType)(parseCIDR(s)) }))},
	"isCIDR": {cel.Overload("is_cidr", []*cel.Type{cel.StringType}, cel.BoolType, unary(func(s string) ref.Val { _, err := parseCIDR(s); return types.Bool(err == nil) }))},
	"containsIP": {
		cel.MemberOverload("cidr_contains_ip_string", []*cel.Type{CIDRType, cel.StringType}, cel.BoolType, binary(func(p netip.Prefix, s string) ref.Val {
			a, err := parseIP(s)
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Bool(p.Contains(a.(netip.Addr)))
		})),
		cel.MemberOverload("cidr_contains_ip_ip", []*cel.Type{CIDRType, IPType}, cel.BoolType, binary(func(p netip.Prefix, a netip.Addr) ref.Val { return types.Bool(p.Contains(a)) })),
	},
	"containsCIDR": {
		cel.MemberOverload("cidr_contains_cidr_string", []*cel.Type{CIDRType, cel.StringType}, cel.BoolType, binary(func(p netip.Prefix, s string) ref.Val {
			q, err := parseCIDR(s)
			if err != nil {
				return types.WrapErr(err)
			}
			return holds(p, q.(netip.Prefix))
		})),
		cel.MemberOverload("cidr_contains_cidr", []*cel.Type{CIDRType, CIDRType}, cel.BoolType, binary(holds)),
	},
	"ip":           {cel.MemberOverload("cidr_ip", []*cel.Type{CIDRType}, IPType, unary(func(p netip.Prefix) ref.Val { return &value{IPType, p.Addr()} }))},
	"prefixLength": {cel.MemberOverload("cidr_prefix_length", []*cel.Type{CIDRType}, cel.IntType, unary(func(p netip.Prefix) ref.Val { return types.Int(p.Bits()) }))},
	"masked":       {cel.MemberOverload("cidr_masked", []*cel.Type{CIDRType}, CIDRType, unary(func(p netip.Prefix) ref.Val { return &value{CIDRType, p.Masked()} }))},
	"string":       {cel.Overload("cidr_to_string", []*cel.Type{CIDRType}, cel.StringType, unary(func(p netip.Prefix) ref.Val { return types.String(p.String()) }))},
}

func holds(outer, inner netip.Prefix) ref.Val {
	return types.Bool(outer.Overlaps(inner) && outer.Bits() <= inner.Bits())
}

func parseCIDR(s string) (any, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("network address parse error during conversion from string: %w", err)
	case p.Addr().Is4In6():
		return nil, fmt.Errorf("IPv4-mapped IPv6 address %q is not allowed", s)
	}
	return p, nil
}
