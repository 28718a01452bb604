package all

import (
	"bulwark"
	"bulwark/detect/abuse"
	"bulwark/detect/access"
	"bulwark/detect/drift"
	"bulwark/detect/escape"
	"bulwark/detect/kubernetes"
	"bulwark/detect/miner"
	"bulwark/detect/network"
	"bulwark/detect/persist"
	"bulwark/detect/shell"
	"bulwark/detect/usage"
)

// Detecting is what detectors may be told.
type Detecting struct {
	Sensitive []access.Sensitive // what users declared to be sensitive
	Miner     miner.Options
	Network   network.Options
}

// Detectors look at what runs. They remember what they saw: each run has its own.
func Detectors(o Detecting) []bulwark.Detector {
	return []bulwark.Detector{
		abuse.New(), access.New(access.Options{Sensitive: o.Sensitive}), drift.New(), escape.New(), kubernetes.New(),
		miner.New(o.Miner), network.New(o.Network), persist.New(), shell.New(), usage.New(),
	}
}
