package action

import (
	"net/netip"

	"bulwark"
)

// Metadata are the addresses of clouds' metadata services.
var Metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.169.254/32"), netip.MustParsePrefix("169.254.170.2/32"), netip.MustParsePrefix("169.254.170.23/32"), netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("192.0.0.192/32"),
}

// Temporary are folders that programs are not installed in.
var Temporary = []string{"/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp", "/run", "/var/run"}

// Deeds are what rules that are built in can be denied by.
func Deeds() map[string]bulwark.Block {
	var metadata []bulwark.Destination
	for _, p := range Metadata {
		metadata = append(metadata, bulwark.Destination{Net: p})
	}
	return map[string]bulwark.Block{
		"drift/new-program":       {Deed: bulwark.DeedExecDrift},
		"drift/memory-program":    {Deed: bulwark.DeedExecMemory},
		"drift/deleted-program":   {Deed: bulwark.DeedExecMemory},
		"drift/temporary-program": {Deed: bulwark.DeedExecBelow, Below: Temporary},
		"miner/stratum":           {Deed: bulwark.DeedMine},
		"network/metadata":        {Deed: bulwark.DeedConnect, Nets: metadata},
	}
}

// hooks are the abilities any of which a deed needs.
var hooks = map[bulwark.Deed][]string{
	bulwark.DeedExecDrift:  {"deny exec-drift", "kill exec-drift"},
	bulwark.DeedExecBelow:  {"deny exec-below"},
	bulwark.DeedExecMemory: {"kill exec-memory", "deny exec-memory"},
	bulwark.DeedConnect:    {"deny connect"},
	bulwark.DeedMine:       {"cut mine"},
}

// unable says why none of the abilities with these names is there; "": one is.
func unable(list []bulwark.Ability, names ...string) string {
	why := "nothing here does that"
	for i := len(list) - 1; i >= 0; i-- {
		for _, n := range names {
			if list[i].Name == n && list[i].Why == "" {
				return ""
			}
			if list[i].Name == n {
				why = list[i].Why
			}
		}
	}
	return why
}
