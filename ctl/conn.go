package ctl

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"lan6d/ctl/json"
)

// conn is a connection with a client, as the server has it.
type conn struct {
	server  *Server
	file    *os.File
	peer    Peer
	lines   lines
	gone    chan struct{} // closed at the end
	events  *listener     // nil: the client listens to nothing
	writing sync.Mutex    // held while lines are written
}

// serve answers requests until the client goes, is too slow, or sends what is not a line.
func (c *conn) serve() {
	defer c.close()
	patience := &c.server.patience
	for {
		idle := patience.idle
		if c.events != nil {
			idle = 0
		}
		line, err := c.lines.next(idle, patience.whole)
		if err == errTooLong {
			c.write(failure(null, InvalidRequest, "a request has at most "+strconv.Itoa(MaxRequest)+" octets"), patience.write)
		}
		if err != nil || strings.TrimSpace(line) != "" && c.write(c.answer(line), patience.write) != nil {
			return
		}
	}
}

func (c *conn) close() {
	s := c.server
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	c.file.Close()
	close(c.gone)
	if c.events != nil {
		s.listeners.Add(-1)
	}
	s.running.Done()
}

// write writes lines, after the events that are queued, within that time; 0: whenever they are read.
func (c *conn) write(lines string, patience time.Duration) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.events != nil {
		lines = c.events.take() + lines
	}
	if lines == "" {
		return nil
	}
	c.file.SetWriteDeadline(deadline(patience))
	_, err := c.file.WriteString(lines)
	return err
}

// answer carries out the request in a line, and returns the line that answers it.
func (c *conn) answer(line string) string {
	v, err := json.Parse(line, maxValues)
	if err != nil {
		return failure(null, ParseError, "not JSON: "+err.Error())
	}
	if wrong := checkRequest(v); wrong != "" {
		return failure(null, InvalidRequest, wrong)
	}
	r := &Request{Peer: c.peer, Args: v.Get("params"), done: make(chan string, 1)}
	r.Method, _ = v.String("method")
	if id := v.Get("id"); id != nil {
		r.id = id.Raw
	}
	c.server.start(c, r)
	select {
	case answer := <-r.done:
		return answer
	case <-c.server.done:
		return ""
	}
}

// checkRequest returns what is wrong with a request, so that it cannot even be told who it is from.
func checkRequest(v *json.Value) string {
	version, _ := v.String("jsonrpc")
	_, named := v.String("method")
	id := v.Kind("id")
	switch {
	case v.Raw[0] == '[':
		return "batches are not served: send one request a line"
	case version != "2.0":
		return `jsonrpc: want "2.0"`
	case !named:
		return "method: want a string"
	case id == "object" || id == "array" || id == "boolean":
		return "id: want a string or a number"
	}
	return ""
}

// start checks a request, and has it carried out if there is nothing wrong with it.
func (s *Server) start(c *conn, r *Request) {
	var m *Method
	for i := range s.config.Methods {
		if s.config.Methods[i].Name == r.Method {
			m = &s.config.Methods[i]
		}
	}
	switch {
	case m == nil:
		r.Fail(MethodNotFound, "there is no method "+shorten(r.Method)+"; list tells which there are")
		return
	case m.Changes && !s.trusts(r.Peer):
		r.Fail(Denied, m.Name+": only root and the user with id "+strconv.Itoa(s.uid)+" may, not the one with id "+
			strconv.FormatUint(uint64(r.Peer.UID), 10))
		return
	case r.Args != nil && r.Args.Raw[0] != '{':
		r.Fail(InvalidParams, "params: want an object")
		return
	}
	if wrong := m.check(r.Args); wrong != "" {
		r.Fail(InvalidParams, wrong)
		return
	}
	switch m.Name {
	case "list":
		r.Reply(s.config.writeList)
	case "listen":
		c.listen(r)
	default:
		select {
		case s.requests <- r:
		case <-s.done:
		}
	}
}

// listen has the connection hear of events from now on.
func (c *conn) listen(r *Request) {
	patterns, given := r.Args.Strings("events")
	if !given {
		patterns = []string{"*"}
	}
	if p, ok := unknownPattern(patterns, c.server.config.Events); ok {
		r.Fail(InvalidParams, "events: "+shorten(p)+" is not one of "+strings.Join(c.server.config.Events, " "))
		return
	}
	r.Reply(nil)
	c.server.subscribe(c, patterns, <-r.done)
	r.answer("") // the answer is queued, before any event
}

// tell writes events as they come. It may wait for the client as long as that takes.
func (c *conn) tell(l *listener) {
	for {
		select {
		case <-c.gone:
			return
		case <-l.ready:
		}
		if c.write("", 0) != nil {
			c.file.Close() // which ends serve
			return
		}
	}
}
