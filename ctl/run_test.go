package ctl

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lan6d/ctl/json"
)

var demoReplies = map[string]string{
	"status": statusReply, "interfaces": statusReply, "leases": leasesReply,
	"reload":      `{"changed":true,"problems":[{"severity":"warning","file":"dhcp","line":3,"option":"ra","text":"unknown"}]}`,
	"check":       `{"problems":[],"text":"lan6d: dhcp\n\tlan\n\n  \u001b[31mred\n"}`,
	"del_lease":   `{"leases":["2001:db8::5","fd00::5"]}`,
	"reconfigure": `{"sent":3}`,
	"loglevel":    `{"level":"debug"}`,
	"metrics":     `{"text":"# TYPE lan6d_up gauge\nlan6d_up{a=\"b\"} 1\n"}`,
	"dump":        `{"a":[1,{"b":"c"}],"d":{}}`,
}

const statusTable = `lan6d 0.3, up 3d4h, process 1234
configuration  /etc/config/dhcp, /etc/config/lan6d, read 43m12s ago
server DUID    0003000102000000002a
ubus           connected: lan6d, dhcp; follows netifd
leases in      /var/run/lan6d/leases.journal, 8123 octets
and in         /etc/lan6d.leases
leases are not written: no space left on device
error: /etc/config/dhcp:31: dhcpv6_pd_min_len: 99 is outside 1..62
warning: /etc/config/lan6d:3: section without a name
warning: built-in configuration
warning: odhcpd serves DHCPv6 on lan as well: set option dhcpv6 'disabled' in /etc/config/dhcp

` + interfacesTable + `
received       Solicit 7, Request 5
sent           Advertise 7, Reply 5
dropped        no Client Identifier 2
`

const interfacesTable = `INTERFACE  DEVICE    STATE  MODE    ROLE    ADDRESSES                 FREE  PREFIXES  FREE
lan        br-lan    up     server  server  12 +1 offered 3 declined  many  2         65532
guest      br-guest  down   hybrid  relay   0                               0
iot        br-iot    down   server  server
iot is not served: there is no device br-iot

INTERFACE  PREFIX                   PREFERRED  VALID
lan        2001:db8:1::1/48         30m0s      1h0m
           fd00:1::1/48 deprecated  0s         forever
guest
iot
`

const leasesTable = `INTERFACE  HOST                                         LEASE              PREFERRED  VALID    STATE                   CLIENT
lan        laptop                                       2001:db8:1::1a3    13m12s     43m12s   bound                   00030001020000000001%1
                                                        fd00:1::1a3        forever    forever
lan                                                     2001:db8:1:4::/62  0s         12h0m    bound static withdrawn  00030001020000000002%ffffffff
guest      a\u001b]0;owned\u0007\u202eb\u000a\u009b31m  2001:db8:2::99     40s        59s      offered                 00030001020000000003%0
guest                                                   2001:db8:2::9a     0s         59m59s   declined
guest      phone                                                                               free                    000200007ed90102030405060708090a0b0c0d0e0f%7
`

