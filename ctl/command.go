package ctl

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"lan6d/ctl/json"
)

// command is a command of the command line. It calls the method of its name, with _ for -.
type command struct {
	name  string
	usage string // what may stand behind the name. From here parse knows the options: --name VALUE, with ... may be repeated
	doc   string
	view  string // how the reply is shown; see page.show
	live  bool   // --watch makes sense
}

const (
	problemLine = "{severity}: [{file}:{line}: ][{option}: ]{text}"

	interfacesView = `|interfaces INTERFACE {name}|~DEVICE {device}|STATE {up}|?MODE {mode}|ROLE {role}[ {master}]|` +
		`~ADDRESSES {leases/addresses}[ +{leases/offers} offered][ {leases/declined} declined]|` +
		`FREE {pools/addresses_free}|PREFIXES {leases/prefixes}|FREE {pools/prefixes_free}
*interfaces [{name} is not served: {reason}]
-
|interfaces:prefixes INTERFACE {name}|PREFIX {.prefix}[ {.deprecated}]|?PREFERRED {.preferred}|VALID {.valid}`
)

var commands = [...]command{
	{
		name: "status", doc: "what lan6d is doing, and what is wrong", live: true,
		view: `# lan6d {version}, up {uptime}, process {pid}
- configuration  [{config/files}, ]read {config/loaded} ago
- server DUID    {server_duid}
- ubus           {ubus/connected}[: {ubus/objects}][; follows {ubus/netifd}]
- leases in      {journal/path}[, {journal/size} octets]
- and in         {journal/copy/path}
! {journal/error}
! {journal/copy/error}
! {relay_journal/error}
! {relay_journal/copy/error}
*config/problems ` + problemLine + `
*warnings warning: {}
-
` + interfacesView + `
-
- received       {counters/received}
- sent           {counters/sent}
- dropped        {counters/dropped}
- relayed        {counters/relayed}
- returned       {counters/returned}
- not relayed    {counters/not_relayed}`,
	}, {
		name: "interfaces", doc: "interfaces, their prefixes, and how much of them is used", live: true,
		view: interfacesView,
	}, {
		name: "leases", doc: "who has which address and which prefix", live: true,
		usage: "[--interface NAME] [--duid DUID] [--hostname NAME] [--kind address|prefix] " +
			"[--state bound|offered|declined|free]",
		view: `|leases:leases INTERFACE {interface}|~HOST {hostname}|LEASE {.address}{.prefix}|?PREFERRED {.preferred}|` +
			`VALID {.valid}|~STATE {state}[ {static}][ {.withdrawn}]|?~CLIENT [{duid}%{iaid}]`,
	}, {
		name: "reload", doc: "read the configuration again",
		view: "*problems " + problemLine + "\n- configuration {changed}: what was read is in use now",
	}, {
		name: "check", doc: "what is wrong in the configuration, and what comes of it",
		view: "*problems " + problemLine + "\n=text",
	}, {
		name: "add-lease", doc: "a fixed lease, as in a section host, until the next reload",
		usage: "[--duid DUID]... [--mac MAC]... [--name NAME] [--ip ADDRESS] [--hostid HEX] [--prefix PREFIX|HEX] " +
			"[--leasetime TIME]",
		view: "- added, until the next reload",
	}, {
		name: "del-lease", doc: "end the leases of a client, or of the one that has this lease",
		usage: "DUID[%IAID]|ADDRESS|PREFIX [--interface NAME]",
		view:  "*leases ended: {}",
	}, {
		name: "reconfigure", doc: "tell clients to ask for their configuration",
		usage: "[--all] [--interface NAME] [--duid DUID]",
		view:  "- clients told: {sent}",
	}, {
		name: "listen", doc: "print events as they happen: all, or those named, as dhcp.*",
		usage: "[EVENT...]",
	},
	{name: "metrics", doc: "counters, as Prometheus reads them", view: "=text"},
	{
		name: "loglevel", doc: "what is logged, or is to be until the next reload",
		usage: "[error|warn|info|debug]",
		view:  "- {level}",
	},
	{name: "dump", doc: "all state, without keys, for a bug report", view: "$"},
	{
		name: "list", doc: "methods that can be called",
		view: "|methods:+arguments METHOD {name}|ARGUMENT {.name}|TYPE {.type}|" +
			">ABOUT {doc}[ ({changes} things: for root and lan6d's own user)][{.values}: ]{.doc}\n- events: {events}",
	},
	{name: "call", doc: "call a method", usage: "METHOD [JSON]", view: "$"},
}

// eventView is how an event is shown.
const eventView = "[ {interface}:][ {name}:][ {cause}][ {leases}][, {hostname}][, {duid}%{iaid}][, via {via}][, {reason}]" +
	"[: {events} events came faster than they were read]"

// find looks a command up.
func find(name string) (*command, error) {
	for changes := range 3 {
		for i := range commands {
			switch c := &commands[i]; {
			case !near(name, c.name, changes):
			case changes == 0:
				return c, nil
			default:
				return nil, errors.New("there is no command " + name + ", did you mean " + c.name + "?")
			}
		}
	}
	return nil, errors.New("there is no command " + name)
}

// near reports whether a is b but for that many octets put in, left out or replaced.
func near(a, b string, changes int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case a == "" || b == "":
		return len(a)+len(b) <= changes
	case changes == 0:
		return false
	}
	return near(a[1:], b[1:], changes-1) || near(a[1:], b, changes-1) || near(a, b[1:], changes-1)
}

// writeWords writes the arguments of a method that the command line has no option for.
func (c *command) writeWords(words []string, w *json.Writer) error {
	most := 1
	switch {
	case c.name == "listen":
		if most = len(words); most > 0 {
			writeStrings(w, "events", words)
		}
	case c.name == "call" && len(words) > 0 && words[0] == "listen":
		return errors.New("call would not wait for events: there is a command listen")
	case c.name == "call":
		if most = 2; len(words) == 2 {
			if _, err := json.Parse(words[1], maxValues); err != nil {
				return errors.New("the arguments are not JSON: " + err.Error())
			}
		}
	case c.name == "loglevel" && len(words) > 0:
		w.String("level", words[0])
	case c.name == "del-lease" && len(words) > 0:
		if err := writeLease(words[0], w); err != nil {
			return err
		}
	case c.name != "loglevel":
		most = 0
	}
	switch {
	case len(words) > most:
		return errors.New("unexpected argument " + words[most])
	case len(words) == 0 && c.usage != "" && c.usage[0] >= 'A' && c.usage[0] <= 'Z':
		return errors.New("what is missing: " + c.usage)
	}
	return nil
}

// writeLease tells a DUID, an address and a prefix apart.
func writeLease(word string, w *json.Writer) error {
	duid, iaid, hasIAID := strings.Cut(word, "%")
	if _, err := netip.ParseAddr(duid); err == nil {
		w.String("address", word)
	} else if strings.IndexByte(word, '/') >= 0 {
		w.String("prefix", word)
	} else {
		w.String("duid", duid)
	}
	if !hasIAID {
		return nil
	}
	n, err := strconv.ParseUint(iaid, 16, 32)
	w.Int64("iaid", int64(n))
	if err != nil {
		return errors.New("IAID " + iaid + ": want at most 8 hexadecimal digits")
	}
	return nil
}
