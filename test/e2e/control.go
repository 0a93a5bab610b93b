package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// socketPath is where the control channel of a router's lan6d is.
const socketPath = "/run/e2e/state/ctl.sock"

// ctl runs lan6d ctl on the router.
func (r *router) ctl(args ...string) (status int, stdout, stderr string) {
	r.t.Helper()
	cmd := r.command(append([]string{server(r.t), "ctl", "-d", "/run/e2e/state"}, args...)...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), complaint.String()
}

// ctlPrints runs lan6d ctl, which must succeed and print all the words.
func (r *router) ctlPrints(command string, words ...string) string {
	r.t.Helper()
	status, stdout, stderr := r.ctl(strings.Fields(command)...)
	if status != 0 || stderr != "" {
		r.t.Errorf("ctl %s: exit status %d, %s", command, status, stderr)
	}
	for _, word := range words {
		if !strings.Contains(stdout, word) {
			r.t.Errorf("ctl %s: want %q in\n%s", command, word, stdout)
		}
	}
	return stdout
}

// A channel is a connection to the control channel, by the tests' own code: replies must be what docs/CTL.md says.
type channel struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// object is what params are made of.
type object = map[string]any

// dial connects to lan6d.
func (r *router) dial() *channel {
	r.t.Helper()
	conn, err := net.Dial("unix", r.path(socketPath))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &channel{r.t, conn, bufio.NewReader(conn)}
}

// line is what comes over a connection.
type line struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   *rpcError       `json:"error"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// next waits for a line.
func (c *channel) next(limit time.Duration) (l line, err error) {
	c.conn.SetReadDeadline(time.Now().Add(limit))
	text, err := c.in.ReadBytes('\n')
	if err != nil {
		return l, err
	}
	if err := decode(text, &l); err != nil || l.Version != "2.0" {
		return l, fmt.Errorf("%w: %s", err, text)
	}
	return l, nil
}

// decode reads JSON that may have no other members than into.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// ask calls a method.
func (c *channel) ask(method string, params object) line {
	c.t.Helper()
	request, err := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	if params == nil {
		request = fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q}`, method)
	}
	if _, err := c.conn.Write(append(request, '\n')); err != nil {
		c.t.Fatalf("%s: %v", request, err)
	}
	l, err := c.next(15 * time.Second)
	if err != nil || string(l.ID) != "1" {
		c.t.Fatalf("%s is answered %+v, %v", request, l, err)
	}
	return l
}

// call calls a method that must succeed, and returns the reply, also in result.
func (c *channel) call(method string, params object, result any) string {
	c.t.Helper()
	l := c.ask(method, params)
	if l.Error != nil {
		c.t.Fatalf("%s %v: %+v", method, params, *l.Error)
	}
	if err := decode(l.Result, result); err != nil {
		c.t.Fatalf("%s %v: %v: %s", method, params, err, l.Result)
	}
	return string(l.Result)
}

// fails calls a method that must fail like that.
func (c *channel) fails(method string, params object, code int, word string) {
	c.t.Helper()
	l := c.ask(method, params)
	if l.Error == nil || l.Error.Code != code || !strings.Contains(l.Error.Message, word) {
		c.t.Errorf("%s %v: %s%+v, want error %d with %q", method, params, l.Result, l.Error, code, word)
	}
}

