package openwrt

import (
	"strconv"

	"lan6d/openwrt/uci"
)

// refuseTwins refuses an interface whose device is that of an earlier one: a device has one server or relay.
func (b *builder) refuseTwins(interfaces []Interface) {
	for n := range interfaces {
		i := &interfaces[n]
		for m := range interfaces[:n] {
			if first := &interfaces[m]; i.wanted() && first.wanted() && !i.Down && i.DeviceName() == first.DeviceName() {
				i.refused = true
				b.fail(i.modePos, "dhcpv6", "device "+i.DeviceName()+" is served as interface "+first.Name+" already, not as "+i.Name+" too")
			}
		}
	}
}

// wanted reports whether the interface may have another Role than Disabled.
func (i *Interface) wanted() bool { return i.Mode != Disabled && !i.refused }

// noteTwins warns when a host has the identity or the interface id of an earlier one.
func (b *builder) noteTwins(pos uci.Pos, h *host) {
	for _, d := range h.DUIDs {
		id := d.DUID.String()
		if d.HasIAID {
			id += "%" + strconv.FormatUint(uint64(d.IAID), 16)
		}
		b.noteTwin(pos, "duid", id, "which alone counts")
	}
	if h.HostID != 0 {
		b.noteTwin(pos, "hostid", strconv.FormatUint(h.HostID, 16), "and only one of the two can have it")
	}
}

func (b *builder) noteTwin(pos uci.Pos, option, value, consequence string) {
	key := option + " " + value
	line, ok := b.hostLines[key]
	if !ok {
		b.hostLines[key] = pos.Line
	} else if line != pos.Line {
		b.warn(pos, option, clip(value, 80)+" is that of the host in line "+strconv.Itoa(line)+" already, "+consequence)
	}
}
