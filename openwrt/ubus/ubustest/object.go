package ubustest

import (
	"encoding/binary"
	"slices"
	"strings"
)

// object is one on the bus: without a path, one that receives.
type object struct {
	id          uint32
	kind        uint32 // id of its type
	path        string
	client      *client
	methods     []attr
	patterns    []string
	subscribers []*object
}

// What a handler returns: a status, or that there is none to be sent.
const (
	ok               = 0
	invalidCommand   = 1
	invalidArgument  = 2
	notFound         = 4
	permissionDenied = 6
	silent           = -1
)

// receive handles a request.
func (b *Bus) receive(c *client, f frame) {
	if result := b.handle(c, f); result != silent {
		c.send(frame{kind: status, seq: f.seq, peer: f.peer, attrs: []attr{number(attrStatus, uint32(result))}})
	}
}

func (b *Bus) handle(c *client, f frame) int {
	answer := frame{kind: data, seq: f.seq, peer: f.peer}
	switch f.kind {
	case ping:
		f.kind = data
		c.send(f)
		return ok
	case lookup:
		return b.lookup(c, f, answer)
	case addObject:
		return b.add(c, f, answer)
	case removeObject:
		o := b.object(f.number(attrObject))
		switch {
		case o == nil:
			return notFound
		case o.client != c:
			return permissionDenied
		}
		answer.attrs = []attr{number(attrObject, o.id)}
		if o.kind != 0 {
			answer.attrs = append(answer.attrs, number(attrType, o.kind))
		}
		c.send(answer)
		b.remove(o)
		return ok
	case invoke:
		return b.invoke(c, f)
	case status, data:
		return b.respond(c, f)
	case subscribe, unsubscribe:
		return b.subscribe(c, f)
	case notify:
		return b.notify(c, f)
	}
	return invalidCommand
}

