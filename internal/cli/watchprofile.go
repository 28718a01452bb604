package cli

import (
	"fmt"
	goruntime "runtime"
	"time"

	"github.com/spf13/pflag"

	"bulwark"
	"bulwark/detect/profile"
	"bulwark/source/kernel/calls"
)

// profiling says whether profiles of images are learned, or held.
type profiling struct {
	learn    string
	hold     string
	learnFor time.Duration
	starts   int
	detector *profile.Detector
}

func (p *profiling) flags(f *pflag.FlagSet) {
	f.StringVar(&p.learn, "learn", "", "learn what containers do: a profile of each image in `FOLDER` (bulwark profile export makes seccomp profiles and more of one)")
	f.StringVar(&p.hold, "profiles", "", "tell what containers do that the profiles in `FOLDER` do not have")
	f.DurationVar(&p.learnFor, "learn-for", 0, "with --learn: an image is learned when its containers ran for this `duration`; then deviations are told")
	f.IntVar(&p.starts, "learn-starts", 0, "with --learn: an image is learned when its containers were started `N` times, and ran for --learn-for")
}

func (p *profiling) on() bool { return p.learn != "" || p.hold != "" }

func (p *profiling) settle() error {
	switch {
	case p.learn != "" && p.hold != "":
		return usage("--learn and --profiles: --learn FOLDER --learn-for DURATION both learns and tells deviations")
	case p.learn == "" && (p.learnFor != 0 || p.starts != 0):
		return usage("--learn-for and --learn-starts say when --learn ends: name its FOLDER")
	case p.learnFor < 0 || p.starts < 0:
		return usage("--learn-for and --learn-starts are not negative")
	}
	return nil
}

// add makes the detector, where it is wanted.
func (w *watching) profiles(list []bulwark.Detector) ([]bulwark.Detector, error) {
	p := &w.profiling
	if !p.on() {
		return list, nil
	}
	folder := p.learn
	if folder == "" {
		folder = p.hold
	}
	o := profile.Options{Folder: folder, Learn: p.learn != "", For: p.learnFor, Starts: p.starts, Arch: goruntime.GOARCH, Note: func(n bulwark.Note) {
		text := n.Text
		if n.Path != "" {
			text = n.Path + ": " + text
		}
		w.say("note: %s: %s", n.Plugin, text)
	}}
	if w.replay == "" {
		for _, a := range calls.New().Abilities() {
			o.Granted = a.Why == "" // of the last one, which is about capabilities
		}
	}
	d, err := profile.New(o)
	if err != nil {
		flag := "--learn"
		if p.learn == "" {
			flag = "--profiles"
		}
		return nil, &exit{code: exitUsage, err: fmt.Errorf("%s: %w", flag, err), hint: "profiles are made by bulwark watch --learn FOLDER"}
	}
	p.detector = d
	return append(list, d), nil
}

// close writes what was learned.
func (w *watching) closeProfiles() error {
	p := &w.profiling
	if p.detector == nil || p.learn == "" {
		return nil
	}
	err := p.detector.Close()
	all, thin := p.detector.Learned()
	if err == nil {
		w.say("%s in %s, %d of them of images that were observed for too short a time to know all", count(all, "profile"), p.learn, thin)
	}
	return err
}
