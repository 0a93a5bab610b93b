// Command lan6d is the IPv6 address service of a router: a DHCPv6 server and relay.
package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"

	"lan6d/ctl"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt"
)

// version is set by the Makefile with -ldflags -X.
var version = "devel"

const usage = `lan6d serves and relays DHCPv6 (RFC 9915) on a router's interfaces.

Usage:
  lan6d [options]          run the server in the foreground
  lan6d check [options]    print what is wrong in the configuration, and what comes of it
  lan6d ctl COMMAND        see what it does, and steer it (lan6d ctl -h)
  lan6d version            print the version
  lan6d -h                 print this

Options:
  -c DIR    directory of the configuration files dhcp and lan6d (default /etc/config)
  -d DIR    state directory, made if missing (default /var/run/lan6d)
  -i IFACE  serve just this interface, a logical name or a device;
            without configuration files, serve it with the built-in defaults
  -l LEVEL  what to log: error, warn, info or debug, or 0 to 7
            (default: option loglevel of the configuration, else info)
  -S        log to the system's log (/dev/log) instead of standard error

Signals: SIGHUP reads the configuration again, SIGTERM and SIGINT stop.
Exit status: 0 stopped as asked, 1 something is wrong, 2 wrong usage.
`

const checkUsage = `lan6d check prints every problem in the configuration, and the configuration that results.

Usage:
  lan6d check [-c DIR] [-i IFACE]

Options:
  -c DIR    directory of the configuration files dhcp and lan6d (default /etc/config)
  -i IFACE  only this interface, a logical name or a device

Exit status: 0 all is well, 1 something is wrong, 2 wrong usage.
`

const (
	defaultConfigDir = "/etc/config"
	defaultStateDir  = "/var/run/lan6d"
)

// options are the command line's.
type options struct {
	configDir, stateDir, iface, level string
	ubusPath                          string // empty: OpenWrt's
	syslog                            bool
}

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// ctlName is the name of the link to the program that is short for lan6d ctl.
const ctlName = "lan6ctl"

// run is the whole program but the exit: it returns the exit status. The first of argv is what it was called as.
func run(argv []string, stdout, stderr io.Writer) int {
	if len(argv) == 0 { // the kernel lets a caller do that
		argv = []string{"lan6d"}
	}
	args := argv[1:]
	if filepath.Base(argv[0]) == ctlName {
		return ctl.Run(args, ctlName, os.Stdin, stdout, stderr)
	}
	command := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		command, args = args[0], args[1:]
	}
	switch command {
	case "":
		return runDaemon(args, stdout, stderr)
	case "check":
		return runCheck(args, stdout, stderr)
	case "ctl":
		return ctl.Run(args, "lan6d ctl", os.Stdin, stdout, stderr)
	case "version":
		return runVersion(args, stdout, stderr)
	case "help":
		io.WriteString(stdout, usage)
		return 0
	}
	io.WriteString(stderr, tinyfmt.Sprintf("lan6d: there is no command %q; the commands are check, ctl and version (lan6d -h tells more)\n", command))
	return 2
}

func runDaemon(args []string, stdout, stderr io.Writer) int {
	o := options{configDir: defaultConfigDir, stateDir: defaultStateDir}
	known := []argument{{'c', &o.configDir, nil}, {'d', &o.stateDir, nil}, {'i', &o.iface, nil}, {'l', &o.level, nil}, {'S', nil, &o.syslog}}
	if status, ok := parse("", known, args, usage, stdout, stderr); !ok {
		return status
	}
	if o.level != "" {
		if _, err := openwrt.ParseLogLevel(o.level); err != nil {
			io.WriteString(stderr, tinyfmt.Sprintf("lan6d: -l: %v\n", err))
			return 2
		}
	}
	if err := serve(o, stderr); err != nil {
		io.WriteString(stderr, tinyfmt.Sprintf("lan6d: %v\n", err))
		return 1
	}
	return 0
}

func runCheck(args []string, stdout, stderr io.Writer) int {
	o := options{configDir: defaultConfigDir}
	known := []argument{{'c', &o.configDir, nil}, {'i', &o.iface, nil}}
	if status, ok := parse("check", known, args, checkUsage, stdout, stderr); !ok {
		return status
	}
	config, problems, err := o.load()
	for _, p := range problems {
		io.WriteString(stdout, tinyfmt.Sprintf("%s: %s\n", p.Severity, p))
	}
	if err != nil {
		io.WriteString(stderr, tinyfmt.Sprintf("lan6d: %v\n", err))
		return 1
	}
	if len(problems) > 0 {
		io.WriteString(stdout, "\n")
	}
	openwrt.Describe(stdout, config)
	if openwrt.HasErrors(problems) {
		return 1
	}
	return 0
}

func runVersion(args []string, stdout, stderr io.Writer) int {
	if status, ok := parse("version", nil, args, "lan6d version prints the version.\n", stdout, stderr); !ok {
		return status
	}
	io.WriteString(stdout, tinyfmt.Sprintf("lan6d %s %s/%s %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version()))
	return 0
}
