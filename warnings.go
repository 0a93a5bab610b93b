package main

// warnings are what is wrong beside the configuration and the records, which the status tells of by themselves.
func (d *daemon) warnings() (list []string) {
	if d.routes.said != "" {
		list = append(list, d.routes.said)
	}
	if d.control.failed != nil {
		list = append(list, d.control.failed.Error())
	}
	return append(list, d.relayTrouble(d.clocks.now())...)
}
