package ubus

// EventKind is what an Event tells.
type EventKind uint8

// What can happen.
const (
	Connected    EventKind = 1 + iota // to ubusd
	Disconnected                      // or not connected to begin with, told once; Err
	Published                         // object Path
	Refused                           // object or event Path: another one has that path, or the access rules forbid it; Status
	Followed                          // notifications of object Path come from now on
	Unfollowed                        // object Path is gone; it is followed again when it comes back
	Called                            // method Name of object Path; Args, User, Group: wants a Reply, now or later
	Notified                          // by object Path with Name; Args
	Heard                             // event Name; Args
	Answered                          // Invoke or Lookup with Tag; Status, Args
)

// Event is something that happened on the bus.
type Event struct {
	Kind        EventKind
	Path        string
	Name        string
	Args        Args
	User, Group string // of the caller, as ubusd says
	Tag         int
	Status      Status
	Err         error

	// What Reply needs to know.
	link    *link
	seq     uint16
	noReply bool
	peer    uint32
	object  uint32
}

func (c *Client) emit(e *Event) { c.events = append(c.events, e) }

// Next returns what happened next, until nil. What is done about it may make more happen.
func (c *Client) Next() *Event {
	if len(c.events) == 0 {
		c.events = nil
		return nil
	}
	e := c.events[0]
	c.events = c.events[1:]
	return e
}
