package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	bindings "lan6d/dhcpv6/lease"
)

// A recorder is a router whose crowd has leases, and the journal that came of it.
type recorder struct {
	*router
	ledger  ledger
	crowd   *crowd
	content []byte
	ends    []int // of the records in it; the first is that of the header
}

// newRecorder stops lan6d when each of so many clients has got an address and a prefix.
func newRecorder(t *testing.T, clients int) *recorder {
	r := &recorder{router: newRouter(t, tight, tightAddrs...)}
	random := newRandom(t)
	r.crowd = r.newCrowd(random, &r.ledger, clients)
	for _, m := range r.crowd.members {
		m.codes = []uint16{optIANA, optIAPD}
	}
	r.crowd.join(r.crowd.members)
	r.lan6d.terminate(5 * time.Second)
	r.content = []byte(r.read(journalPath))
	r.ends = recordEnds(t, r.content)
	return r
}

// recordEnds walks over a journal by what docs/DESIGN.md and dhcpv6/lease/frame.go say of its form.
func recordEnds(t *testing.T, content []byte) (ends []int) {
	t.Helper()
	const header, frame = "lan6d journal 1\n", 6
	if !bytes.HasPrefix(content, []byte(header)) {
		t.Fatalf("the journal begins with % x", content[:min(len(content), len(header))])
	}
	at := len(header)
	for ends = append(ends, at); at < len(content); ends = append(ends, at) {
		if len(content)-at < frame {
			t.Fatalf("octet %d of the journal: no room for a record", at)
		}
		at += frame + int(binary.BigEndian.Uint16(content[at:]))
	}
	if at != len(content) {
		t.Fatalf("the last record ends at octet %d of %d", at, len(content))
	}
	return ends
}

// recorded are the claims of which a whole record tells within the first n octets.
func (r *recorder) recorded(n int) (list []claim) {
	const binding = 2
	for _, c := range r.ledger.all() {
		for i, end := range r.ends[1:] {
			body := r.content[r.ends[i]+6 : end]
			isPrefix := body[1] == 1
			if end <= n && body[0] == binding && isPrefix == (c.code == optIAPD) && bytes.Contains(body, []byte(c.duid)) {
				list = append(list, c)
				break
			}
		}
	}
	return list
}

// startWith starts lan6d with that for a journal, and returns what it made of it: at start it writes a new one.
func (r *recorder) startWith(content []byte) keep {
	r.t.Helper()
	if err := os.WriteFile(r.path(journalPath), content, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.serve()
	r.lan6d.logged("lan6d", "started")
	return r.kept()
}

// checkStart starts lan6d with the first whole octets of the journal and what else there is. It says nothing of the rest
// if there is none, else where it begins; it has the bindings whose records are whole, and no others; their routes too.
func (r *recorder) checkStart(name string, content []byte, whole int) {
	r.t.Helper()
	k := r.startWith(content)
	defer r.lan6d.kill()
	claims := r.recorded(whole)
	r.checkKept(name, k, claims)
	if k.len() != len(claims) {
		r.t.Errorf("%s: %d bindings are restored, want %d", name, k.len(), len(claims))
	}
	r.checkRoutes(name, k)
	told := fmt.Sprintf("octet %d:", whole)
	if rest := len(content) - whole; rest > 0 {
		if !r.lan6d.hasLogged("error:", told, fmt.Sprintf("%d octets from there on are ignored", rest)) {
			r.t.Errorf("%s: nothing is said of %d octets that are ignored: %s", name, rest, r.lan6d.log())
		}
	} else if strings.Contains(r.lan6d.log(), "error:") {
		r.t.Errorf("%s: something is wrong: %s", name, r.lan6d.log())
	}
}

// TestTornJournal: whatever is left of the journal, lan6d serves with the bindings whose records are whole, and says what
// it could not use. (That this is so for each octet of the last records, TestStoreTorn in package main shows.)
func TestTornJournal(t *testing.T) {
	t.Parallel()
	r := newRecorder(t, 12)
	last := r.ends[len(r.ends)-4:] // three records
	if n := len(r.recorded(last[0])); n != 24-3 || len(r.ledger.all()) != 24 {
		t.Fatalf("of %d claims %d are recorded before the last three records", len(r.ledger.all()), n)
	}
	for i, end := range last {
		cuts := []int{end - 1, end}
		if i < 3 {
			cuts = append(cuts, end+1, end+6, (end+last[i+1])/2) // within the frame, behind it, within the body
		}
		for _, cut := range cuts {
			i := max(0, searchEnd(r.ends, cut))
			r.checkStart(fmt.Sprintf("cut at octet %d", cut), r.content[:cut], r.ends[i])
		}
	}
}

// searchEnd is the index of the last end that is not behind n.
func searchEnd(ends []int, n int) int {
	i, found := slices.BinarySearch(ends, n)
	if !found {
		i--
	}
	return i
}

// TestDamagedJournal: what is behind a damaged record counts for nothing; a file that is none of lan6d's is kept for
// somebody to look at, and lan6d serves.
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	r := newRecorder(t, 12)
	for _, at := range []int{len(r.content) / 3, len(r.content) / 2, len(r.content) - 1} {
		damaged := bytes.Clone(r.content)
		damaged[at] ^= 0x04
		r.checkStart(fmt.Sprintf("octet %d is damaged", at), damaged, r.ends[searchEnd(r.ends, at)])
	}
	for i, test := range []struct{ name, content, told string }{
		{"garbage", strings.Repeat("garbage\n", 1000), "not a journal of lan6d"},
		{"another version", "lan6d journal 2\n" + string(r.content[len(bindings.Header):]), "a journal of another version"},
	} {
		k := r.startWith([]byte(test.content))
		bad := journalPath + []string{".bad", ".bad.1"}[i]
		if !r.lan6d.hasLogged("error:", test.told, "set aside as "+bad) {
			t.Errorf("%s: the log does not say so: %s", test.name, r.lan6d.log())
		}
		if r.read(bad) != test.content {
			t.Errorf("%s: %s is something else", test.name, bad)
		}
		if k.len() != 0 {
			t.Errorf("%s: %d bindings come of it", test.name, k.len())
		}
		r.crowd.renew(r.crowd.members) // they name what they had
		r.checkKept(test.name, r.kept(), r.ledger.all())
		r.lan6d.kill()
	}
}