// What docs/CTL.md calls so.
type (
	ctlProblem struct {
		Severity, File, Option, Text string
		Line                         int
	}
	ctlLease struct {
		Address, Prefix  string
		Preferred, Valid int64
		Withdrawn        bool
	}
	ctlBinding struct {
		Interface, Device, Kind, State, DUID, Hostname, MAC, Client string
		IAID                                                        int64
		Leases                                                      []ctlLease
		Valid                                                       int64
		Static                                                      bool
		Accepts                                                     *bool `json:"accept_reconfigure"`
		Relayed                                                     bool
	}
	ctlLeases    struct{ Leases []ctlBinding }
	ctlInterface struct {
		Name, Device, Mode, Role, Reason string
		Master, Up                       bool
		Prefixes                         []struct {
			Prefix                           string
			Preferred, Valid                 int64
			Deprecated, Addresses, Delegates bool
		}
		Leases struct{ Addresses, Prefixes, Offers, Declined int }
		Pools  struct {
			AddressesUsed int64 `json:"addresses_used"`
			AddressesFree int64 `json:"addresses_free"`
			PrefixesUsed  int64 `json:"prefixes_used"`
			PrefixesFree  int64 `json:"prefixes_free"`
		}
	}
	ctlHealth struct {
		Path, Error string
		Size        int64
		OK          bool
		Copy        *struct {
			Path, Error string
			OK          bool
		}
	}
	ctlCounts = map[string]int64
	ctlStatus struct {
		Version     string
		Uptime, PID int64
		Config      struct {
			Dir      string
			Files    []string
			Loaded   int64
			Problems []ctlProblem
		}
		ServerDUID string `json:"server_duid"`
		UBus       struct {
			Enabled, Connected, NetIfd bool
			Objects                    []string
		}
		Interfaces   []ctlInterface
		Journal      ctlHealth
		RelayJournal ctlHealth `json:"relay_journal"`
		Counters     struct {
			Received, Sent, Dropped, Relayed, Returned ctlCounts
			NotRelayed                                 ctlCounts `json:"not_relayed"`
		}
		Warnings []string
	}
	ctlReload struct {
		Changed  bool
		Problems []ctlProblem
	}
	ctlEvent struct {
		Interface, Device, Cause, Kind, DUID, Hostname, Via string
		IAID                                                int64
		Leases                                              []ctlLease
		Routes                                              []string
	}
)

// lease is one lease as the control channel tells it, without lifetimes.
func (l ctlLease) lease() string { return l.Address + l.Prefix }

// told are leases as the control channel tells them.
func told(leases []lease) (list []string) {
	for _, l := range leases {
		if l.prefix.IsSingleIP() {
			list = append(list, l.prefix.Addr().String())
		} else {
			list = append(list, l.prefix.String())
		}
	}
	return list
}

func names(leases []ctlLease) (list []string) {
	for _, l := range leases {
		list = append(list, l.lease())
	}
	return list
}

// A watcher hears events, from the moment it is made.
type watcher struct {
	*channel
	seen []line
}

// listen listens to events.
func (r *router) listen(events ...string) *watcher {
	r.t.Helper()
	w := &watcher{channel: r.dial()}
	params := object{"events": events}
	if events == nil {
		params = object{}
	}
	w.call("listen", params, &struct{}{})
	return w
}

// await waits for an event of that name that matches, in whatever order they come.
func (w *watcher) await(name string, event any, match func() bool) {
	w.t.Helper()
	for end, i := time.Now().Add(20*time.Second), 0; ; i++ {
		if i == len(w.seen) {
			l, err := w.next(time.Until(end))
			if err != nil || l.ID != nil {
				w.t.Fatalf("waited for event %s; heard %v and %+v, %v", name, w.summary(), l, err)
			}
			w.seen = append(w.seen, l)
		}
		if w.seen[i].Method != name {
			continue
		}
		if err := decode(w.seen[i].Params, event); err != nil {
			w.t.Fatalf("event %s: %v: %s", name, err, w.seen[i].Params)
		}
		if match() {
			w.seen = append(w.seen[:i], w.seen[i+1:]...)
			return
		}
	}
}

// binding waits for an event that a binding of that client has come or gone.
func (w *watcher) binding(name, cause, kind string, duid []byte) (e ctlEvent) {
	w.t.Helper()
	w.await(name, &e, func() bool {
		ok := e.Cause == cause && e.Kind == kind && e.DUID == fmt.Sprintf("%x", duid)
		if !ok {
			e = ctlEvent{}
		}
		return ok
	})
	return e
}

func (w *watcher) summary() (list []string) {
	for _, l := range w.seen {
		list = append(list, l.Method+" "+string(l.Params))
	}
	return list
}
