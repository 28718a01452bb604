// Package profile learns what the containers of each image do: which programs they execute, which files, destinations and
// listeners they use, which system calls they make and which capabilities these need. Later it tells what they do that
// they never did. A profile is a file of its own for each image.
package profile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/limit"
)

// Schema is the version of the format.
const Schema = "bulwark/profile/v1"

// Profile is what the containers of one image did.
type Profile struct {
	Schema string `json:"schema"`
	Image  string `json:"image,omitempty"`   // reference, as it was asked for last
	ID     string `json:"imageId,omitempty"` // digest of its configuration
	Digest string `json:"digest,omitempty"`  // digest of its manifest
	Arch   string `json:"arch,omitempty"`    // of the node: amd64, arm64

	From    time.Time `json:"from,omitzero"` // the first and the last event
	To      time.Time `json:"to,omitzero"`
	Seconds int64     `json:"seconds"` // that its containers ran for while they were watched, all together
	Starts  int       `json:"starts"`  // containers that were seen from their first program on
	Others  int       `json:"others"`  // containers that ran already when they were seen first

	// Calls and Granted tell that system calls and capabilities were seen as they were used. Else Syscalls are none, and
	// capabilities are inferred.
	Calls   bool `json:"callsSeen"`
	Granted bool `json:"capabilitiesSeen"`

	Executables  map[string]*Use         `json:"executables"`
	Files        map[string]*File        `json:"files"`  // a path, or a folder with "/" at its end: all that is below it
	Loaded       map[string]string       `json:"loaded"` // files of the image that were executed or loaded: "exec", "map", "module"
	Destinations map[string]*Destination `json:"destinations"`
	Listeners    map[string]*Listener    `json:"listeners"`
	Peers        map[string]*Peer        `json:"peers"`        // who connected to listeners
	Names        map[string]*Use         `json:"names"`        // that name servers were asked for
	Syscalls     map[string]*Use         `json:"syscalls"`     //
	Capabilities map[string]*Use         `json:"capabilities"` // CAP_CHOWN
	Users        map[string]*Use         `json:"users"`        // effective uids of programs
	Gains        map[string]*Use         `json:"gains"`        // programs that gave their caller rights that it had not
	Changes      map[string]*Use         `json:"changes"`      // what was written outside volumes: folders
	Volumes      map[string]bool         `json:"volumes"`      // where containers had mounts: true: they may write there
	Labels       map[string]string       `json:"labels,omitempty"`
	Namespace    string                  `json:"namespace,omitempty"`
	Full         map[string]int          `json:"full,omitempty"` // sets that had no room, and how much did not find any
}

// Use is the first event that showed something.
type Use struct {
	At        time.Time `json:"at"`
	Event     string    `json:"event"`
	By        string    `json:"by"` // program
	PID       int       `json:"pid"`
	UID       uint32    `json:"uid"`
	Container string    `json:"container,omitempty"`
	What      string    `json:"what,omitempty"`
}

// String tells the event in a line.
func (u *Use) String() string {
	if u == nil {
		return "no event"
	}
	s := fmt.Sprintf("%s %s by %s, pid %d, uid %d", u.At.UTC().Format("2006-01-02T15:04:05.000Z"), u.Event, u.By, u.PID, u.UID)
	if u.Container != "" {
		s += ", container " + u.Container
	}
	if u.What != "" {
		s += ": " + u.What
	}
	return s
}

// File is how a file, or what is below a folder, was used: the first event of each sort.
type File struct {
	Read  *Use `json:"read,omitempty"`
	Write *Use `json:"write,omitempty"`
	Map   *Use `json:"map,omitempty"` // as code
}

// Destination is where a container connected to.
type Destination struct {
	Use
	Proto string `json:"proto"` // tcp, udp, unix
	Net   string `json:"net"`   // address or network; of unix: the path
	Port  uint16 `json:"port,omitempty"`
	Name  string `json:"name,omitempty"` // that was asked for just before
	Pod   *Pod   `json:"pod,omitempty"`
}

// Pod is what is known of a pod of this node that has an address.
type Pod struct {
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
}

// Listener is where a container listens.
type Listener struct {
	Use
	Proto string `json:"proto"`
	Port  uint16 `json:"port"`  // 0: some port that the kernel gave
	Local bool   `json:"local"` // on the loopback interface alone
}

