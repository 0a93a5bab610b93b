package main

import (
	"path/filepath"
	"strings"
)

// systemWarnings stands behind the state directory's name: there the init script notes what is wrong around lan6d, such as a
// dnsmasq that serves DHCPv6, too.
const systemWarnings = ".warnings"

// warnings are what is wrong beside the configuration and the records, which the status tells of by themselves.
func (d *daemon) warnings() (list []string) {
	list = append(list, d.refusal...)
	if servesNone(d.base) {
		list = append(list, servesNoneText)
	}
	if d.routes.said != "" {
		list = append(list, d.routes.said)
	}
	if d.control.failed != nil {
		list = append(list, d.control.failed.Error())
	}
	list = append(list, d.views.writer.Failures()...)
	for i := range d.config.Interfaces {
		if s := d.served[d.config.Interfaces[i].Name]; s != nil && s.shared != "" {
			list = append(list, s.shared)
		}
	}
	if noted, err := readFile(filepath.Clean(d.options.stateDir) + systemWarnings); err == nil {
		for line := range strings.Lines(string(noted)) {
			list = append(list, strings.TrimSuffix(line, "\n"))
		}
	}
	return append(list, d.relayTrouble(d.clocks.now())...)
}
