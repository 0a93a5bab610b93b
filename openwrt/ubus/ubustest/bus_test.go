package ubustest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// probe is what was sent to a real ubusd, and what it answered.
type probe struct {
	Name, Sent, Received string
	Closed               bool `json:"closed_by_ubusd"`
}

func probes(t *testing.T) []probe {
	b, err := os.ReadFile("../testdata/raw-probes.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Probes []probe }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Probes) != 13 {
		t.Fatalf("%d probes", len(file.Probes))
	}
	return file.Probes
}

// TestProbes sends the Bus what was sent to a real ubusd. It answers the same, but for ids, and for what others had
// published there.
func TestProbes(t *testing.T) {
	b := New(t)
	for _, p := range probes(t) {
		t.Run(p.Name, func(t *testing.T) {
			conn, err := net.Dial("unix", b.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(Patience))
			if f, err := readFrame(conn); err != nil || f.kind != hello || f.peer == 0 || len(f.attrs) != 0 {
				t.Fatalf("hello: %+v, %v", f, err)
			}
			conn.Write(octets(t, p.Sent))
			if p.Closed {
				if f, err := readFrame(conn); err == nil {
					t.Errorf("answered %+v, want the end of the connection", f)
				}
				return
			}
			compare(t, conn, octets(t, strings.TrimSuffix(p.Received, "...")))
		})
	}
}

func octets(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compare reads as many statuses as there are in the octets received, and compares them. Data are compared by type and
// sequence number, unless they are of objects that are not there.
func compare(t *testing.T, conn net.Conn, received []byte) {
	for r := bytes.NewReader(received); ; {
		want, err := readFrame(r)
		if err != nil {
			return
		}
		if want.kind == data && len(want.attrs) > 0 {
			continue // an object
		}
		got, err := readFrame(conn)
		if err != nil {
			t.Fatalf("%v, want %+v", err, want)
		}
		if want.kind == status && want.text(attrPath) == "" && got.number(attrStatus) == notFound && want.number(attrStatus) == ok {
			got.attrs = want.attrs // nothing is published here
		}
		if !bytes.Equal(got.encode(), want.encode()) {
			t.Errorf("%x, want %x", got.encode(), want.encode())
		}
	}
}