func TestCommands(t *testing.T) {
	s := newStub(t, demoReplies)
	for _, tt := range []struct{ args, call, stdout string }{
		{"status", "status {}", statusTable},
		{"interfaces", "interfaces {}", interfacesTable},
		{"leases", "leases {}", leasesTable},
		{"leases --interface lan --duid=0001 --hostname a=b --kind prefix --state bound",
			`leases {"interface":"lan","duid":"0001","hostname":"a=b","kind":"prefix","state":"bound"}`, leasesTable},
		{"reload", "reload {}", "warning: dhcp:3: ra: unknown\nconfiguration changed: what was read is in use now\n"},
		{"check", "check {}", "lan6d: dhcp\n\\u0009lan\n\n  \\u001b[31mred\n"},
		{"add-lease --duid 0001 --mac 02:00:00:00:00:01 --name printer --duid 0002 --ip fd00::7 --hostid 7 --prefix 4 --leasetime 12h",
			`add_lease {"duid":["0001","0002"],"mac":["02:00:00:00:00:01"],"name":"printer","ip":"fd00::7","hostid":"7","prefix":"4","leasetime":"12h"}`,
			"added, until the next reload\n"},
		{"del-lease 2001:db8::5", `del_lease {"address":"2001:db8::5"}`, "ended: 2001:db8::5\nended: fd00::5\n"},
		{"del-lease 2001:db8:4::/62 --interface lan", `del_lease {"interface":"lan","prefix":"2001:db8:4::/62"}`, "ended: 2001:db8::5\nended: fd00::5\n"},
		{"del-lease 0001", `del_lease {"duid":"0001"}`, "ended: 2001:db8::5\nended: fd00::5\n"},
		{"del-lease 0001%fffffffe", `del_lease {"duid":"0001","iaid":4294967294}`, "ended: 2001:db8::5\nended: fd00::5\n"},
		{"reconfigure --all", `reconfigure {"all":true}`, "clients told: 3\n"},
		{"reconfigure --interface lan --duid 0001", `reconfigure {"interface":"lan","duid":"0001"}`, "clients told: 3\n"},
		{"loglevel", "loglevel {}", "debug\n"},
		{"loglevel debug", `loglevel {"level":"debug"}`, "debug\n"},
		{"metrics", "metrics {}", "# TYPE lan6d_up gauge\nlan6d_up{a=\"b\"} 1\n"},
		{"dump", "dump {}", "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"d\": {}\n}\n"},
		{"call dump", "dump", "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"d\": {}\n}\n"},
		{`call leases {"kind":"address"}`, `leases {"kind":"address"}`, ""},
		{"--json call dump", "dump", `{"a":[1,{"b":"c"}],"d":{}}` + "\n"},
		{"dump --json", "dump {}", `{"a":[1,{"b":"c"}],"d":{}}` + "\n"},
		{"--json reconfigure --all", `reconfigure {"all":true}`, demoReplies["reconfigure"] + "\n"},
	} {
		for _, options := range [][]string{{"-s", s.path}, {"-s" + s.path}, {"-d", filepath.Dir(s.path)}, {"-d" + filepath.Dir(s.path)}} {
			status, stdout, stderr := ctl(append(options, strings.Fields(tt.args)...)...)
			if status != done || stderr != "" {
				t.Errorf("%s: status %d, %s", tt.args, status, stderr)
			}
			if call := <-s.calls; call != tt.call {
				t.Errorf("%s calls\n%s, want\n%s", tt.args, call, tt.call)
			}
			if stdout != tt.stdout && tt.stdout != "" {
				t.Errorf("%s prints\n%s\nwant\n%s", tt.args, stdout, tt.stdout)
			}
		}
	}
}

// TestNothing: what is shown of replies that have nothing to show.
func TestNothing(t *testing.T) {
	s := newStub(t, map[string]string{"leases": `{"leases":[]}`, "interfaces": `{"interfaces":[]}`, "reload": `{"changed":true}`})
	for command, want := range map[string]string{
		"leases": "none\n", "interfaces": "none\n\nnone\n", "reload": "configuration changed: what was read is in use now\n", "metrics": "\n", "status": "\nnone\n\nnone\n\n",
		"reconfigure": "", "del-lease 1": "", "dump": "{}\n", "check": "\n",
	} {
		if status, stdout, stderr := ctl(append([]string{"-s", s.path}, strings.Fields(command)...)...); status != done || stdout != want || stderr != "" {
			t.Errorf("%s: status %d, %q, %q, want %q", command, status, stdout, stderr, want)
		}
	}
}

// TestUBus: status tells of ubus where lan6d is to be on it.
func TestUBus(t *testing.T) {
	s := newStub(t, map[string]string{})
	for ubus, want := range map[string]string{
		`{"enabled":false}`: "",
		`{"enabled":true,"connected":false,"netifd":false,"objects":[]}`:       "ubus           not connected\n",
		`{"enabled":true,"connected":true,"netifd":false,"objects":[]}`:        "ubus           connected\n",
		`{"enabled":true,"connected":true,"netifd":false,"objects":["lan6d"]}`: "ubus           connected: lan6d\n",
	} {
		s.do <- func() { s.replies["status"] = `{"server_duid":"00","ubus":` + ubus + `,"interfaces":[]}` }
		want = "server DUID    00\n" + want + "\nnone\n"
		if status, stdout, _ := ctl("-s", s.path, "status"); status != done || !strings.HasPrefix(stdout, want) {
			t.Errorf("%s: status %d, %s, want %s", ubus, status, stdout, want)
		}
	}
}

