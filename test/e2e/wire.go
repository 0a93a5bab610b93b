package e2e

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// messageNames are the names of the messages, by number.
var messageNames = []string{"0", "Solicit", "Advertise", "Request", "Confirm", "Renew", "Rebind", "Reply", "Release", "Decline",
	"Reconfigure", "Information-request", "Relay-forward", "Relay-reply"}

// The options and the status that the tests look at.
const (
	optClientID     = 1
	optServerID     = 2
	optIANA         = 3
	optIAAddr       = 5
	optElapsedTime  = 8
	optRelayMsg     = 9
	optAuth         = 11
	optStatus       = 13
	optRapidCommit  = 14
	optInterfaceID  = 18
	optReconfMsg    = 19
	optReconfAccept = 20
	optDNSServers   = 23
	optIAPD         = 25
	optIAPrefix     = 26

	statusSuccess   = 0
	statusNotOnLink = 4
)

// A message is a DHCPv6 message as the tests see it: read by code of their own, so that a mistake in lan6d's cannot
// hide itself.
type message struct {
	kind  string
	xid   uint32
	opts  []option
	inner *message // what a relay's message carries
	link  netip.Addr
	b     []byte // all of it
}

type option struct {
	code uint16
	data []byte
}

// An ia is an IA_NA or IA_PD option.
type ia struct {
	code   uint16
	iaid   uint32
	t1, t2 uint32
	leases []lease
	status int // -1 when there is none
}

// A lease is an address (a prefix of length 128) or a delegated prefix.
type lease struct {
	prefix           netip.Prefix
	preferred, valid uint32
}

func (a ia) String() string {
	return fmt.Sprintf("IA %d of type %d (T1 %d, T2 %d) %v", a.iaid, a.code, a.t1, a.t2, a.leases)
}

func (l lease) String() string { return fmt.Sprintf("%v (%d s, %d s)", l.prefix, l.preferred, l.valid) }

func parseMessage(b []byte) (*message, error) {
	if len(b) < 4 || int(b[0]) >= len(messageNames) {
		return nil, fmt.Errorf("no DHCPv6 message: % x", b)
	}
	m := &message{kind: messageNames[b[0]], xid: binary.BigEndian.Uint32(b) & 0xffffff, b: b}
	header := 4
	if strings.HasPrefix(m.kind, "Relay-") {
		if header = 34; len(b) < header {
			return nil, fmt.Errorf("%s of %d bytes", m.kind, len(b))
		}
		m.link = netip.AddrFrom16([16]byte(b[2:18]))
	}
	var err error
	if m.opts, err = parseOptions(b[header:]); err != nil {
		return nil, fmt.Errorf("%s: %w", m.kind, err)
	}
	if inner, ok := m.option(optRelayMsg); ok {
		m.inner, err = parseMessage(inner)
	}
	return m, err
}

func parseOptions(b []byte) (opts []option, err error) {
	for len(b) > 0 {
		if len(b) < 4 || len(b) < 4+int(binary.BigEndian.Uint16(b[2:])) {
			return nil, fmt.Errorf("an option runs past its end: % x", b)
		}
		end := 4 + int(binary.BigEndian.Uint16(b[2:]))
		opts = append(opts, option{binary.BigEndian.Uint16(b), b[4:end]})
		b = b[end:]
	}
	return opts, nil
}

func (m *message) option(code uint16) (data []byte, ok bool) { return find(m.opts, code) }

func find(opts []option, code uint16) (data []byte, ok bool) {
	for _, o := range opts {
		if o.code == code {
			return o.data, true
		}
	}
	return nil, false
}

// codes lists the codes of all options, those inside others after the one that holds them, with commas.
func (m *message) codes() string {
	var codes []string
	var walk func([]option)
	walk = func(opts []option) {
		for _, o := range opts {
			codes = append(codes, strconv.Itoa(int(o.code)))
			if fixed, ok := holders[o.code]; ok && len(o.data) >= fixed {
				inner, _ := parseOptions(o.data[fixed:])
				walk(inner)
			}
			if o.code == optRelayMsg {
				if inner, err := parseMessage(o.data); err == nil {
					walk(inner.opts)
				}
			}
		}
	}
	walk(m.opts)
	return strings.Join(codes, ",")
}

// holders are the options that hold others, after so many bytes of their own.
var holders = map[uint16]int{optIANA: 12, optIAPD: 12, optIAAddr: 24, optIAPrefix: 25}

// client returns the client's or server's message that the relays carry.
func (m *message) client() *message {
	for m.inner != nil {
		m = m.inner
	}
	return m
}

// status is the code of the message's Status Code option: without one, success.
func (m *message) status() int {
	if data, ok := m.option(optStatus); ok && len(data) >= 2 {
		return int(binary.BigEndian.Uint16(data))
	}
	return statusSuccess
}

// ias returns the IA options, all or those of the codes given.
func (m *message) ias(codes ...uint16) (ias []ia) {
	if codes == nil {
		codes = []uint16{optIANA, optIAPD}
	}
	for _, o := range m.opts {
		for _, code := range codes {
			if o.code == code && len(o.data) >= 12 {
				ias = append(ias, parseIA(o))
			}
		}
	}
	return ias
}

func parseIA(o option) ia {
	a := ia{code: o.code, status: -1}
	a.iaid = binary.BigEndian.Uint32(o.data)
	a.t1, a.t2 = binary.BigEndian.Uint32(o.data[4:]), binary.BigEndian.Uint32(o.data[8:])
	opts, err := parseOptions(o.data[12:])
	if err != nil {
		return a // tshark reports it
	}
	for _, o := range opts {
		switch b := o.data; {
		case o.code == optIAAddr && len(b) >= 24:
			addr := netip.AddrFrom16([16]byte(b[:16]))
			a.leases = append(a.leases, lease{netip.PrefixFrom(addr, 128),
				binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])})
		case o.code == optIAPrefix && len(b) >= 25:
			addr := netip.AddrFrom16([16]byte(b[9:25]))
			a.leases = append(a.leases, lease{netip.PrefixFrom(addr, int(b[8])),
				binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])})
		case o.code == optStatus && len(b) >= 2:
			a.status = int(binary.BigEndian.Uint16(b))
		}
	}
	return a
}

// leases returns what IAs of one code hold, except what has been taken back with a valid lifetime of zero.
func (m *message) leases(code uint16) (held []lease) {
	for _, a := range m.ias(code) {
		for _, l := range a.leases {
			if l.valid > 0 {
				held = append(held, l)
			}
		}
	}
	return held
}
