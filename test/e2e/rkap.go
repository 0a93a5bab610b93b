package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A trust is what a client that accepts Reconfigure messages judges them by, with the Reconfiguration Key Authentication
// Protocol (RFC 9915, section 20.4). The code is the tests' own, so that a mistake in lan6d's cannot hide itself.
type trust struct {
	key    []byte // nil: it has been told none
	replay uint64 // the highest replay detection value so far
}

// What the authentication information of RKAP may be (section 20.4.1).
const (
	rkapKey    = 1
	rkapDigest = 2
)

// learn takes the key that a message tells, if it does. Only a Reply may.
func (t *trust) learn(m *message) error {
	if _, ok := m.option(optAuth); !ok {
		return nil
	}
	if _, accepts := m.option(optReconfAccept); !accepts || m.kind != "Reply" {
		return fmt.Errorf("%s tells a key, Reconfigure Accept %v", m.kind, accepts)
	}
	key, err := t.authentication(m, rkapKey)
	if err == nil {
		t.key = key
	}
	return err
}

// verify judges a Reconfigure message as a client must (sections 16.11 and 20.4.3), and more strictly: it has the options
// that it needs, each once, and no others.
func (t *trust) verify(m *message) error {
	asks, _ := m.option(optReconfMsg)
	codes := strings.Split(m.codes(), ",")
	slices.Sort(codes)
	switch {
	case m.xid != 0:
		return fmt.Errorf("transaction ID %06x", m.xid)
	case !slices.Equal(codes, []string{"1", "11", "19", "2"}):
		return fmt.Errorf("options %s", m.codes())
	case len(asks) != 1 || m.asks() == "":
		return fmt.Errorf("Reconfigure Message % x", asks)
	case t.key == nil:
		return errors.New("the client was told no key")
	}
	digest, err := t.authentication(m, rkapDigest)
	if err != nil {
		return err
	}
	// The digest is of the whole message, with zeros in its own place.
	zeroed := bytes.Clone(m.b)
	clear(zeroed[bytes.Index(zeroed, digest):][:len(digest)])
	mac := hmac.New(md5.New, t.key)
	mac.Write(zeroed)
	if want := mac.Sum(nil); !hmac.Equal(digest, want) {
		return fmt.Errorf("the digest is %x, not %x", digest, want)
	}
	return nil
}

// authentication is the authentication information in a message: protocol 3, algorithm HMAC-MD5 (1), a replay detection
// value (method 0) that is higher than all before, and of that type.
func (t *trust) authentication(m *message, kind byte) ([]byte, error) {
	auth, _ := m.option(optAuth)
	if len(auth) != 28 || !bytes.HasPrefix(auth, []byte{3, 1, 0}) || auth[11] != kind {
		return nil, fmt.Errorf("Authentication % x", auth)
	}
	replay := binary.BigEndian.Uint64(auth[3:])
	if replay <= t.replay {
		return nil, fmt.Errorf("replay detection value %016x after %016x", replay, t.replay)
	}
	t.replay = replay
	return auth[12:], nil
}

// asks is what a Reconfigure message asks for; empty: nothing that it may.
func (m *message) asks() string {
	if asks, _ := m.option(optReconfMsg); len(asks) == 1 && slices.Contains([]byte{5, 6, 11}, asks[0]) {
		return messageNames[asks[0]]
	}
	return ""
}

// An observer is a client as a capture sees it.
type observer struct {
	trust
	accepts bool
	last    packet // that it, or its relay, sent
}

// reconfigureFaults returns a line for each Reconfigure message of the router's, and each key, that a client would not take,
// or that goes where it should not: to a client that does not accept any, or another way than the client's messages came.
func reconfigureFaults(packets []packet) string {
	var faults strings.Builder
	clients := make(map[string]*observer)
	for _, p := range packets {
		m := p.client()
		duid, _ := m.option(optClientID)
		o := clients[string(duid)]
		if o == nil {
			o = new(observer)
			clients[string(duid)] = o
		}
		if err := o.observe(p, m); err != nil {
			fmt.Fprintf(&faults, "%s for client %x: %v\n", m.kind, duid, err)
		}
	}
	return faults.String()
}

// observe takes note of a packet of a client's, or judges one for it.
func (o *observer) observe(p packet, m *message) error {
	switch {
	case !p.sent:
		o.last = p
		switch m.kind {
		case "Solicit", "Request", "Information-request": // what a client begins with
			_, o.accepts = m.option(optReconfAccept)
		}
		return nil
	case m.kind != "Reconfigure":
		return o.learn(m)
	case !o.accepts:
		return errors.New("it does not accept any")
	case p.inner == nil && !p.src.Addr().IsLinkLocalUnicast():
		return fmt.Errorf("comes from %v, and dhcpcd takes it from a link-local address only", p.src)
	}
	if err := (pair{o.last, p}).checkWay(); err != nil {
		return err
	}
	return o.verify(m)
}