// TestRefused: what a reply tells of is told, and the exit status says that it went wrong, with --json as well.
func TestRefused(t *testing.T) {
	s := newStub(t, map[string]string{
		"reload":    `{"changed":false,"problems":[{"severity":"error","file":"dhcp","line":4,"option":"leasetime","text":"\"12x\" is no time"}]}`,
		"check":     `{"problems":[{"severity":"error","file":"dhcp","line":4,"text":"what"}],"text":"lan6d"}`,
		"add_lease": "!hostid: \"xyz\" is not hexadecimal",
	})
	for _, tt := range []struct{ args, stdout, stderr string }{
		{"reload", "error: dhcp:4: leasetime: \"12x\" is no time\n", "lan6d ctl: the configuration has errors; the old one goes on\n"},
		{"reload --json", s.replies["reload"] + "\n", "lan6d ctl: the configuration has errors; the old one goes on\n"},
		{"check", "error: dhcp:4: what\nlan6d\n", "lan6d ctl: the configuration has errors\n"},
		{"add-lease --hostid xyz", "", "lan6d ctl: hostid: \"xyz\" is not hexadecimal\n"},
	} {
		status, stdout, stderr := ctl(append([]string{"-s", s.path}, strings.Fields(tt.args)...)...)
		if status != failed || stdout != tt.stdout || stderr != tt.stderr {
			t.Errorf("%s: status %d,\n%q,\n%q", tt.args, status, stdout, stderr)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	s := newStub(t, nil)
	for _, tt := range []struct{ args, want string }{
		{"", "a command is missing (lan6d ctl -h tells what is allowed)"},
		{"statsu", "there is no command statsu, did you mean status? (lan6d ctl -h tells what is allowed)"},
		{"lease", "there is no command lease, did you mean leases? (lan6d ctl -h tells what is allowed)"},
		{"lists", "there is no command lists, did you mean list? (lan6d ctl -h tells what is allowed)"},
		{"addlease", "there is no command addlease, did you mean add-lease? (lan6d ctl -h tells what is allowed)"},
		{"frobnicate", "there is no command frobnicate (lan6d ctl -h tells what is allowed)"},
		{"-x", "there is no option -x (lan6d ctl -h tells what is allowed)"},
		{"-", "there is no option - (lan6d ctl -h tells what is allowed)"},
		{"--", "there is no option -- (lan6d ctl -h tells what is allowed)"},
		{"-s", "option -s needs a value (lan6d ctl -h tells what is allowed)"},
		{"--kind prefix leases", "there is no option --kind (lan6d ctl -h tells what is allowed)"},
		{"status --kind prefix", "there is no option --kind (lan6d ctl status -h tells what is allowed)"},
		{"leases --kin prefix", "there is no option --kin (lan6d ctl leases -h tells what is allowed)"},
		{"leases -kind prefix", "there is no option -kind (lan6d ctl leases -h tells what is allowed)"},
		{"leases --kind", "option --kind needs a value (lan6d ctl leases -h tells what is allowed)"},
		{"leases --kind prefix --kind address", "option --kind is given twice (lan6d ctl leases -h tells what is allowed)"},
		{"leases --json=1", "there is no option --json=1 (lan6d ctl leases -h tells what is allowed)"},
		{"reconfigure --all=1", "there is no option --all=1 (lan6d ctl reconfigure -h tells what is allowed)"},
		{"reload --watch", "there is no option --watch (lan6d ctl reload -h tells what is allowed)"},
		{"status --json --watch", "--json and --watch do not go together (lan6d ctl status -h tells what is allowed)"},
		{"--json leases --watch 5", "--json and --watch do not go together (lan6d ctl leases -h tells what is allowed)"},
		{"--watch 5 reload", "reload has no option --watch (lan6d ctl reload -h tells what is allowed)"},
		{"--watch", "a command is missing (lan6d ctl -h tells what is allowed)"},
		{"--watch status --watch", "option --watch is given twice (lan6d ctl status -h tells what is allowed)"},
		{"status --watch=x", "--watch: x is not a number of seconds from 1 to 3600 (lan6d ctl status -h tells what is allowed)"},
		{"status --watch 0", "--watch: 0 is not a number of seconds from 1 to 3600 (lan6d ctl status -h tells what is allowed)"},
		{"status --watch 99999999999999999999", "--watch: 99999999999999999999 is not a number of seconds from 1 to 3600 (lan6d ctl status -h tells what is allowed)"},
		{"status lan", "unexpected argument lan (lan6d ctl status -h tells what is allowed)"},
		{"loglevel debug info", "unexpected argument info (lan6d ctl loglevel -h tells what is allowed)"},
		{"del-lease", "what is missing: DUID[%IAID]|ADDRESS|PREFIX [--interface NAME] (lan6d ctl del-lease -h tells what is allowed)"},
		{"del-lease 1 2", "unexpected argument 2 (lan6d ctl del-lease -h tells what is allowed)"},
		{"del-lease 01%xyz", "IAID xyz: want at most 8 hexadecimal digits (lan6d ctl del-lease -h tells what is allowed)"},
		{"del-lease 01%123456789", "IAID 123456789: want at most 8 hexadecimal digits (lan6d ctl del-lease -h tells what is allowed)"},
		{"call", "what is missing: METHOD [JSON] (lan6d ctl call -h tells what is allowed)"},
		{"call dump {", "the arguments are not JSON: octet 1: want a name in quotes (lan6d ctl call -h tells what is allowed)"},
		{"call dump {} {}", "unexpected argument {} (lan6d ctl call -h tells what is allowed)"},
		{"call listen", "call would not wait for events: there is a command listen (lan6d ctl call -h tells what is allowed)"},
		{`call listen {"events":["config"]}`, "call would not wait for events: there is a command listen (lan6d ctl call -h tells what is allowed)"},
		// What only the daemon knows:
		{"call dmup", "there is no method dmup; list tells which there are"},
		{"call dump []", "params: want an object"},
		{"leases --kind banana", `kind: "banana" is not one of address prefix`},
		{"loglevel loud", `level: "loud" is not one of error warn info debug`},
		{"listen dhcp.lease", "events: dhcp.lease is not one of " + strings.Join(stubEvents, " ")},
		{"status --watch", "--watch needs a terminal that can move its cursor"},
		{"--watch status", "--watch needs a terminal that can move its cursor"},
		{"--watch=5 leases", "--watch needs a terminal that can move its cursor"},
		{"status --watch 5", "--watch needs a terminal that can move its cursor"},
		// A terminal is to be told nothing by what was typed.
		{"\x1b[31m", `there is no command \u001b[31m (lan6d ctl -h tells what is allowed)`},
	} {
		status, stdout, stderr := ctl(append([]string{"-s", s.path}, strings.Fields(tt.args)...)...)
		if tt.args == "-s" {
			status, stdout, stderr = ctl("-s")
		}
		if status != wrongUsage || stdout != "" || stderr != "lan6d ctl: "+tt.want+"\n" {
			t.Errorf("%s: status %d, %q, %q", tt.args, status, stdout, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	status, overview, stderr := ctl("-h")
	if status != done || stderr != "" {
		t.Errorf("status %d, %s", status, stderr)
	}
	for _, c := range commands {
		if !strings.Contains(overview, "\n  "+pad(c.name, 14)+c.doc+"\n") {
			t.Errorf("%s is not in\n%s", c.name, overview)
		}
		for _, help := range []string{"-h", "--help"} {
			status, stdout, stderr := ctl(c.name, help)
			if status != done || stderr != "" || !strings.HasPrefix(stdout, "lan6d ctl "+c.name+": "+c.doc+".\n\nUsage:\n  lan6d ctl "+c.name) {
				t.Errorf("%s %s: status %d, %q\n%s", c.name, help, status, stderr, stdout)
			}
			if strings.Contains(stdout, "--watch") != c.live {
				t.Errorf("%s %s tells of --watch, or does not:\n%s", c.name, help, stdout)
			}
		}
	}
	if _, stdout, _ := ctl("listen", "-h"); !strings.Contains(stdout, "\n  --json             print {\"EVENT\":{its params}}, one JSON object a line\n") {
		t.Errorf("what --json prints is not in\n%s", stdout)
	}
	if !strings.Contains(overview, "\n  --watch [SECONDS]  live status, interfaces, leases, every 2 s; q ends it\n") {
		t.Errorf("--watch is not in\n%s", overview)
	}
	for line := range strings.SplitSeq(overview, "\n") {
		if len(line) > 80 {
			t.Errorf("too long: %s", line)
		}
	}
}

func TestNotRunning(t *testing.T) {
	dir := shortDir(t)
	stale := filepath.Join(dir, SocketName)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: stale}); err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	for _, path := range []string{stale, filepath.Join(dir, "nothing"), filepath.Join(dir, "no", "directory")} {
		for _, command := range []string{"status", "listen", "status --watch"} {
			status, stdout, stderr := ctl(append([]string{"-s", path}, strings.Fields(command)...)...)
			if want := "lan6d ctl: lan6d is not running: nobody listens on " + path + "\n"; status != noDaemon || stdout != "" || stderr != want {
				t.Errorf("%s: status %d, %q, %q", command, status, stdout, stderr)
			}
		}
	}
	if status, _, stderr := ctl("-s", filepath.Join(stale, "x"), "status"); status != failed || !strings.HasSuffix(stderr, "x: not a directory\n") {
		t.Errorf("status %d, %s", status, stderr)
	}
	long := filepath.Join(dir, strings.Repeat("x", 108))
	want := "lan6d ctl: " + long + ": the path of a socket has at most 107 octets\n"
	if status, _, stderr := ctl("-s", long, "status"); status != failed || stderr != want {
		t.Errorf("status %d, %s, want %s", status, stderr, want)
	}
}

// TestSomebody: who may not connect is told who may; who may connect and not change anything is told that.
func TestSomebody(t *testing.T) {
	s := newStub(t, nil)
	if err := os.Chmod(filepath.Dir(s.path), 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		os.Chmod(s.path, 0o666)
		status, stderr := asSomebody(t, "-s", s.path, "reload")
		if want := "lan6d ctl: reload: only root and the user with id 0 may, not the one with id 4711\n"; status != failed || stderr != want {
			t.Errorf("status %d, %q, want %q", status, stderr, want)
		}
		if status, stderr := asSomebody(t, "-s", s.path, "dump"); status != done || stderr != "" {
			t.Errorf("status %d, %q", status, stderr)
		}
	}
	os.Chmod(s.path, 0)
	status, stderr := asSomebody(t, "-s", s.path, "status")
	if want := "lan6d ctl: " + s.path + ": permission denied: it is for root and the members of group"; status != failed || !strings.HasPrefix(stderr, want) {
		t.Errorf("status %d, %q, want %q", status, stderr, want)
	}
	os.Chmod(filepath.Dir(s.path), 0)
	status, stderr = asSomebody(t, "-s", s.path, "status")
	if want := "lan6d ctl: " + s.path + ": permission denied: it is for root and those who may look into its directory\n"; status != failed || stderr != want {
		t.Errorf("status %d, %q, want %q", status, stderr, want)
	}
	os.Chmod(filepath.Dir(s.path), 0o700)
}

func TestGroupOf(t *testing.T) {
	if got := groupOf("/proc/1"); got != "the members of group root" {
		t.Errorf("of a file of group 0: %s", got)
	}
}

// TestBadDaemon: a daemon that answers nonsense, nothing, or goes, is told apart.
func TestBadDaemon(t *testing.T) {
	for _, tt := range []struct{ answer, want string }{
		{"hello\n", "octet 0: want a value"},
		{"", "lan6d has closed the connection on"},
		{`{"jsonrpc":"2.0","id":1,"result"`, "lan6d has closed the connection on"},
		{"{}\n", "the answer has no result"},
		{`{"jsonrpc":"2.0","id":1,"result":7}` + "\n", "the answer has no result"},
	} {
		path := filepath.Join(shortDir(t), SocketName)
		listener, err := listenOn(path)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			fd, _ := accept(listener)
			unix.Write(fd, []byte(tt.answer))
			unix.Shutdown(fd, unix.SHUT_WR)
			listener.Close()
		}()
		if status, stdout, stderr := ctl("-s", path, "status"); status != failed || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: status %d, %q, %q", tt.answer, status, stdout, stderr)
		}
	}
}

// full is a device without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullDisk: what cannot be written is an error, so that a script does not take half of it for all.
func TestFullDisk(t *testing.T) {
	s := newStub(t, demoReplies)
	for _, command := range []string{"metrics", "status", "-h"} {
		var stderr bytes.Buffer
		if status := Run([]string{"-s", s.path, command}, "lan6ctl", nil, full{}, &stderr); status != failed || stderr.String() != "lan6ctl: no space left on device\n" {
			t.Errorf("%s: status %d, %s", command, status, &stderr)
		}
	}
}

// TestListen prints events until the daemon ends.
func TestListen(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		s := newStub(t, nil)
		args := []string{"-s", s.path, "listen", "dhcp.*", "interface"}
		if asJSON {
			args = append(args, "--json")
		}
		var stdout shared
		var stderr bytes.Buffer
		ended := make(chan int)
		go func() { ended <- Run(args, "lan6d ctl", nil, &stdout, &stderr) }()
		until(t, "it listens", func() bool { return s.Listeners() == 1 })
		events := []event{
			{"dhcp.lease6", `{"cause":"request","interface":"lan","device":"br-lan","kind":"address","duid":"0001","iaid":26,"hostname":"a\u001b[31m","leases":[{"address":"2001:db8::1","preferred":1800,"valid":5400},{"address":"fd00::1","preferred":-1,"valid":-1}],"static":false}`},
			{"config", `{"cause":"not wanted"}`},
			{"dhcp.release6", `{"cause":"release","interface":"lan","duid":"0001","iaid":0,"hostname":"","leases":[]}`},
			{"dhcp.prefix6", `{"cause":"route added","interface":"lan","duid":"0002","iaid":1,"hostname":"router","leases":[{"prefix":"2001:db8:4::/62","preferred":60,"valid":61}],"via":"fe80::2"}`},
			{"interface", `{"cause":"not served","name":"lan","device":"br-lan","reason":"there is no device br-lan"}`},
		}
		for _, e := range events {
			s.emit <- e
		}
		until(t, "all is printed", func() bool { return strings.Count(stdout.String(), "\n") == len(events)-1 })
		s.end()
		if status := <-ended; status != failed || !strings.Contains(stderr.String(), "lan6d has closed the connection on "+s.path) {
			t.Errorf("status %d, %s", status, &stderr)
		}
		want := `dhcp.lease6 lan: request address 2001:db8::1 preferred 30m0s valid 1h30m, address fd00::1 preferred forever valid forever, a\u001b[31m, 0001%1a
dhcp.release6 lan: release, 0001%0
dhcp.prefix6 lan: route added prefix 2001:db8:4::/62 preferred 1m0s valid 1m1s, router, 0002%1, via fe80::2
interface lan: not served, there is no device br-lan
`
		if asJSON {
			want = ""
			for _, e := range events {
				if e.name != "config" {
					want += `{"` + e.name + `":` + e.params + "}\n"
				}
			}
		}
		if stdout.String() != want {
			t.Errorf("got\n%s\nwant\n%s", stdout.String(), want)
		}
	}
}

// shared is a buffer that one goroutine writes to and another one reads.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// FuzzRun has somebody type anything. Nothing is done then but what is said, and no message steers the terminal.
func FuzzRun(f *testing.F) {
	f.Add("status --watch [SECONDS]] ")
	f.Add("-s\n-d\n--")
	f.Add("leases\n--duid\n01\n--kind=\n--kind")
	f.Add("add-lease\n--duid DUID]...\nx\n--mac\n\x1b[31m")
	f.Add("del-lease\n%\n")
	f.Add("call\nlist\n{\"a\":[]}")
	f.Fuzz(func(t *testing.T, args string) {
		status, stdout, stderr := ctl(append([]string{"-s", "/nonexistent"}, strings.Split(args, "\n")...)...)
		if status == failed || (status == done) != (stderr == "") || (status == done) != (stdout != "") {
			t.Fatalf("status %d, %q, %q", status, stdout, stderr)
		}
		if text := strings.TrimSuffix(stderr, "\n"); json.Printable(text) != text {
			t.Fatalf("%q", stderr)
		}
	})
}
