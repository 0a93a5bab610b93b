package ctl

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/ctl/json"
)

// NotRunning is the error of Dial when there is no daemon.
type NotRunning struct{ Path string }

func (e *NotRunning) Error() string { return "lan6d is not running: nobody listens on " + e.Path }

const (
	maxReply     = 64 << 20
	replyTimeout = 15 * time.Second // to the first octet, and from there to the last
)

// Client is the client's side of the channel. One goroutine owns it.
type Client struct {
	path  string
	lines lines
}

// Dial connects to the daemon whose socket that is.
func Dial(path string) (*Client, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	fd, err := connect(path)
	switch err {
	case nil:
		return &Client{path: path, lines: lines{file: os.NewFile(uintptr(fd), path), max: maxReply}}, nil
	case unix.ENOENT, unix.ECONNREFUSED:
		return nil, &NotRunning{path}
	case unix.EACCES:
		return nil, errors.New(path + ": permission denied: it is for root and " + groupOf(path))
	case unix.EAGAIN:
		return nil, noAnswer(path)
	}
	return nil, pathError("connect to", path, err)
}

func noAnswer(path string) error { return errors.New("lan6d does not answer on " + path) }

// groupOf tells whom a file's group is made of.
func groupOf(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return "those who may look into its directory"
	}
	gid := strconv.Itoa(int(st.Gid))
	if f, err := os.Open("/etc/group"); err == nil {
		defer f.Close()
		for groups := (lines{file: f, max: MaxRequest}); err == nil; {
			var line string
			line, err = groups.next(0, 0)
			if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == gid {
				return "the members of group " + fields[0]
			}
		}
	}
	return "the members of the group with id " + gid
}

// Call calls a method. args are a JSON object, or empty. An *Error is the daemon's answer.
func (c *Client) Call(method, args string) (*json.Value, error) {
	line := `{"jsonrpc":"2.0","id":1,"method":` + json.Quote(method)
	if args != "" {
		line += `,"params":` + args
	}
	c.lines.file.SetWriteDeadline(deadline(replyTimeout))
	c.lines.file.WriteString(line + "}\n") // when that fails, there may be an answer all the same, which says why
	v, err := c.read(replyTimeout)
	if err != nil {
		return nil, err
	}
	if e := v.Get("error"); e != nil {
		code, _ := e.Int("code")
		return nil, &Error{int(code), text(e, "message")}
	}
	if result := v.Get("result"); result != nil && result.Raw[0] == '{' {
		return result, nil
	}
	return nil, errors.New("the answer has no result")
}

// Next waits for an event, after method listen was called; from then on there is nothing else to call.
func (c *Client) Next() (name string, params *json.Value, err error) {
	v, err := c.read(0)
	return text(v, "method"), v.Get("params"), err
}

// Close ends the connection.
func (c *Client) Close() { c.lines.file.Close() }

func (c *Client) read(timeout time.Duration) (*json.Value, error) {
	line, err := c.lines.next(timeout, replyTimeout)
	if err != nil {
		return nil, c.broken(err)
	}
	v, err := json.Parse(line, math.MaxInt)
	if err != nil {
		return nil, pathError("no JSON comes from", c.path, err)
	}
	return v, nil
}

// broken is the error of a connection that does not work any more.
func (c *Client) broken(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return noAnswer(c.path)
	}
	return pathError("lan6d has closed the connection on", c.path, err)
}

// text is a member that is a string; empty without one.
func text(v *json.Value, name string) string {
	s, _ := v.String(name)
	return s
}
