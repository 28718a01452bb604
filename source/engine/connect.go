package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/source/internal/engineapi"
)

// errNoSocket says that an engine is not there at all.
var errNoSocket error = noSocket("it has no socket")

type noSocket string

func (n noSocket) Error() string { return string(n) }
func (n noSocket) Is(t error) bool {
	_, same := t.(noSocket)
	return same || t == bulwark.ErrUnavailable
}

// hosts are the addresses at which an engine may be.
func (s *Source) hosts(kind string) ([]string, error) {
	if s.Sockets != nil {
		if len(s.Sockets[kind]) == 0 {
			return nil, errNoSocket
		}
		return s.Sockets[kind], nil
	}
	env, usual := "DOCKER_HOST", dockerSockets()
	if kind == "podman" {
		env, usual = "CONTAINER_HOST", podmanSockets()
	}
	if h := os.Getenv(env); h != "" {
		return []string{h}, nil
	}
	var list []string
	for _, path := range usual {
		if st, err := os.Stat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
			list = append(list, "unix://"+path)
		} else if errors.Is(err, os.ErrPermission) {
			list = append(list, "unix://"+path) // dialling it says so
		}
	}
	if len(list) == 0 {
		return nil, noSocket(fmt.Sprintf("%s: no socket at %s, and %s is not set", kind, strings.Join(usual, ", "), env))
	}
	return list, nil
}

func dockerSockets() []string {
	list := []string{engineapi.UsualDocker}
	if dir := runtimeDir(); dir != "" {
		list = append(list, filepath.Join(dir, "docker.sock")) // rootless
	}
	return list
}

func podmanSockets() []string {
	list := []string{"/run/podman/podman.sock"}
	if dir := runtimeDir(); dir != "" {
		list = append(list, filepath.Join(dir, "podman/podman.sock"))
	}
	return list
}

func runtimeDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return dir
	}
	if uid := os.Getuid(); uid > 0 {
		return "/run/user/" + strconv.Itoa(uid)
	}
	return ""
}
