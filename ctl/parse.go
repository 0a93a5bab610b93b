package ctl

import (
	"errors"
	"strconv"
	"strings"

	"lan6d/ctl/json"
)

// option is an option that was given, with what stood behind it.
type option struct {
	name   string // with its dashes
	values []string
}

// Options of all commands, and of those whose view can be a live one.
const (
	commonUsage = "[-h] [--help] [--json] [-d DIR] [-s SOCKET] "
	liveUsage   = "[--watch [SECONDS]] "
	watchEvery  = "2"
)

// parse reads the command line.
func (i *invocation) parse(args []string) error {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case strings.HasPrefix(arg, "-"):
			args, err = i.parseOption(arg, args)
		case i.command == nil:
			i.command, err = find(arg)
		default:
			i.words = append(i.words, arg)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case i.wantsHelp():
		return nil
	case i.command == nil:
		return errors.New("a command is missing")
	}
	return i.writeCall()
}

// parseOption reads an option: --name, --name=VALUE, --name VALUE, -nVALUE or -n VALUE. It returns the arguments behind.
func (i *invocation) parseOption(arg string, args []string) ([]string, error) {
	name, value, attached := strings.Cut(arg, "=")
	if len(arg) > 2 && arg[1] != '-' {
		name, value, attached = arg[:2], arg[2:], true
	}
	usage := i.usage(name)
	optional := strings.HasPrefix(usage, " [")
	switch {
	case usage == "", attached && usage[0] != ' ':
		return nil, errors.New("there is no option " + arg)
	case attached, usage[0] != ' ', optional && (len(args) == 0 || strings.Trim(args[0], "0123456789") != ""):
	case len(args) == 0 || args[0] == "":
		return nil, errors.New("option " + name + " needs a value")
	default:
		value, args = args[0], args[1:]
	}
	o := i.option(name)
	switch {
	case o == nil:
		i.options = append(i.options, option{name, []string{value}})
	case repeats(usage):
		o.values = append(o.values, value)
	default:
		return nil, errors.New("option " + name + " is given twice")
	}
	return args, nil
}

// usage is what stands behind an option in the usage of the command: " VALUE]..." if it has a value and may be given more
// than once; empty if there is no such option.
func (i *invocation) usage(option string) string {
	usage := commonUsage
	if i.command != nil {
		usage += i.command.usage + " "
	}
	if i.maybeLive() {
		usage += liveUsage
	}
	_, behind, _ := strings.Cut(usage, option)
	if strings.HasPrefix(behind, " ") || strings.HasPrefix(behind, "]") {
		return behind
	}
	return ""
}

// maybeLive reports whether --watch makes sense, as far as is known: it may stand in front of the command.
func (i *invocation) maybeLive() bool { return i.command == nil || i.command.live }

func repeats(usage string) bool {
	_, behind, _ := strings.Cut(usage, "]")
	return strings.HasPrefix(behind, "...")
}

// option is what was given of that name; nil: it was not.
func (i *invocation) option(name string) *option {
	for n := range i.options {
		if i.options[n].name == name {
			return &i.options[n]
		}
	}
	return nil
}

// value is what was given with an option; empty if it was not.
func (i *invocation) value(name string) string {
	if o := i.option(name); o != nil {
		return o.values[0]
	}
	return ""
}

// writeCall makes the call from options and words.
func (i *invocation) writeCall() error {
	w := json.NewWriter(nil)
	w.BeginObject("")
	for n := range i.options {
		o := &i.options[n]
		usage, name := i.usage(o.name), strings.TrimPrefix(o.name, "--")
		switch {
		case strings.Contains(commonUsage+liveUsage, o.name):
		case repeats(usage):
			writeStrings(w, name, o.values)
		case usage[0] == ' ':
			w.String(name, o.values[0])
		default:
			w.Bool(name, true)
		}
	}
	if err := i.command.writeWords(i.words, w); err != nil {
		return err
	}
	w.EndObject()
	i.method, i.args = strings.ReplaceAll(i.command.name, "-", "_"), string(w.Bytes())
	if i.command.name == "call" {
		if i.method, i.args = i.words[0], ""; len(i.words) > 1 {
			i.args = i.words[1]
		}
	}
	return i.setWatch()
}

// setWatch reads the seconds from one view to the next, which may be left out.
func (i *invocation) setWatch() (err error) {
	switch {
	case i.option("--watch") == nil:
		return nil
	case !i.command.live:
		return errors.New(i.command.name + " has no option --watch")
	case i.option("--json") != nil:
		return errors.New("--json and --watch do not go together")
	}
	value := i.value("--watch")
	if value == "" {
		value = watchEvery
	}
	if i.watch, err = strconv.Atoi(value); err != nil || i.watch < 1 || i.watch > 3600 {
		return errors.New("--watch: " + value + " is not a number of seconds from 1 to 3600")
	}
	return nil
}

func (i *invocation) wantsHelp() bool { return i.option("-h") != nil || i.option("--help") != nil }

// help is the help on the command, or on all of them.
func (i *invocation) help() string {
	text := ""
	if c := i.command; c != nil {
		text = i.name + " " + c.name + ": " + c.doc + ".\n\nUsage:\n  " + i.name + " " + c.name +
			strings.ReplaceAll(" "+c.usage, " [--", "\n      [--") + "\n"
	} else {
		text = i.name + " shows what lan6d does, and steers it.\n\nUsage:\n  " + i.name + " COMMAND [options]\n\nCommands:\n"
		for n := range commands {
			text += "  " + pad(commands[n].name, 14) + commands[n].doc + "\n"
		}
	}
	answer := "the daemon's answer as it is"
	if i.command != nil && i.command.name == "listen" {
		answer = `{"EVENT":{its params}}`
	}
	text += "\nOptions:\n  --json             print " + answer + ", one JSON object a line\n"
	if i.maybeLive() {
		text += "  --watch [SECONDS]  live status, interfaces, leases, every " + watchEvery + " s; q ends it\n"
	}
	return text + `  -d DIR             state directory of lan6d (default ` + DefaultDir + `)
  -s SOCKET          its socket (default ` + SocketName + ` in the state directory)
  -h                 print this; behind a command, how that one is used

Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 lan6d is not running.
`
}
