package ubus

import (
	"math"
	"slices"
	"time"
)

// DefaultPath is where ubusd listens on OpenWrt.
const DefaultPath = "/var/run/ubus/ubus.sock"

const (
	// firstPause and maxPause are between attempts to connect: twice as long each time.
	firstPause = 500 * time.Millisecond
	maxPause   = 16 * time.Second

	// answerTimeout is how long ubusd itself may take to answer.
	answerTimeout = 30 * time.Second

	// retryInterval is how often to try again what was refused: access rules change without a sign.
	retryInterval = 30 * time.Second

	// successionPause is how long a path must have no owner before it is taken. Who only starts anew gets his back, also
	// when procd does that for him after a crash, which is after five seconds.
	successionPause = 10 * time.Second

	// maxRequests bounds what is asked and not answered yet.
	maxRequests = 256

	// never is when nothing is due.
	never time.Duration = math.MaxInt64
)

// Config says what a Client takes part in. It is set up anew with each connection.
type Config struct {
	Path    string   // of ubusd's socket; "": DefaultPath
	Objects []Object // to publish
	Follow  []string // paths of objects whose notifications are wanted
	Listen  []string // events wanted; one with a * at its end: all that begin so. Those of "ubus." are for the Client
}

// Object is what a Client publishes, while nobody else has published that path.
type Object struct {
	Path    string
	Methods []Method
}

// Method is a method of an Object: its name, and what it is documented to take.
type Method struct {
	Name string
	Args []Arg
}

// Arg is an argument: its name, and its type.
type Arg struct {
	Name string
	Type int32
}

// Types of arguments.
const (
	ArgArray  = int32(typeArray)
	ArgTable  = int32(typeTable)
	ArgString = int32(typeString)
	ArgInt64  = int32(typeInt64)
	ArgInt32  = int32(typeInt32)
	ArgBool   = int32(typeInt8)
)

// Counters count since the Client was made.
type Counters struct {
	Connects  uint64 // to ubusd
	Calls     uint64 // of our methods
	Timeouts  uint64 // of what we called or asked
	Overflows uint64 // connections given up because ubusd did not read
	Malformed uint64 // messages that were not well formed
	Refused   uint64 // events and notifications that ubusd did not take
}

// Client is a program's place on the bus.
type Client struct {
	path     string
	inbox    chan Input
	units    []*unit
	link     *link // nil: none
	greeted  bool  // ubusd has said hello
	told     bool  // that there is no connection
	seq      uint16
	requests []*request
	events   []*Event
	listen   []string
	out      Writer // frames to be sent
	start    int    // of the last one's blob
	counters Counters

	// Times are since epoch.
	epoch  time.Time
	now    time.Duration
	since  time.Duration // when ubusd said hello
	pause  time.Duration // before the next attempt to connect but one
	redial time.Duration // when to connect
}

// New makes a Client. It connects with the first Tick.
func New(now time.Time, cfg Config) *Client {
	if cfg.Path == "" {
		cfg.Path = DefaultPath
	}
	c := &Client{path: cfg.Path, listen: cfg.Listen, inbox: make(chan Input), epoch: now, pause: firstPause}
	c.include(listener, "")
	for _, path := range cfg.Follow {
		c.include(follower, path)
	}
	for i := range cfg.Objects {
		c.include(publisher, cfg.Objects[i].Path).methods = cfg.Objects[i].Methods
	}
	return c
}

// Inbox is what the loop waits for, and hands to Handle.
func (c *Client) Inbox() <-chan Input { return c.inbox }

// Counters tells what happened so far.
func (c *Client) Counters() Counters { return c.counters }

// Connected reports whether there is a connection to ubusd.
func (c *Client) Connected() bool { return c.greeted }

// Publishes reports whether an object of ours is there, under that path.
func (c *Client) Publishes(path string) bool {
	return c.has(func(u *unit) bool { return u.role == publisher && u.path == path && u.id != 0 })
}

// Following reports whether the notifications of an object come, as far as it has any.
func (c *Client) Following(path string) bool {
	return c.has(func(u *unit) bool { return u.role == follower && u.path == path && u.target != 0 })
}

