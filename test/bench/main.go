// Command bench measures what docs/benchmarks.md tells: Bulwark against the floor of
// the same run (inflate, tar walk and SHA-256 and nothing else), and against trivy, syft, gitleaks
// and yara when they are on PATH. Every figure is a whole process's, medians of alternating runs.
//
// usage: bench -images DIR -data DIR [-bulwark FILE] [-n RUNS]
//
// DIR of images has big.oci and big.tar; DIR of data has osv, kev.json, epss*.csv.gz, eol.json.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	jobs := map[string]func(...string) error{ // what a process of its own does, to be measured
		"floor":     func(args ...string) error { return floorOfLayout(args[0]) },
		"plain":     func(args ...string) error { return floorOfArchive(args[0]) },
		"questions": func(args ...string) error { return writeQuestions(args[0], args[1], args[2]) },
		"match":     func(args ...string) error { return matching(args[0], args[1]) },
		"secrets":   func(args ...string) error { return secrets(args[0]) },
		"line":      func(...string) error { return line() },
		"rules":     func(args ...string) error { return yaraRules(args[0], args[1]) },
		"manifests": func(args ...string) error { return manifests(args[0]) },
		"objects":   func(args ...string) error { return objects(args[0]) },
		"paths":     func(args ...string) error { return paths(args[0]) },
		"policies":  func(args ...string) error { return policies(args[0], args[1]) },
		"reaching":  func(args ...string) error { return reaching(args[0]) },
		"judging":   func(args ...string) error { return judging(args[0]) },
		"calls":     func(args ...string) error { return calls(args[0]) },
		"crowd":     func(args ...string) error { return crowd(args[0], args[1]) },
		"watching":  func(args ...string) error { return watching(args[0], args[1], args[2]) },
		"detecting": func(args ...string) error { return detecting(args[0]) },
		"harms":     func(...string) error { return harms() },
		"nothing":   func(...string) error { return nil },
		"ruling":    func(args ...string) error { return ruling(args[0], args[1]) },
		"storm":     func(...string) error { return storm() },
		"yara":      func(args ...string) error { return yaraScan(args[0], args[1]) },
	}
	if len(os.Args) > 1 && jobs[os.Args[1]] != nil {
		exitOn(jobs[os.Args[1]](append(os.Args[2:], "", "")...))
		return
	}
	var b bench
	flag.StringVar(&b.images, "images", "", "folder with big.oci and big.tar")
	flag.StringVar(&b.data, "data", "", "folder with osv, kev.json, epss*.csv.gz, eol.json")
	flag.StringVar(&b.bulwark, "bulwark", "bin/bulwark", "the program to measure")
	flag.IntVar(&b.runs, "n", 5, "counted runs of each command")
	flag.Parse()
	exitOn(b.run())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
