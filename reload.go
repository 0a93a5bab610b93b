package main

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt"
)

// load reads the configuration that the options name. An error means that there is none to run on; problems are what is
// wrong in the one that there is.
func (o *options) load() (*openwrt.Config, []openwrt.Problem, error) {
	dirs := openwrt.SystemDirs()
	if dir := filepath.Clean(o.configDir); dir != defaultConfigDir {
		// Pending changes and shadows belong to the system's own configuration.
		dirs.Config, dirs.Shadow, dirs.Delta = dir, "", ""
	}
	if err := unix.Access(dirs.Config+"/.", unix.X_OK); err != nil && o.configDir != defaultConfigDir {
		return nil, nil, tinyfmt.Errorf("-c: directory %s: %w", dirs.Config, err)
	}
	config, problems := openwrt.Load(dirs)
	if len(config.Files) == 0 {
		if o.iface == "" {
			return nil, problems, tinyfmt.Errorf("there is no configuration: neither %s nor %s exists (-i IFACE serves one interface without)",
				filepath.Join(dirs.Config, "dhcp"), filepath.Join(dirs.Config, "lan6d"))
		}
		system := config.Server // what other programs' files say: the server's DUID, the time zone
		builtIn, more := openwrt.Default(o.iface)
		config, problems = builtIn, append(problems, more...)
		config.Server = system
	}
	if o.iface != "" {
		if err := config.Only(o.iface); err != nil {
			return nil, problems, tinyfmt.Errorf("-i: %w", err)
		}
	}
	return config, problems, nil
}

// errRefused is the error of a reload that changes nothing.
var errRefused = errors.New("the configuration has errors; the old one goes on")

// reload reads the configuration again. One with errors changes nothing: the old one goes on.
func (d *daemon) reload() ([]openwrt.Problem, error) {
	config, problems, err := d.options.load()
	d.logProblems(problems)
	switch {
	case err != nil:
		d.refuse(err.Error()+"; the old configuration goes on", problems)
	case openwrt.HasErrors(problems):
		err = errRefused
		d.refuse(err.Error(), problems)
	default:
		d.log.infof("configuration read again")
		d.apply(config, problems)
		d.openBus()
		d.announceConfig(true, problems)
		return problems, nil
	}
	d.announceConfig(false, problems)
	return problems, err
}

// refuse says why a configuration is not taken, and goes on saying so in the status until one is.
func (d *daemon) refuse(why string, problems []openwrt.Problem) {
	why = "reload: " + why
	d.log.errorf("%s", why)
	d.refusal = []string{why}
	for i := range problems {
		if problems[i].Severity == openwrt.Error {
			d.refusal = append(d.refusal, problems[i].String())
		}
	}
}

func (d *daemon) logProblems(problems []openwrt.Problem) {
	for _, p := range problems {
		if p.Severity == openwrt.Error {
			d.log.errorf("%s", p)
		} else {
			d.log.warnf("%s", p)
		}
	}
}

// apply makes a configuration the running one. Bindings stay.
func (d *daemon) apply(config *openwrt.Config, problems []openwrt.Problem) {
	d.base, d.problems, d.loaded = config, problems, d.clocks.now()
	d.refusal, d.added = nil, 0
	d.log.level = config.Daemon.LogLevel
	if level, err := openwrt.ParseLogLevel(d.options.level); err == nil {
		d.log.level = level
	}
	second := config.Daemon.Persist
	for _, s := range d.stores() {
		s.setSync(config.Daemon.SyncJournal)
		s.setPersist(second, time.Duration(config.Daemon.PersistInterval)*time.Second)
		if second != "" {
			second += ".relayed"
		}
	}
	d.routes.metric = config.Daemon.RouteMetric
	if servesNone(config) {
		d.log.warnf("%s", servesNoneText)
	}
	d.found = nil
	d.useNetworks()
}

const servesNoneText = "the configuration serves no interface: set option dhcpv6 'server' or 'relay' in a section of type dhcp"

func servesNone(config *openwrt.Config) bool {
	return !slices.ContainsFunc(config.Interfaces, func(i openwrt.Interface) bool { return i.Role != openwrt.Disabled })
}
