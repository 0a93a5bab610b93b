package ubus

import "time"

// unit is an object of ours on the bus. Those that receive events or notifications have no path there.
type unit struct {
	role    role
	path    string   // published or followed
	methods []Method // of a publisher
	unitState
}

// unitState is how it is with a unit in one connection.
type unitState struct {
	id         uint32        // 0: not there
	target     uint32        // id of the object that is followed
	subscribed bool          // somebody follows us
	told       bool          // that it was refused
	busy       bool          // something was asked for it
	missed     bool          // the object to follow came while we asked for it
	retry      time.Duration // when to try again
}

type role uint8

const (
	listener  role = iota // receives events; the first of all units
	follower              // receives notifications
	publisher             // is called
)

// include makes a unit.
func (c *Client) include(r role, path string) *unit {
	u := &unit{role: r, path: path, unitState: unitState{retry: never}}
	c.units = append(c.units, u)
	return u
}

// unit returns what has that id on the bus.
func (c *Client) unit(id uint32) *unit {
	for _, u := range c.units {
		if u.id == id && id != 0 {
			return u
		}
	}
	return nil
}

// add asks ubusd to add the unit.
func (c *Client) add(u *unit) {
	c.ask(msgAddObject, 0, &request{task: taskAdd, unit: u})
	if u.role == publisher {
		c.out.text(attrObjPath, u.path)
		start := c.out.begin(attrSignature << 24)
		for i := range u.methods {
			c.out.BeginObject(u.methods[i].Name)
			for _, a := range u.methods[i].Args {
				c.out.Int32(a.Name, a.Type)
			}
			c.out.EndObject()
		}
		c.out.end(start)
	}
	c.send()
}

// added carries on with a unit that ubusd has added, or has not.
func (c *Client) added(u *unit, id uint32, status Status) {
	u.busy = false
	switch {
	case status != StatusOK:
		u.retry = c.now + retryInterval
		if !u.told {
			u.told = true
			c.emit(&Event{Kind: Refused, Path: u.path, Status: status})
		}
		return
	case id == 0:
		c.drop(errNoAnswer) // not all of it, at least
		return
	}
	u.id = id
	switch u.role {
	case listener:
		c.setUp()
	case follower:
		c.find(u)
	case publisher:
		c.emit(&Event{Kind: Published, Path: u.path})
	}
}

// setUp asks for events first, so that nothing is missed of what happens while the rest is asked for.
func (c *Client) setUp() {
	c.register("ubus.object.add")
	c.register("ubus.object.remove")
	for _, pattern := range c.listen {
		c.register(pattern)
	}
	for _, u := range c.units[1:] {
		c.add(u)
	}
}

// register asks for events.
func (c *Client) register(pattern string) {
	c.ask(msgInvoke, objectEvents, &request{task: taskListen, path: pattern})
	start := c.invocation(objectEvents, "register")
	c.out.Int32("object", int32(c.units[0].id))
	c.out.String("pattern", pattern)
	c.out.end(start)
	c.send()
}

// find looks for the object to follow.
func (c *Client) find(u *unit) {
	u.missed = false
	c.ask(msgLookup, 0, &request{task: taskFind, unit: u})
	c.out.text(attrObjPath, u.path)
	c.send()
}

// subscribe asks for the notifications of an object.
func (c *Client) subscribe(u *unit, target uint32) {
	c.ask(msgSubscribe, 0, &request{task: taskSubscribe, unit: u, objid: target})
	c.out.number(attrObjID, u.id)
	c.out.number(attrTarget, target)
	c.send()
}

// followed carries on after an attempt to follow an object.
func (c *Client) followed(u *unit, target uint32, status Status) {
	u.busy = false
	switch {
	case status == StatusOK && target != 0:
		u.target = target
		c.emit(&Event{Kind: Followed, Path: u.path})
	case u.missed: // it went and came meanwhile
		c.find(u)
	default:
		u.retry = c.now + retryInterval
	}
}

// unfollow hears from ubusd that a followed object is gone.
func (c *Client) unfollow(m *message) {
	u := c.unit(m.number(attrObjID))
	if u == nil || u.target == 0 || u.target != m.number(attrTarget) {
		return
	}
	u.target, u.retry = 0, c.now+retryInterval
	c.emit(&Event{Kind: Unfollowed, Path: u.path})
}

// heard takes an event. Those about objects are for the units whose path it is.
func (c *Client) heard(e *Event) {
	pause := retryInterval
	switch e.Name {
	case "ubus.object.add":
	case "ubus.object.remove":
		pause = successionPause
	default:
		e.Kind = Heard
		c.emit(e)
		return
	}
	path, _ := e.Args.String("path")
	id, _ := e.Args.Int("id")
	for _, u := range c.units {
		switch {
		case u.path != path || u.role == listener:
		case u.role == publisher && u.id == 0 && !u.busy:
			u.retry = c.now + pause
		case u.role == follower && pause == retryInterval && u.busy:
			u.missed = true
		case u.role == follower && pause == retryInterval && u.id != 0 && u.target != uint32(id):
			c.subscribe(u, uint32(id))
		}
	}
}

// retry tries again what was refused, when it is due.
func (c *Client) retry() {
	for _, u := range c.units {
		switch {
		case u.retry > c.now:
		case u.id == 0:
			c.add(u)
		default:
			c.find(u)
		}
	}
}

// has reports whether the unit has the method.
func (u *unit) has(method string) bool {
	for i := range u.methods {
		if u.methods[i].Name == method {
			return true
		}
	}
	return false
}
