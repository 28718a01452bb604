package cli_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bulwark"
	"bulwark/watch/trace"
)

// hidden is in headers and addresses, and must be nowhere else.
const hidden = "do-not-show-this"

// entered is an event of an audit log: a user enters a pod.
func entered(user string) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":%[1]q,"stage":"ResponseComplete","verb":"create","requestURI":"/x?command=id&tty=true","user":{"username":%[1]q},`+
		`"objectRef":{"resource":"pods","subresource":"exec","namespace":"shop","name":"web"},"responseStatus":{"code":101},"stageTimestamp":"2026-03-01T12:00:00.000000Z"}`, user)
}

// recorded is a recording of users who enter pods.
func recorded(t *testing.T, from, to int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.trace")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := trace.NewWriter(f, trace.Header{Node: "host:recorded", Kinds: []string{"k8s_audit"}})
	for i := from; i < to && err == nil; i++ {
		err = w.Event(&bulwark.Event{Time: int64(i+1) * 1e9, Kind: bulwark.KindK8sAudit, Source: bulwark.SourceK8sAudit, FD: bulwark.FD{Num: -1}, Doc: []byte(entered(fmt.Sprintf("user%02d", i)))})
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	return file
}

// program runs bulwark watch and gives what it said on stderr.
func program(t *testing.T, flags ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "bulwark", append([]string{"watch"}, flags...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bytes.Contains(out, []byte(hidden)) {
		t.Errorf("it shows what is secret:\n%s", out)
	}
	return string(out)
}

// taken is what a receiver got.
type taken struct {
	mu   sync.Mutex
	list []string
}

func (k *taken) add(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, s)
}

var users = regexp.MustCompile(`user\d\d asks`)

// users are the users that the messages name, in their order, once for each message.
func (k *taken) users() (list []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.list {
		if u := users.FindString(s); u != "" {
			list = append(list, strings.TrimSuffix(u, " asks"))
		}
	}
	return list
}

// want waits until there are users from 0 to n, in that order.
func (k *taken) want(t *testing.T, n int) {
	t.Helper()
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("user%02d", i))
	}
	for end := time.Now().Add(20 * time.Second); len(k.users()) < n && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if got := k.users(); !slices.Equal(got, want) {
		t.Errorf("got %d of %d: %v", len(got), n, got)
	}
}

// certificate is one for 127.0.0.1, and the file that vouches for it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err = errors.Join(err, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// rfc5424 is a message: priority, version, time, host, program, process, id, data, text.
var rfc5424 = regexp.MustCompile(`^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} bulwark \d+ [!-~]{1,32} (-|\[[^ ]+( [a-z]+="([^"\\\]]|\\["\\\]])*")*\]) \x{feff}[^\x00-\x1f]*$`)

// frames reads messages with octet counting, as RFC 6587 has it.
func frames(k *taken, c net.Conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		n, err := in.ReadString(' ')
		size, bad := strconv.Atoi(strings.TrimSpace(n))
		if err != nil || bad != nil {
			return
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(in, b); err != nil {
			return
		}
		k.add(string(b))
	}
}

func TestSyslog(t *testing.T) {
	file := recorded(t, 0, 30)
	pair, ca := certificate(t)
	for _, network := range []string{"unix", "udp", "tcp", "tls"} {
		t.Run(network, func(t *testing.T) {
			k, address := &taken{}, "127.0.0.1:0"
			switch network {
			case "unix", "udp":
				kind := network
				if kind == "unix" {
					dir, err := os.MkdirTemp("", "log") // socket paths are short
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { os.RemoveAll(dir) })
					kind, address = "unixgram", filepath.Join(dir, "log")
				}
				c, err := net.ListenPacket(kind, address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				address = c.LocalAddr().String()
				go func() {
					for b := make([]byte, 64<<10); ; {
						n, _, err := c.ReadFrom(b)
						if err != nil {
							return
						}
						k.add(string(b[:n]))
					}
				}()
			default:
				l, err := net.Listen("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
				address = l.Addr().String()
				if network == "tls" {
					l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
				}
				go func() {
					for c, err := l.Accept(); err == nil; c, err = l.Accept() {
						go frames(k, c)
					}
				}()
			}
			said := program(t, "--replay", file, "--syslog", network+"://"+address, "--sink-ca", ca, "-f", "jsonl")
			k.want(t, 30)
			for _, m := range k.list {
				if !rfc5424.MatchString(m) {
					t.Errorf("no message of RFC 5424: %q", m)
				}
			}
			if strings.Contains(said, "not sent") {
				t.Error(said)
			}
		})
	}
}

// TestWebhook has the receiver away in one run, and failing at first in the next: nothing is lost, and the order stays.
func TestWebhook(t *testing.T) {
	k, tries := &taken{}, 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Token") != hidden || !strings.HasSuffix(r.URL.Path, hidden) {
			t.Errorf("%s without its header or path", r.URL)
		}
		if tries++; tries < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		if !json.Valid(b) {
			t.Errorf("%s", b)
		}
		k.add(string(b))
	}))
	url, buffer := "http://u:"+hidden+"@"+srv.Listener.Addr().String()+"/"+hidden, filepath.Join(t.TempDir(), "buffer")
	t.Setenv("BULWARK_WEBHOOK_HEADER", "X-Token: "+hidden)
	away := "http://" + reserved(t) + "/" + hidden
	said := program(t, "--replay", recorded(t, 0, 15), "--webhook", away, "--webhook-buffer", buffer, "-f", "jsonl")
	if !strings.Contains(said, "does not take findings, which wait") {
		t.Errorf("it does not say that the receiver is away:\n%s", said)
	}
	srv.Start()
	defer srv.Close()
	program(t, "--replay", recorded(t, 15, 30), "--webhook", url, "--webhook-buffer", buffer, "-f", "jsonl")
	k.want(t, 30)
	if left, _ := filepath.Glob(filepath.Join(buffer, "*.spool")); len(left) > 1 {
		t.Errorf("the buffer keeps %q", left)
	}
}

