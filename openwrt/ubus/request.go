package ubus

import "time"

// request is something asked and not answered yet.
type request struct {
	task     task
	seq      uint16
	deadline time.Duration
	unit     *unit // for which it is
	objid    uint32

	// Of invocations; path also of events.
	path, method string
	content      []byte // to be sent
	args         Args   // received
	malformed    bool   // what was received
	tag          int
}

// task says what comes after the answer.
type task uint8

const (
	taskHello     task = iota
	taskAdd            // a unit
	taskListen         // to events
	taskFind           // an object to follow
	taskSubscribe      // to it
	taskLookup         // an object to invoke
	taskInvoke         // it
)

// Invoke calls a method of another object; without a method, the object is only looked for. There is an Answered event with
// the tag, at once if it cannot even be asked.
func (c *Client) Invoke(now time.Time, path, method string, w *Writer, timeout time.Duration, tag int) {
	c.now = now.Sub(c.epoch)
	content, err := w.content()
	r := &request{task: taskLookup, deadline: c.now + timeout, path: path, method: method, tag: tag}
	switch {
	case err != nil || len(path) > maxName || len(method) > maxName:
		c.answered(r, StatusInvalidArgument)
	case !c.greeted:
		c.answered(r, StatusConnectionFailed)
	case len(c.requests) >= maxRequests:
		c.answered(r, StatusNoMemory)
	default: // ids change whenever somebody starts anew, so it is looked for each time
		r.content = append(r.content, content...)
		c.ask(msgLookup, 0, r)
		c.out.text(attrObjPath, path)
		c.send()
	}
}

// ask begins a request.
func (c *Client) ask(kind uint8, peer uint32, r *request) {
	r.seq = c.nextSeq()
	c.begin()
	c.frame(kind, r.seq, peer)
	if c.link == nil {
		return // given up since the first of several requests
	}
	if r.deadline == 0 {
		r.deadline = c.now + answerTimeout
	}
	if r.unit != nil {
		r.unit.busy, r.unit.retry = true, never
	}
	c.requests = append(c.requests, r)
}

// objectEvents is ubusd's own object for events.
const objectEvents = 1

// invocation appends what calls a method of an object, up to its arguments. These are between start and end.
func (c *Client) invocation(objid uint32, method string) (start int) {
	c.out.number(attrObjID, objid)
	c.out.text(attrMethod, method)
	return c.out.begin(attrData << 24)
}

// nextSeq returns a number that no request has.
func (c *Client) nextSeq() uint16 {
	for c.seq++; c.request(c.seq) >= 0; {
		c.seq++
	}
	return c.seq
}

// request returns the index of a request, or -1.
func (c *Client) request(seq uint16) int {
	for i, r := range c.requests {
		if r.seq == seq {
			return i
		}
	}
	return -1
}

// remove takes a request off the list.
func (c *Client) remove(i int) *request {
	r, last := c.requests[i], len(c.requests)-1
	c.requests[i] = c.requests[last]
	c.requests = c.requests[:last]
	return r
}

// take keeps what a request needs of the data that comes before the status: an id, or of an invocation the content. The
// last counts.
func (r *request) take(m *message) {
	if r.task != taskInvoke {
		r.objid = m.number(attrObjID)
		return
	}
	var err error
	r.args, err = ParseArgs(m.get(attrData, -1))
	r.malformed = err != nil
}

// answer takes the status that ends a request.
func (c *Client) answer(m *message) {
	status := Status(m.number(attrStatus))
	i := c.request(m.seq)
	if i < 0 {
		if status != StatusOK {
			c.counters.Refused++
		}
		return
	}
	r := c.remove(i)
	switch r.task {
	case taskAdd:
		c.added(r.unit, r.objid, status)
	case taskListen:
		if status != StatusOK {
			c.emit(&Event{Kind: Refused, Path: r.path, Status: status})
		}
	case taskFind:
		if status != StatusOK || r.objid == 0 {
			c.followed(r.unit, 0, status)
			return
		}
		c.subscribe(r.unit, r.objid)
	case taskSubscribe:
		c.followed(r.unit, r.objid, status)
	case taskLookup:
		c.found(r, status)
	case taskInvoke:
		c.answered(r, status)
	}
}

// found carries on with an invocation whose object was looked for.
func (c *Client) found(r *request, status Status) {
	if status == StatusOK && r.objid == 0 {
		status = StatusNotFound
	}
	if status != StatusOK || r.method == "" {
		c.answered(r, status)
		return
	}
	r.task = taskInvoke
	c.ask(msgInvoke, r.objid, r)
	start := c.invocation(r.objid, r.method)
	c.out.octets(r.content)
	c.out.end(start)
	c.send()
}

// answered tells of an invocation's end.
func (c *Client) answered(r *request, status Status) {
	if r.malformed {
		c.counters.Malformed++
		r.args, status = nil, StatusParseError
	}
	c.emit(&Event{Kind: Answered, Path: r.path, Name: r.method, Args: r.args, Tag: r.tag, Status: status})
}

// expire gives up what was not answered in time. When that is ubusd itself, its answer may have been lost, and nobody
// knows any more what it has of us: so all begins anew.
func (c *Client) expire() {
	for i := 0; i < len(c.requests); {
		if c.requests[i].deadline > c.now {
			i++
			continue
		}
		c.counters.Timeouts++
		if r := c.remove(i); r.task >= taskLookup {
			c.answered(r, StatusTimeout)
		} else {
			c.drop(errNoAnswer)
		}
	}
}
