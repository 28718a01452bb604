package kernels

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"bulwark/internal/need"
)

// packages are those whose tests ask the kernel, with the tests that are run: those that load each program and see one of
// each thing happen. All of them would take the machines, which are slow, too long. Others are run where the architecture is
// not the machine's own, which runs them itself otherwise.
var packages = []struct{ dir, tests, others string }{
	{"source/kernel", "TestOneOfEachKind|TestGlance|TestOpenTellsWhatWasOpened|TestProcessIsAsProcSays|TestProcessesAreListed|TestProgramsOfEveryKind",
		"TestFilterDropsNothingThatIsWanted|TestTracepointsOfOtherNames|TestConnectionsHaveTheirEnds|TestLayers"},
	{"source/kernel/calls", "TestLive", "TestNames"},
	{"source/kernel/guard", "TestAbilities|TestConnect|TestMine|TestExecMemory", "TestAllowList"},
}

// most bounds the machines, which run beside each other.
const most = 225 * time.Second

// machine is a kind of them, none with hardware support.
type machine struct {
	arch    string // as Go and Debian call it
	qemu    string
	args    []string
	console string
}

// Pointers are signed by a quick function: the one of the standard takes a machine without hardware support most of its time.
var machines = []machine{
	{"amd64", "qemu-system-x86_64", []string{"-cpu", "max"}, "ttyS0"},
	{"arm64", "qemu-system-aarch64", []string{"-M", "virt", "-cpu", "max,pauth-impdef=on"}, "ttyAMA0"},
}

// commands are those that tests start; busybox does for all.
var commands = strings.Fields("sh cat true false sleep ls cp mv rm mkdir ln chmod chown touch echo dd nc wget ps kill mount umount head tail env id dirname basename readlink mknod test")

// TestKernels runs the tests of packages that ask the kernel on each of Debian's: there are abilities that
// the machine's own lacks (BPF LSM, fentry), and it lacks some that the machine has. KERNELS names another architecture
// than the machine's own.
func TestKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("two machines are started, without hardware support")
	}
	arch := cmp.Or(os.Getenv("KERNELS"), runtime.GOARCH)
	at := slices.IndexFunc(machines, func(m machine) bool { return m.arch == arch })
	if at < 0 {
		need.Missing(t, "kernels for %s: KERNELS takes amd64 and arm64", arch)
	}
	m := machines[at]
	qemu := need.Tool(t, m.qemu)
	out, err := exec.Command("../../scripts/kernels.sh", arch).Output()
	if err != nil {
		need.Missing(t, "the kernels: %v", err)
	}
	cached := strings.TrimSpace(string(out))
	busybox := filepath.Join(cached, "busybox-"+arch)
	if arch == runtime.GOARCH {
		busybox = need.Tool(t, "busybox")
	}
	kernels, _ := filepath.Glob(filepath.Join(cached, "*-"+arch, "vmlinuz"))
	if len(kernels) == 0 {
		need.Missing(t, "any kernel in %s", cached)
	}
	dir := t.TempDir()
	tests := compile(t, dir, arch)
	for _, k := range kernels {
		t.Run(filepath.Base(filepath.Dir(k)), func(t *testing.T) {
			t.Parallel()
			image := filepath.Join(t.TempDir(), "initramfs")
			build(t, image, busybox, filepath.Join(dir, "boot"), filepath.Dir(k), tests)
			judge(t, m.start(t, qemu, k, image), tests)
		})
	}
}

// compile makes the test programs and the first process.
func compile(t *testing.T, dir, arch string) (tests []string) {
	t.Helper()
	build := func(args ...string) {
		cmd := exec.Command("go", args...)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	build("build", "-o", filepath.Join(dir, "boot"), "./test/kernels/boot")
	for i, p := range packages {
		name := filepath.Join(dir, fmt.Sprint(i, "-", strings.ReplaceAll(p.dir, "/", "-"), ".test"))
		build("test", "-c", "-o", name, "./"+p.dir)
		run := p.tests
		if arch != runtime.GOARCH {
			run += "|" + p.others
		}
		check(t, os.WriteFile(name+".run", []byte("^("+run+")$"), 0o600))
		tests = append(tests, name)
	}
	return tests
}

// build writes the machine's first file system.
func build(t *testing.T, image, busybox, boot, kernel string, tests []string) {
	t.Helper()
	f, err := os.Create(image)
	check(t, err)
	defer f.Close()
	a := &archive{w: f}
	for _, d := range []string{"bin", "sbin", "dev", "proc", "sys", "tmp", "run", "root", "etc", "tests", "modules", "var"} {
		a.add(d, fs.ModeDir|0o755, nil)
	}
	file := func(name, from string) {
		data, err := os.ReadFile(from)
		check(t, err)
		a.add(name, 0o755, data)
	}
	file("init", boot)
	file("bin/busybox", busybox)
	for _, c := range commands {
		a.add("bin/"+c, fs.ModeSymlink|0o777, []byte("busybox"))
	}
	a.add("etc/passwd", 0o644, []byte("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"))
	for _, name := range tests {
		file("tests/"+filepath.Base(name), name)
		file("tests/"+filepath.Base(name)+".run", name+".run")
	}
	modules, _ := filepath.Glob(filepath.Join(kernel, "*.ko*"))
	for _, m := range modules {
		file("modules/"+filepath.Base(m), m)
	}
	check(t, a.close())
}

// start runs a machine until it switches itself off, and gives what it printed.
func (m machine) start(t *testing.T, qemu, kernel, image string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	var out bytes.Buffer
	args := append(slices.Clone(m.args), "-accel", "tcg,thread=multi", "-m", "1024", "-kernel", kernel, "-initrd", image,
		"-append", "console="+m.console+" quiet panic=-1 lsm=lockdown,capability,yama,bpf", "-display", "none", "-serial", "stdio", "-no-reboot", "-nic", "none")
	cmd := exec.CommandContext(ctx, qemu, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it is not done after %v: %w", most, ctx.Err())
	}
	if err != nil {
		t.Errorf("the machine: %v; it stood at %q", err, lastLine(out.String()))
	}
	t.Logf("the machine ran for %.0f s", time.Since(began).Seconds())
	return out.String()
}

var ended = regexp.MustCompile(`boot: (\S+) ended with (-?\d+)`)

// judge holds that all programs ran and none failed.
func judge(t *testing.T, out string, tests []string) {
	t.Helper()
	codes := map[string]string{}
	for _, m := range ended.FindAllStringSubmatch(out, -1) {
		codes[m[1]] = m[2]
	}
	for _, name := range tests {
		if code := codes[filepath.Base(name)]; code != "0" {
			t.Errorf("%s ended with %q\n%s", filepath.Base(name), code, tail(out))
		}
	}
	for _, word := range []string{"--- SKIP", "--- PASS"} {
		t.Logf("%s: %d", word, strings.Count(out, word))
	}
}

// lastLine is the last thing that the machine said.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func tail(s string) string { return s[max(0, len(s)-6000):] }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