func (c *Client) has(match func(*unit) bool) bool { return slices.ContainsFunc(c.units, match) }

// Close leaves the bus. ubusd removes what was published.
func (c *Client) Close() {
	if c.link != nil {
		c.link.close()
		c.link = nil
	}
}

// Handle takes one Input. Next has what comes of it.
func (c *Client) Handle(now time.Time, in Input) {
	c.now = now.Sub(c.epoch)
	if in.link != c.link {
		return // one given up already
	}
	if in.err != nil {
		c.drop(in.err)
		return
	}
	var m message
	ok := m.parse(in.frame)
	switch {
	case !c.greeted && (!ok || m.kind != msgHello):
		c.drop(errNoHello)
	case !c.greeted:
		c.greet()
	case !ok:
		c.counters.Malformed++
	default:
		c.receive(&m)
	}
}

func (c *Client) receive(m *message) {
	switch m.kind {
	case msgStatus:
		c.answer(m)
	case msgData:
		if i := c.request(m.seq); i >= 0 {
			c.requests[i].take(m)
		}
	case msgInvoke:
		c.invoked(m)
	case msgNotify:
		if u := c.unit(m.number(attrObjID)); u != nil {
			u.subscribed = m.flag(attrActive)
		}
	case msgUnsubscribe:
		c.unfollow(m)
	}
}

// Tick does what is due: connect, give up waiting, try again. It returns when to call it next, which any other call may
// make sooner; zero: it need not be called until something else is.
func (c *Client) Tick(now time.Time) (next time.Time) {
	c.now = now.Sub(c.epoch)
	if c.link == nil && c.redial <= c.now {
		c.connect()
	}
	c.expire()
	c.retry()
	due := c.due()
	if due == never {
		return next
	}
	return c.epoch.Add(due)
}

// due is when there is something to do.
func (c *Client) due() time.Duration {
	if c.link == nil {
		return c.redial
	}
	due := never
	for _, r := range c.requests {
		due = min(due, r.deadline)
	}
	for _, u := range c.units {
		due = min(due, u.retry)
	}
	return due
}

func (c *Client) connect() {
	link, err := dial(c.path, c.inbox)
	if err != nil {
		c.drop(err)
		return
	}
	c.link = link
	c.requests = append(c.requests, &request{task: taskHello, deadline: c.now + answerTimeout})
}

// greet begins a connection: ubusd has said hello.
func (c *Client) greet() {
	c.greeted, c.told, c.since = true, false, c.now
	c.counters.Connects++
	c.requests = nil
	c.emit(&Event{Kind: Connected})
	c.add(c.units[0])
}

// drop gives the connection up, if there is one, and with it all that was asked. There is a new attempt soon if it lasted,
// otherwise later and later.
func (c *Client) drop(err error) {
	c.Close()
	if c.greeted && c.now-c.since > maxPause {
		c.pause = firstPause
	}
	c.redial = c.now + c.pause
	c.pause = min(2*c.pause, maxPause)
	c.greeted = false
	for _, u := range c.units {
		u.unitState = unitState{retry: never}
	}
	lost := c.requests
	c.requests = nil
	for _, r := range lost {
		if r.task >= taskLookup {
			c.answered(r, StatusConnectionFailed)
		}
	}
	if !c.told {
		c.told = true
		c.emit(&Event{Kind: Disconnected, Err: err})
	}
}

// begin makes room for frames. In them, c.out also takes the elements of a table.
func (c *Client) begin() {
	c.out.Reset()
	c.out.depth = 1
}

// frame begins a frame. Its attributes are appended to c.out.
func (c *Client) frame(kind uint8, seq uint16, peer uint32) {
	c.start = c.out.frame(kind, seq, peer)
}

// send completes the frame and has it sent. If ubusd does not read, the connection is given up.
func (c *Client) send() {
	c.out.end(c.start)
	if c.link != nil && c.out.err == nil && !c.link.send(c.out.b) {
		c.counters.Overflows++
		c.drop(errSlow)
	}
}
