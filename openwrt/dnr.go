package openwrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lan6d/dhcpv6/server"
)

// svcKey is the number of a service parameter (RFC 9460, section 14.3.2).
type svcKey uint16

const (
	svcMandatory     svcKey = 0
	svcALPN          svcKey = 1
	svcNoDefaultALPN svcKey = 2
	svcPort          svcKey = 3
	svcDoHPath       svcKey = 7 // RFC 9461
	svcOHTTP         svcKey = 8 // RFC 9540
)

var svcKeys = map[string]svcKey{
	"mandatory": svcMandatory, "alpn": svcALPN, "no-default-alpn": svcNoDefaultALPN, "port": svcPort,
	"dohpath": svcDoHPath, "ohttp": svcOHTTP,
}

// svcParam is one service parameter with its value in wire form.
type svcParam struct {
	key   svcKey
	value []byte
}

// parseDNR reads an encrypted DNS resolver: "<priority> <name> [<address>[,<address>...] [<key>=<value> ...]]". An
// entry that has IPv4 addresses only is meant for DHCPv4: ok is false.
func parseDNR(s string) (dnr server.DNR, ok bool, err error) {
	words := strings.Fields(s)
	if len(words) < 2 {
		return dnr, false, fmt.Errorf("%.80q is not of the form '<priority> <name> [<address>,... [<key>=<value> ...]]'", s)
	}
	priority, err := parseInt(words[0], 1, 65535)
	if err != nil {
		return dnr, false, fmt.Errorf("priority %w", err)
	}
	dnr.Priority = uint16(priority)
	if dnr.Name, err = parseDomain(words[1]); err != nil {
		return dnr, false, err
	}
	if len(words) == 2 {
		return dnr, true, nil
	}
	if dnr.Addrs, err = parseDNRAddrs(words[2]); err != nil {
		return dnr, false, err
	}
	if dnr.Params, err = parseSvcParams(words[3:]); err != nil {
		return dnr, false, err
	}
	if n := dnrLength(dnr); n > maxOption {
		return dnr, false, fmt.Errorf("takes %d octets, an option has room for %d", n, maxOption)
	}
	return dnr, len(dnr.Addrs) > 0, nil
}

// dnrLength is the length of the option's content (RFC 9463, section 4.1): priority, length of the name, name, length
// of the addresses, addresses, parameters.
func dnrLength(d server.DNR) int {
	return 2 + 2 + nameLength(d.Name) + 2 + 16*len(d.Addrs) + len(d.Params)
}

// parseDNRAddrs reads the address list of a resolver and keeps its IPv6 addresses.
func parseDNRAddrs(s string) (addrs []netip.Addr, err error) {
	for text := range strings.SplitSeq(s, ",") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			return nil, fmt.Errorf("%.80q is no unicast address; addresses come third, joined by commas", text)
		}
		if a.Is6() {
			addrs = append(addrs, a)
		}
	}
	return addrs, nil
}

// parseSvcParams encodes "key=value" words as service parameters in ascending order of their keys (RFC 9460, section
// 2.2), and tests what that RFC's section 8 and section 7.1.1 demand of mandatory and no-default-alpn.
func parseSvcParams(words []string) ([]byte, error) {
	var params []svcParam
	var mandatory string
	for _, word := range words {
		name, value, given := strings.Cut(word, "=")
		if name == "_lifetime" { // for Router Advertisements
			continue
		}
		p, err := parseSvcParam(name, value, given)
		if err != nil {
			return nil, err
		}
		if hasSvcKey(params, p.key) {
			return nil, fmt.Errorf("%s is given twice", name)
		}
		if p.key == svcMandatory {
			mandatory = value
		}
		params = append(params, p)
	}
	if hasSvcKey(params, svcNoDefaultALPN) && !hasSvcKey(params, svcALPN) {
		return nil, errors.New("no-default-alpn needs alpn")
	}
	for i := range params {
		if params[i].key == svcMandatory {
			var err error
			if params[i].value, err = parseMandatory(mandatory, params); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(params, func(a, b svcParam) int { return int(a.key) - int(b.key) })
	var b []byte
	for _, p := range params {
		b = binary.BigEndian.AppendUint16(b, uint16(p.key))
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.value)))
		b = append(b, p.value...)
	}
	return b, nil
}

