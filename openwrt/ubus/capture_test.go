package ubus

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// capture is a file of frames between real programs.
type capture struct {
	Name   string
	Frames []capturedFrame
}

type capturedFrame struct {
	Conn  int
	Dir   string
	Type  string
	Seq   uint16
	Peer  uint32
	Attrs attributes
	Hex   string
}

func (f *capturedFrame) bytes(t testing.TB) []byte { return unhex(t, f.Hex) }

// attributes are those of a frame, in their order.
type attributes []attribute

type attribute struct {
	name  string
	value json.RawMessage
}

func (a *attributes) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		*a = append(*a, attribute{name.(string), value})
	}
	return nil
}

// item is an element of a blobmsg, or an item of a list of them.
type item struct {
	Name  string
	Type  string
	Value json.RawMessage
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode[T any](t testing.TB, b []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

// captures reads all captured frames.
func captures(t testing.TB) []capture {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []capture
	frames := 0
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := decode[capture](t, b)
		all = append(all, c)
		frames += len(c.Frames)
	}
	if frames != 243 {
		t.Fatalf("%d captured frames, want 243", frames)
	}
	return all
}

// find returns a captured frame.
func find(t testing.TB, name, dir, kind string, seq uint16) *capturedFrame {
	t.Helper()
	for _, c := range captures(t) {
		for i, f := range c.Frames {
			if c.Name == name && f.Dir == dir && f.Type == kind && f.Seq == seq {
				return &c.Frames[i]
			}
		}
	}
	t.Fatalf("no %s %d of %s", kind, seq, name)
	return nil
}

var kindNumbers = map[string]uint8{"HELLO": msgHello, "STATUS": msgStatus, "DATA": msgData, "LOOKUP": msgLookup,
	"INVOKE": msgInvoke, "ADD_OBJECT": msgAddObject, "REMOVE_OBJECT": msgRemoveObject, "SUBSCRIBE": msgSubscribe, "NOTIFY": msgNotify}

var attrNumbers = map[string]uint32{"status": attrStatus, "objpath": attrObjPath, "objid": attrObjID, "method": attrMethod,
	"objtype": attrObjType, "signature": attrSignature, "data": attrData, "target": attrTarget, "active": attrActive,
	"no_reply": attrNoReply, "subscribers": attrSubscribers, "user": attrUser, "group": attrGroup}