// Peer is who connected to a listener.
type Peer struct {
	Use
	Proto string `json:"proto"`
	Port  uint16 `json:"port"` // of the listener
	Net   string `json:"net"`
	Pod   *Pod   `json:"pod,omitempty"`
}

// What it takes until a profile is not thought thin.
const (
	EnoughTime   = time.Hour
	EnoughStarts = 2
)

// Thin says why a profile may lack what containers do, "" where it was observed for long enough.
func (p *Profile) Thin() string {
	var why []string
	if t := time.Duration(p.Seconds) * time.Second; t < EnoughTime {
		why = append(why, fmt.Sprintf("for %s (%s are wanted)", t, EnoughTime))
	}
	if p.Starts < EnoughStarts {
		why = append(why, fmt.Sprintf("over %d starts (%d are wanted)", p.Starts, EnoughStarts))
	}
	if len(why) == 0 {
		return ""
	}
	return "containers of the image were observed only " + strings.Join(why, " and ")
}

// Key names the profile of a container's image, "" where nothing is known of it.
func Key(c *bulwark.Container) string {
	switch {
	case c == nil:
		return ""
	case c.ImageID != "":
		return digest(c.ImageID)
	case c.Digest != "":
		return digest(c.Digest)
	case c.Image != "":
		return "name:" + c.Image
	}
	return ""
}

func digest(s string) string {
	if strings.Contains(s, ":") {
		return s
	}
	return "sha256:" + s
}

// Key names the profile.
func (p *Profile) Key() string {
	return Key(&bulwark.Container{ImageID: p.ID, Digest: p.Digest, Image: p.Image})
}

// FileName is the name of the file of the profile with that key: images choose their names, so those that are no digest are hashed.
func FileName(key string) string {
	hash, rest, _ := strings.Cut(key, ":")
	if _, err := hex.DecodeString(rest); hash == "sha256" && len(rest) == 64 && err == nil {
		return "sha256-" + strings.ToLower(rest) + ".json"
	}
	sum := sha256.Sum256([]byte(key))
	return "name-" + hex.EncodeToString(sum[:16]) + ".json"
}

func newProfile() *Profile {
	p := &Profile{Schema: Schema}
	p.settle()
	return p
}

// settle makes the sets that a file left out.
func (p *Profile) settle() {
	made(&p.Executables)
	made(&p.Files)
	made(&p.Loaded)
	made(&p.Destinations)
	made(&p.Listeners)
	made(&p.Peers)
	made(&p.Names)
	made(&p.Syscalls)
	made(&p.Capabilities)
	made(&p.Users)
	made(&p.Gains)
	made(&p.Changes)
	made(&p.Volumes)
	made(&p.Full)
}

func made[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
	for k, v := range *m { // null in a file
		if any(v) == any((*Use)(nil)) || any(v) == any((*File)(nil)) || any(v) == any((*Destination)(nil)) || any(v) == any((*Listener)(nil)) || any(v) == any((*Peer)(nil)) {
			delete(*m, k)
		}
	}
}

// largest is the most that a file may have.
const largest = 32 << 20

// Parse reads a profile. The error wraps ErrMalformed, ErrLimit, or ErrUnsupported where the format is another one.
func Parse(r io.Reader, name string) (*Profile, error) {
	data, err := limit.ReadAll(r, largest, name)
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("%s is no profile of the format %s but %.40q: %w", name, Schema, head.Schema, bulwark.ErrUnsupported)
	}
	p := &Profile{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, bulwark.ErrMalformed, err)
	}
	p.settle()
	return p, nil
}

// Read reads a profile from a file.
func Read(file string) (*Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Parse(f, file)
}

// Folder reads the profiles of a folder, by their keys. Files that are none are told by note.
func Folder(dir string, note func(file string, err error)) (map[string]*Profile, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := map[string]*Profile{}
	for _, entry := range list {
		if !entry.Type().IsRegular() || filepath.Ext(entry.Name()) != ".json" {
			continue
		}
		if len(all) >= mostProfiles {
			note(dir, fmt.Errorf("it holds more than %d profiles: %w", mostProfiles, bulwark.ErrLimit))
			break
		}
		p, err := Read(filepath.Join(dir, entry.Name()))
		if err != nil {
			note(entry.Name(), err)
			continue
		}
		all[p.Key()] = p
	}
	return all, nil
}

// write puts the text of a profile in the place of what its file had; a reader never sees half of it. It has what processes
// were given as arguments, and so is for its owner alone.
func write(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, ".profile-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