// parseSvcParam encodes one parameter; the value of mandatory is left to parseMandatory, which needs to know the others.
func parseSvcParam(name, value string, given bool) (p svcParam, err error) {
	if name == "ech" || name == "ipv4hint" || name == "ipv6hint" {
		return p, fmt.Errorf("%s is not allowed with DNR", name)
	}
	key, ok := svcKeys[name]
	if !ok {
		return p, fmt.Errorf("%.80q is no service parameter, allowed are alpn, port, dohpath, mandatory, no-default-alpn, ohttp", name)
	}
	p.key = key
	switch key {
	case svcNoDefaultALPN, svcOHTTP:
		if given {
			return p, fmt.Errorf("%s takes no value", name)
		}
		return p, nil
	}
	if value == "" || !isVisible(value) || len(value) > maxOption {
		return p, fmt.Errorf("%s needs a value of printable ASCII", name)
	}
	switch key {
	case svcALPN:
		for id := range strings.SplitSeq(value, ",") {
			if id == "" || len(id) > 255 {
				return p, fmt.Errorf("alpn: %.80q is not a list of protocols of 1 to 255 octets, joined by commas", value)
			}
			p.value = append(append(p.value, byte(len(id))), id...)
		}
	case svcPort:
		port, err := parseInt(value, 1, 65535)
		if err != nil {
			return p, fmt.Errorf("port %w", err)
		}
		p.value = binary.BigEndian.AppendUint16(nil, uint16(port))
	case svcDoHPath: // RFC 9461, section 5
		if _, variable, _ := strings.Cut(value, "{"); value[0] != '/' || !strings.Contains(variable, "dns") {
			return p, fmt.Errorf("dohpath: %.80q is no path with the variable dns, such as /dns-query{?dns}", value)
		}
		p.value = []byte(value)
	}
	return p, nil
}

// parseMandatory encodes the list of keys that a client must understand: sorted, each of them given (RFC 9460, section
// 8). mandatory itself cannot be in it.
func parseMandatory(value string, params []svcParam) (b []byte, err error) {
	var keys []svcKey
	for name := range strings.SplitSeq(value, ",") {
		key, ok := svcKeys[name]
		if !ok || key == svcMandatory || !hasSvcKey(params, key) || slices.Contains(keys, key) {
			return nil, fmt.Errorf("mandatory: %.80q is not among the other parameters given, or named twice", name)
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		b = binary.BigEndian.AppendUint16(b, uint16(key))
	}
	return b, nil
}

func hasSvcKey(params []svcParam, key svcKey) bool {
	return slices.ContainsFunc(params, func(p svcParam) bool { return p.key == key })
}

// describeParams is the text form of service parameters that parseSvcParams has encoded.
func describeParams(b []byte) string {
	var words []string
	for len(b) >= 4 {
		key, value := svcKey(binary.BigEndian.Uint16(b)), b[4:4+binary.BigEndian.Uint16(b[2:])]
		b = b[4+len(value):]
		word := svcKeyName(key)
		switch key {
		case svcMandatory:
			var names []string
			for ; len(value) >= 2; value = value[2:] {
				names = append(names, svcKeyName(svcKey(binary.BigEndian.Uint16(value))))
			}
			word += "=" + strings.Join(names, ",")
		case svcALPN:
			var ids []string
			for len(value) > 0 {
				ids = append(ids, string(value[1:1+value[0]]))
				value = value[1+value[0]:]
			}
			word += "=" + strings.Join(ids, ",")
		case svcPort:
			word += fmt.Sprintf("=%d", binary.BigEndian.Uint16(value))
		case svcDoHPath:
			word += "=" + string(value)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func svcKeyName(key svcKey) string {
	for name, k := range svcKeys {
		if k == key {
			return name
		}
	}
	return fmt.Sprintf("key%d", key)
}