func (b *Bus) object(id uint32) *object {
	for _, o := range b.objects {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (b *Bus) lookup(c *client, f, answer frame) int {
	path, ok := f.get(attrPath)
	pattern := f.text(attrPath)
	if ok && pattern == "" {
		return invalidArgument
	}
	prefix, wild := strings.CutSuffix(pattern, "*")
	found := !ok
	for _, o := range b.sorted() {
		if path != nil && o.path != pattern && !(wild && strings.HasPrefix(o.path, prefix)) {
			continue
		}
		found = true
		methods := slices.DeleteFunc(slices.Clone(o.methods), func(m attr) bool { return !b.allowed("access", o.path, m.name()) })
		if o.kind == 0 || len(methods) == 0 && len(o.methods) > 0 {
			continue
		}
		answer.attrs = []attr{text(attrPath, o.path), number(attrObject, o.id), number(attrType, o.kind),
			{attrSignature, encode(methods)}}
		c.send(answer)
	}
	if !found {
		return notFound
	}
	return 0
}

// sorted are the published objects in the order of their paths.
func (b *Bus) sorted() []*object {
	list := slices.DeleteFunc(slices.Clone(b.objects), func(o *object) bool { return o.path == "" })
	slices.SortFunc(list, func(a, b *object) int { return strings.Compare(a.path, b.path) })
	return list
}

func (b *Bus) add(c *client, f, answer frame) int {
	o := &object{id: b.newID(), path: f.text(attrPath), client: c}
	if signature, ok := f.get(attrSignature); ok {
		o.kind, o.methods = b.newID(), parse(signature)
	}
	if o.path != "" {
		taken := slices.ContainsFunc(b.objects, func(x *object) bool { return x.path == o.path })
		if taken || !b.allowed("publish", o.path) {
			return invalidArgument
		}
	}
	b.objects = append(b.objects, o)
	b.tell("ubus.object.add", o)
	answer.attrs = []attr{number(attrObject, o.id)}
	if o.kind != 0 {
		answer.attrs = append(answer.attrs, number(attrType, o.kind))
	}
	c.send(answer)
	return ok
}

// remove removes an object, and tells all whom it concerns.
func (b *Bus) remove(o *object) {
	for _, target := range b.objects {
		b.unsubscribe(target, o)
	}
	for _, s := range o.subscribers {
		s.client.send(frame{kind: unsubscribe, attrs: []attr{number(attrObject, s.id), number(attrTarget, o.id)}})
	}
	b.tell("ubus.object.remove", o)
	b.objects = slices.DeleteFunc(b.objects, func(x *object) bool { return x == o })
}

// tell sends an event about an object to all, also to who caused it.
func (b *Bus) tell(event string, o *object) {
	if o.path != "" {
		b.event(nil, event, encode([]attr{
			element(kindInt32, "id", binary.BigEndian.AppendUint32(nil, o.id)),
			element(kindString, "path", append([]byte(o.path), 0)),
		}))
	}
}

// event sends an event, but not to its sender.
func (b *Bus) event(from *client, name string, content []byte) {
	for _, o := range b.objects {
		if o.client != from && slices.ContainsFunc(o.patterns, func(p string) bool { return matches(p, name) }) {
			b.eventSeq++
			o.client.send(frame{kind: invoke, seq: b.eventSeq, attrs: []attr{
				number(attrObject, o.id), text(attrMethod, name), {attrData, content}}})
		}
	}
}

func matches(pattern, name string) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	return pattern == name || wild && strings.HasPrefix(name, prefix)
}

func (b *Bus) invoke(c *client, f frame) int {
	_, hasMethod := f.get(attrMethod)
	_, hasObject := f.get(attrObject)
	if !hasMethod || !hasObject {
		return invalidArgument
	}
	id, method := f.number(attrObject), f.text(attrMethod)
	if id == 1 {
		return b.invokeEvents(c, f, method)
	}
	o := b.object(id)
	switch {
	case o == nil:
		return notFound
	case !b.allowed("access", o.path, method):
		return permissionDenied
	}
	f.peer = c.id
	b.forward(c, o, f, nil)
	return silent
}

// forward has an object invoked.
func (b *Bus) forward(c *client, o *object, f frame, attrs []attr) {
	attrs = append(attrs, number(attrObject, o.id), text(attrMethod, f.text(attrMethod)), text(attrUser, c.user), text(attrGroup, c.group))
	if content, ok := f.get(attrData); ok {
		attrs = append(attrs, attr{attrData, content})
	}
	o.client.send(frame{kind: invoke, seq: f.seq, peer: c.id, attrs: attrs})
}

// invokeEvents is ubusd's own object for events.
func (b *Bus) invokeEvents(c *client, f frame, method string) int {
	content, _ := f.get(attrData)
	switch method {
	case "register":
		pattern, ok1 := member(content, kindString, "pattern")
		id, ok2 := member(content, kindInt32, "object")
		if !ok1 || !ok2 || len(id) != 4 || len(pattern) == 0 {
			return invalidArgument
		}
		o := b.object(binary.BigEndian.Uint32(id))
		name := string(pattern[:len(pattern)-1])
		switch {
		case o == nil:
			return notFound
		case o.client != c || !b.allowed("listen", strings.TrimSuffix(name, "*")):
			return permissionDenied
		}
		o.patterns = append(o.patterns, name)
		return ok
	case "send":
		id, ok1 := member(content, kindString, "id")
		payload, ok2 := member(content, kindTable, "data")
		if !ok1 || !ok2 || len(id) == 0 {
			return invalidArgument
		}
		name := string(id[:len(id)-1])
		if strings.HasPrefix(name, "ubus.") || !b.allowed("send", name) {
			return permissionDenied
		}
		b.event(c, name, payload)
		return ok
	}
	return invalidCommand
}

// respond takes an answer to who asked. One that fits nothing is dropped.
func (b *Bus) respond(c *client, f frame) int {
	o := b.object(f.number(attrObject))
	_, hasStatus := f.get(attrStatus)
	_, hasData := f.get(attrData)
	if o == nil || o.client != c || f.kind == status && !hasStatus || f.kind == data && !hasData {
		return silent
	}
	for _, caller := range b.clients {
		if caller.id == f.peer {
			f.peer = o.id
			caller.send(f)
			break
		}
	}
	return silent
}

func (b *Bus) subscribe(c *client, f frame) int {
	o, target := b.object(f.number(attrObject)), b.object(f.number(attrTarget))
	switch {
	case o == nil || target == nil:
		return notFound
	case o.client != c || target.client == c:
		return invalidArgument
	case f.kind == unsubscribe:
		b.unsubscribe(target, o)
		return ok
	case !b.allowed("subscribe", target.path):
		return notFound
	}
	target.subscribers = append(target.subscribers, o) // also a second time
	if len(target.subscribers) == 1 {
		target.active(1)
	}
	return ok
}

func (b *Bus) unsubscribe(target, o *object) {
	before := len(target.subscribers)
	target.subscribers = slices.DeleteFunc(target.subscribers, func(s *object) bool { return s == o })
	if before > 0 && len(target.subscribers) == 0 {
		target.active(0)
	}
}

// active tells the owner whether anybody subscribes.
func (o *object) active(v byte) {
	o.client.send(frame{kind: notify, seq: 1, attrs: []attr{number(attrObject, o.id), {attrActive, []byte{v}}}})
}

func (b *Bus) notify(c *client, f frame) int {
	o := b.object(f.number(attrObject))
	_, hasMethod := f.get(attrMethod)
	switch {
	case !hasMethod:
		return invalidArgument
	case o == nil:
		return notFound
	case o.client != c:
		return permissionDenied
	}
	var attrs []attr
	if v, ok := f.get(attrNoReply); ok && len(v) == 1 && v[0] != 0 {
		attrs = []attr{{attrNoReply, []byte{1}}}
	} else {
		var ids []attr
		for _, s := range o.subscribers {
			ids = append(ids, number(0, s.id))
		}
		c.send(frame{kind: status, seq: f.seq, peer: f.peer, attrs: []attr{
			number(attrObject, o.id), {attrSubscribers, encode(ids)}, number(attrStatus, 0)}})
	}
	for _, s := range o.subscribers {
		b.forward(c, s, f, slices.Clone(attrs))
	}
	return silent
}
