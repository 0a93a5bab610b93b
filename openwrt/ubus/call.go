package ubus

// invoked takes a call of our method, a notification or an event.
func (c *Client) invoked(m *message) {
	u := c.unit(m.number(attrObjID))
	if u == nil {
		return
	}
	args, err := ParseArgs(m.get(attrData, -1))
	e := &Event{
		Path: u.path, Name: m.text(attrMethod), Args: args, User: m.text(attrUser), Group: m.text(attrGroup),
		link: c.link, seq: m.seq, noReply: m.flag(attrNoReply), peer: m.peer, object: u.id,
	}
	status := StatusOK
	switch {
	case err != nil:
		c.counters.Malformed++
		status = StatusInvalidArgument
	case u.role == listener:
		c.heard(e)
	case u.role == follower:
		e.Kind = Notified
		c.emit(e)
	case !u.has(e.Name):
		status = StatusMethodNotFound
	default:
		e.Kind = Called
		c.counters.Calls++
		c.emit(e)
		return
	}
	_ = c.Reply(e, status, nil)
}

// Reply answers a Called event, whenever that may be: with a status, and if that is StatusOK with what was written to w, unless
// that is nil. When the caller wants no answer, or is gone with its connection, nothing is sent. An error says that the
// answer could not be sent, and the caller is told of a system error.
func (c *Client) Reply(call *Event, status Status, w *Writer) error {
	if call.noReply || call.link != c.link || call.peer == 0 { // 0: an event, which nobody waits for
		return nil
	}
	content, err := w.content()
	if err != nil {
		status = StatusSystemError
	}
	c.begin()
	if w != nil && status == StatusOK {
		c.frame(msgData, call.seq, call.peer)
		c.out.number(attrObjID, call.object)
		c.out.bytes(attrData, content)
		c.out.end(c.start)
	}
	c.frame(msgStatus, call.seq, call.peer)
	c.out.number(attrStatus, uint32(status))
	c.out.number(attrObjID, call.object)
	c.send()
	return err
}

// Subscribed reports whether anybody wants the notifications of an object that we publish.
func (c *Client) Subscribed(path string) bool { return c.publisher(path) != nil }

// publisher returns the unit with the path, if anybody follows it.
func (c *Client) publisher(path string) *unit {
	for _, u := range c.units {
		if u.role == publisher && u.path == path && u.subscribed {
			return u
		}
	}
	return nil
}

// Notify tells those who follow an object that we publish. If nobody does, nothing is sent.
func (c *Client) Notify(path, name string, w *Writer) error {
	content, err := w.content()
	if len(name) > maxName {
		err = ErrTooLong
	}
	u := c.publisher(path)
	if err != nil || u == nil {
		return err
	}
	c.begin()
	c.frame(msgNotify, c.nextSeq(), u.id)
	start := c.invocation(u.id, name)
	c.out.octets(content)
	c.out.end(start)
	start = c.out.begin(attrNoReply << 24) // so that ubusd does not tell who was told
	c.out.octet(1)
	c.out.end(start)
	c.send()
	return nil
}

// Send sends an event to all who listen. Without a connection nobody does.
func (c *Client) Send(name string, w *Writer) error {
	content, err := w.content()
	if err != nil || !c.greeted {
		return err
	}
	c.begin()
	c.frame(msgInvoke, c.nextSeq(), objectEvents)
	start := c.invocation(objectEvents, "send")
	c.out.String("id", name)
	data := c.out.name(typeTable, "data")
	c.out.octets(content)
	c.out.close(data)
	c.out.end(start)
	c.send()
	return c.out.err
}