// reserved is an address where nobody listens.
func reserved(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestWatchLive follows an audit log with all receivers at once, and is asked for metrics.
func TestWatchLive(t *testing.T) {
	posts, logs := &taken{}, &taken{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/hook":
			posts.add(string(b))
		case r.URL.Path == "/v1/logs" && r.Header.Get("Authorization") == "Bearer "+hidden:
			for _, one := range otlpRecords(t, b) {
				logs.add(one)
			}
			io.WriteString(w, "{}")
		default:
			t.Errorf("%s %v", r.URL, r.Header)
		}
	}))
	defer srv.Close()
	dir, metrics := t.TempDir(), reserved(t)
	audit := filepath.Join(dir, "audit.log")
	if err := os.WriteFile(audit, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bulwark", "watch", "--source", "k8s_audit", "--audit-log", audit, "--webhook", srv.URL+"/hook", "--webhook-format", "falco", "--otlp", srv.URL, "--metrics", metrics,
		"-f", "falco="+filepath.Join(dir, "falco.jsonl"), "-f", "ocsf="+filepath.Join(dir, "ocsf.jsonl"), "-f", "text")
	cmd.Env = append(os.Environ(), "BULWARK_OTLP_HEADER=Authorization: Bearer "+hidden)
	var out bytes.Buffer
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var said strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "watching") {
		said.WriteString(lines.Text())
	}
	f, err := os.OpenFile(audit, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 30 {
		fmt.Fprintln(f, entered(fmt.Sprintf("user%02d", i)))
	}
	posts.want(t, 30)
	logs.want(t, 30)
	scraped(t, metrics)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if strings.Contains(said.String()+out.String(), hidden) {
		t.Errorf("it shows what is secret:\n%s%s", said.String(), out.String())
	}
	if n := strings.Count(out.String(), "kubernetes/exec"); n < 30 {
		t.Errorf("%d on stdout", n)
	}
	for _, name := range []string{"falco.jsonl", "ocsf.jsonl"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if n := bytes.Count(b, []byte("asks to create pods/exec")); err != nil || n < 30 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// otlpRecords are the log records of an ExportLogsServiceRequest, each with what the data model asks for.
func otlpRecords(t *testing.T, body []byte) (list []string) {
	var v struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes []struct{ Key string } }
			ScopeLogs []struct {
				LogRecords []struct {
					TimeUnixNano, ObservedTimeUnixNano, SeverityText string
					SeverityNumber                                   int
					Body                                             struct{ StringValue string }
				}
			}
		}
	}
	if err := json.Unmarshal(body, &v); err != nil {
		t.Error(err)
	}
	for _, r := range v.ResourceLogs {
		if len(r.Resource.Attributes) == 0 || r.Resource.Attributes[0].Key != "service.name" {
			t.Errorf("%s", body)
		}
		for _, s := range r.ScopeLogs {
			for _, l := range s.LogRecords {
				if _, err := strconv.ParseUint(l.TimeUnixNano, 10, 64); err != nil || l.SeverityNumber < 1 || l.SeverityNumber > 24 || l.SeverityText == "" {
					t.Errorf("%+v", l)
				}
				list = append(list, l.Body.StringValue)
			}
		}
	}
	return list
}

func scraped(t *testing.T, address string) {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	for _, want := range []string{
		`bulwark_events_total{sensor="audit",class="k8s_audit file",outcome="sent"} 30`, `bulwark_events_total{sensor="audit",class="k8s_audit file",outcome="dropped"} 0`,
		`bulwark_findings_total{rule="kubernetes/exec",severity="medium"} 30`, `bulwark_output_messages_total{output="otlp",outcome="sent"} 30`, `bulwark_output_messages_total{output="webhook",outcome="dropped"} 0`, `bulwark_queue_length{queue="webhook"} 0`,
	} {
		if !strings.Contains(string(b), want+"\n") {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
}
