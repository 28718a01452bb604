package engine

import "strings"

// version is the part of an engine's answer that matters.
type version struct {
	Version    string
	APIVersion string `json:"ApiVersion"`
	Kernel     string `json:"KernelVersion"`
	Components []struct{ Name, Version string }
}

func (v *version) podman() bool {
	for _, c := range v.Components {
		if strings.HasPrefix(c.Name, "Podman") {
			return true
		}
	}
	return false
}

// info are the settings of a daemon.
type info struct {
	Driver             string
	LoggingDriver      string
	CgroupVersion      string
	CgroupDriver       string
	LiveRestoreEnabled bool
	ExperimentalBuild  bool
	SecurityOptions    []string
	DefaultRuntime     string
	OperatingSystem    string
	Warnings           []string
	Plugins            struct{ Authorization []string }
	RegistryConfig     struct {
		InsecureRegistryCIDRs []string
		IndexConfigs          map[string]struct{ Secure bool }
	}
	Swarm struct{ LocalNodeState string }
}

// option tells whether a daemon has a security option: "name=seccomp,profile=builtin".
func (i *info) option(name string) (value string, ok bool) {
	for _, o := range i.SecurityOptions {
		if o == name || o == "name="+name {
			return "", true
		}
		if rest, found := strings.CutPrefix(o, "name="+name+","); found {
			return rest, true
		}
	}
	return "", false
}

// network is the default one, docker0.
type network struct{ Options map[string]string }

// container is what an engine tells of one.
type container struct {
	ID              string `json:"Id"`
	Name            string
	Image           string
	AppArmorProfile string
	Path            string
	Args            []string
	Mounts          []mount
	Config          struct {
		User        string
		Env         []string
		Image       string
		Labels      map[string]string
		Healthcheck *struct{ Test []string }
	}
	HostConfig struct {
		Privileged, ReadonlyRootfs, PublishAllPorts, OomKillDisable bool
		CapAdd, CapDrop, SecurityOpt, GroupAdd                      []string
		PidMode, IpcMode, NetworkMode, UTSMode, UsernsMode          string
		CgroupnsMode, CgroupParent, Runtime                         string
		Memory, NanoCpus, CPUQuota, CPUShares                       int64
		PidsLimit                                                   *int64
		Devices                                                     []struct{ PathOnHost, CgroupPermissions string }
		DeviceCgroupRules                                           []string
		PortBindings                                                map[string][]struct{ HostIP, HostPort string }
		RestartPolicy                                               struct {
			Name              string
			MaximumRetryCount int
		}
		Ulimits []struct {
			Name       string
			Soft, Hard int64
		}
		Sysctls     map[string]string
		MaskedPaths *[]string
		LogConfig   struct{ Type string }
	}
	NetworkSettings struct {
		Ports map[string][]struct{ HostIP, HostPort string }
	}
}

type mount struct {
	Type, Source, Destination, Propagation string
	RW                                     bool
}
