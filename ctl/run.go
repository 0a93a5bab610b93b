package ctl

import (
	"errors"
	"io"
	"os"

	"lan6d/ctl/json"
)

// Exit statuses.
const (
	done = iota
	failed
	wrongUsage
	noDaemon
)

// invocation is one run of the command line.
type invocation struct {
	name    string // how it was called: lan6d ctl, or lan6ctl
	stdin   *os.File
	stdout  io.Writer
	command *command
	options []option
	words   []string // that are no options
	watch   int      // seconds; 0: no live view
	method  string
	args    string // JSON
}

// Run is the command line of the control channel, which was called with that name: "lan6d ctl", or "lan6ctl". It returns
// the exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no daemon.
func Run(args []string, name string, stdin *os.File, stdout, stderr io.Writer) int {
	i := &invocation{name: name, stdin: stdin, stdout: stdout}
	status, err := wrongUsage, i.parse(args)
	if err != nil {
		hint := name
		if i.command != nil {
			hint += " " + i.command.name
		}
		err = errors.New(err.Error() + " (" + hint + " -h tells what is allowed)")
	} else if err = i.run(); err != nil {
		status = statusOf(err)
	}
	if err == nil {
		return done
	}
	io.WriteString(stderr, name+": "+json.Printable(err.Error())+"\n")
	return status
}

func statusOf(err error) int {
	switch e := err.(type) {
	case *NotRunning:
		return noDaemon
	case *Error:
		if e.Code == InvalidParams || e.Code == MethodNotFound {
			return wrongUsage
		}
	}
	return failed
}

func (i *invocation) run() error {
	switch {
	case i.wantsHelp():
		return i.print(i.help())
	case i.command.name == "listen":
		return i.listen()
	}
	reply, err := i.call()
	if err != nil {
		return err
	}
	if i.watch > 0 {
		return i.live(reply)
	}
	p := i.page()
	if p.show(i.command.view, reply); i.option("--json") != nil {
		err = i.print(reply.Raw + "\n")
	} else {
		err = i.print(p.text.String())
	}
	if err == nil {
		err = refusal(reply)
	}
	return err
}

// refusal is the error that a reply tells of.
func refusal(v *json.Value) error {
	if changed, ok := v.Bool("changed"); ok && !changed {
		return errors.New("the configuration has errors; the old one goes on")
	}
	problems := get(v, "problems").Items
	for i := range problems {
		if text(&problems[i], "severity") == "error" {
			return errors.New("the configuration has errors")
		}
	}
	return nil
}

// print writes to the standard output.
func (i *invocation) print(text string) error {
	_, err := io.WriteString(i.stdout, text)
	return err
}

func (i *invocation) dial() (*Client, error) {
	path := i.value("-s")
	if path == "" {
		if path = i.value("-d"); path == "" {
			path = DefaultDir
		}
		path += "/" + SocketName
	}
	return Dial(path)
}

// call calls the command's method.
func (i *invocation) call() (*json.Value, error) {
	c, err := i.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Call(i.method, i.args)
}

// listen prints events until the connection ends.
func (i *invocation) listen() error {
	c, err := i.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Call(i.method, i.args); err != nil {
		return err
	}
	for {
		name, params, err := c.Next()
		if err != nil {
			return err
		}
		line, _, _ := fill(eventView, params, nil)
		line = json.Printable(name + line)
		if i.option("--json") != nil {
			line = "{" + json.Quote(name) + ":" + params.Raw + "}"
		}
		if err := i.print(line + "\n"); err != nil {
			return err
		}
	}
}
