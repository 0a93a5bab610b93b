package server

import (
	"bytes"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Flags of the Client FQDN option (RFC 4704, section 4.1).
const (
	fqdnServerUpdates = 1 << 0 // S: the server shall update, or updates, the DNS
	fqdnOverridden    = 1 << 1 // O: the server does not do as S said
	fqdnNoUpdates     = 1 << 2 // N: the server shall not, or does not, update
)

// hostname is the host name in a message: the first label of its Client FQDN.
type hostname struct {
	label [dhcpv6.MaxLabelLength]byte
	n     int
	bad   bool // it is no host name
	asked bool // there is a Client FQDN option
	flags byte
}

func (h *hostname) bytes() []byte { return h.label[:h.n] }

// readName takes the host name from the Client FQDN option. A label that is not a host name is counted; it is only good
// for people to look at, who may know their device by it.
func (r *request) readName() {
	data, ok := r.msg.Options.Get(dhcpv6.OptionClientFQDN)
	if !ok || len(data) == 0 {
		return
	}
	r.name.asked, r.name.flags = true, data[0]
	if len(data) == 1 {
		return // the client leaves its name to us
	}
	var space [dhcpv6.MaxNameLength]byte
	text, rest, _, err := dhcpv6.ParseName(space[:0], data[1:])
	label, _, _ := bytes.Cut(text, []byte{'.'})
	if err != nil || len(rest) > 0 {
		label = nil
	}
	r.name.n = copy(r.name.label[:], label)
	if r.name.bad = !ValidHostname(label); r.name.bad {
		r.counters.BadNames++
	}
}

// ValidHostname reports whether a name consists of labels of 1 to 63 letters and digits, with '-' and '_' inside them,
// separated by dots.
func ValidHostname[T string | []byte](name T) bool {
	start := 0
	for i := 0; i <= len(name); i++ {
		if i == len(name) || name[i] == '.' {
			if n := i - start; n < 1 || n > dhcpv6.MaxLabelLength || !alphanumeric(name[start]) || !alphanumeric(name[i-1]) {
				return false
			}
			start = i + 1
		} else if c := name[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// setName gives a binding the host name that the configuration has for its client, or else the client's own.
func (r *request) setName(b *lease.Binding) {
	if host := r.host(b.IAID); host != nil && host.Name != "" {
		b.Hostname = host.Name
	} else if name := r.name.bytes(); len(name) > 0 && b.Hostname != string(name) {
		b.Hostname = string(name)
	}
}

// namedHost is the configuration's entry for the client: the one for its first IA_NA, which is what a name is for.
func (r *request) namedHost() *Host {
	if data, ok := r.msg.Options.Get(dhcpv6.OptionIANA); ok {
		ia, _ := dhcpv6.ParseIA(data)
		return r.host(ia.IAID)
	}
	return r.hosts.findClient(r.client, r.mac)
}

// writeFQDN answers a Client FQDN option, if the client asks for the answer (RFC 4704, section 6): S=0 and N=1, since
// we do not update a DNS server, and the name that we use.
func (r *request) writeFQDN() {
	if !r.name.asked || !r.oro.Has(dhcpv6.OptionClientFQDN) {
		return
	}
	flags := byte(fqdnNoUpdates)
	if r.name.flags&fqdnServerUpdates != 0 {
		flags |= fqdnOverridden
	}
	m := r.w.Begin(dhcpv6.OptionClientFQDN)
	r.w.Uint8(flags)
	// A name and a domain each fit, and AppendName has checked the domain; both together may be too long for a name.
	var space [2 * dhcpv6.MaxNameLength]byte
	name := space[:0]
	if host := r.namedHost(); host != nil && host.Name != "" {
		name, _ = dhcpv6.AppendPartialName(name, host.Name)
	} else if r.name.n > 0 && !r.name.bad {
		name = append(append(name, byte(r.name.n)), r.name.bytes()...)
	}
	if full := append(name, r.link.domain...); len(name) > 0 && len(full) <= dhcpv6.MaxNameLength {
		name = full
	}
	r.w.Bytes(name)
	r.w.End(m)
}
