package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
)

// record frames a body as package lease does it.
func record(body string) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(crc32.Checksum(b, table), table, []byte(body))
	return append(binary.BigEndian.AppendUint32(b, sum), body...)
}

// records returns a journal with those records, and where each of them ends, the header first.
func records(bodies ...string) (content []byte, ends []int) {
	content = []byte(lease.Header)
	ends = []int{len(content)}
	for _, body := range bodies {
		content = append(content, record(body)...)
		ends = append(ends, len(content))
	}
	return content, ends
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s has %d octets, want %d: %q", path, len(got), len(want), got[:min(len(got), 80)])
	}
}

// wantNames checks what is in a directory.
func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("directory has %q, want %q", got, want)
	}
}

func wantProblem(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no problem, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Fatalf("problem %q, want one with %q", err, part)
		}
	}
}

func mustCreate(t *testing.T, path string, content []byte, sync bool) *Journal {
	t.Helper()
	j, err := Create(path, content, sync)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// limitFiles makes files end at that length, as a full disk does, until the function returned is called.
func limitFiles(t *testing.T, length uint64) (restore func()) {
	t.Helper()
	signal.Ignore(unix.SIGXFSZ)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: length, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	restore = func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(restore)
	return restore
}

func TestRoundTrip(t *testing.T) {
	for _, sync := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "leases")
		if content, problem := Load(path); content != nil || problem != nil {
			t.Fatalf("missing file: %q, %v", content, problem)
		}
		j := mustCreate(t, path, []byte(lease.Header), sync)
		want := []byte(lease.Header)
		for i := range 20 {
			r := append(record(fmt.Sprint("one ", i)), record("two")...)
			want = append(want, r...)
			if err := errors.Join(j.Append(r), j.Append(nil)); err != nil {
				t.Fatal(err)
			}
		}
		if j.Size() != int64(len(want)) {
			t.Errorf("size %d, want %d", j.Size(), len(want))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		content, problem := Load(path)
		if problem != nil || !bytes.Equal(content, want) {
			t.Fatalf("loaded %q, %v", content, problem)
		}
		wantNames(t, dir, "leases")
	}
}

func TestClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	j := mustCreate(t, path, nil, false)
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, j.Append(record("a")), path, "closed")
	wantProblem(t, j.Rewrite([]byte(lease.Header)), path, "closed")
	wantFile(t, path, []byte(lease.Header))
}

func TestNoContentIsEmptyJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	j := mustCreate(t, path, nil, false)
	if err := j.Append(record("a")); err != nil {
		t.Fatal(err)
	}
	want, _ := records("a")
	wantFile(t, path, want)
	if j.Size() != int64(len(want)) {
		t.Errorf("size %d, want %d", j.Size(), len(want))
	}
	if err := Save(path, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, []byte(lease.Header))
}

func TestLoadTruncated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	full, ends := records("first", "second, longer", "3", "fourth")
	whole := ends[1]
	for n := ends[1]; n <= len(full); n++ {
		for _, end := range ends {
			if end <= n {
				whole = end
			}
		}
		write(t, path, full[:n])
		content, problem := Load(path)
		if !bytes.Equal(content, full[:whole]) {
			t.Fatalf("of %d octets: %q", n, content)
		}
		if n == whole {
			if problem != nil {
				t.Fatalf("%d octets: %v", n, problem)
			}
			continue
		}
		wantProblem(t, problem, path, fmt.Sprintf("octet %d:", whole), fmt.Sprintf(" %d octets ", n-whole))
		wantFile(t, path, full[:n])
	}
}

func TestLoadCorrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	full, ends := records("first", "second, longer", "3", "fourth")
	for at := ends[1]; at < len(full); at++ {
		whole := 0
		for _, end := range ends {
			if end <= at {
				whole = end
			}
		}
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			b := bytes.Clone(full)
			b[at] ^= flip
			write(t, path, b)
			content, problem := Load(path)
			if !bytes.Equal(content, full[:whole]) {
				t.Fatalf("octet %d ^ %#x: %q", at, flip, content)
			}
			wantProblem(t, problem, path, fmt.Sprintf("octet %d:", whole), fmt.Sprintf(" %d octets ", len(b)-whole))
		}
	}
}

func TestLoadTornHeader(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "leases")
	for n := range len(lease.Header) {
		write(t, path, []byte(lease.Header[:n]))
		content, problem := Load(path)
		if content != nil {
			t.Fatalf("of %d octets: %q", n, content)
		}
		wantProblem(t, problem, path, errTorn.Error(), fmt.Sprintf(": %d of ", n))
		wantNames(t, dir, "leases")
	}
}

func TestLoadNoJournal(t *testing.T) {
	newer := strings.Replace(lease.Header, "1\n", "2\n", 1) + "whatever"
	for text, reason := range map[string]error{
		"garbage that is longer than the header": lease.ErrNotRecords,
		"short":                                  lease.ErrNotRecords,
		"\x00\x00\x00\x00":                       lease.ErrNotRecords,
		newer:                                    lease.ErrVersion,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "leases")
		write(t, path, []byte(text))
		content, problem := Load(path)
		if content != nil || !errors.Is(problem, reason) {
			t.Fatalf("%q: %q, %v", text, content, problem)
		}
		wantProblem(t, problem, path, path+".bad")
		wantNames(t, dir, "leases.bad")
		wantFile(t, path+".bad", []byte(text))
	}
}

func TestLoadBadNames(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "leases")
	names := []string{"leases.bad"}
	for i := 1; i <= 9; i++ {
		names = append(names, fmt.Sprint("leases.bad.", i))
	}
	for i := range 12 {
		text := []byte(fmt.Sprint("garbage ", i))
		write(t, path, text)
		_, problem := Load(path)
		name := filepath.Join(dir, names[min(i, 9)])
		wantProblem(t, problem, "set aside as "+name)
		wantFile(t, name, text)
		wantNames(t, dir, names[:min(i, 9)+1]...)
	}
	wantFile(t, path+".bad", []byte("garbage 0"))
	wantFile(t, path+".bad.8", []byte("garbage 8"))
}

func TestLoadTooLong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "leases")
	write(t, path, []byte(lease.Header))
	if err := os.Truncate(path, maxFile+1); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	content, problem := Load(path)
	if content != nil {
		t.Fatalf("%d octets", len(content))
	}
	wantProblem(t, problem, path, errTooLong.Error(), path+".bad")
	wantNames(t, dir, "leases.bad")
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	for _, path := range []string{dir, "/dev/null", filepath.Join(file, "leases")} {
		content, problem := Load(path)
		if content != nil {
			t.Fatalf("%s: %q", path, content)
		}
		wantProblem(t, problem, path)
	}
	wantNames(t, dir, "file")
}

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "leases")
	elsewhere := filepath.Join(dir, "elsewhere")
	write(t, elsewhere, []byte("keep"))
	if err := os.Symlink(elsewhere, path+".tmp"); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("mode %v, want 0600", info.Mode())
		}
	}
	if err := Save(path, []byte(lease.Header)); err != nil {
		t.Fatal(err)
	}
	check()
	wantFile(t, elsewhere, []byte("keep"))
	// A temporary file and an old one that all may read make no difference.
	for _, name := range []string{path, path + ".tmp"} {
		write(t, name, nil)
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	j := mustCreate(t, path, []byte(lease.Header), false)
	check()
	if err := j.Rewrite([]byte(lease.Header)); err != nil {
		t.Fatal(err)
	}
	check()
	wantNames(t, dir, "elsewhere", "leases")
}

func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "leases")
	old, _ := records("old")
	if err := Save(path, old); err != nil {
		t.Fatal(err)
	}
	restore := limitFiles(t, 100)
	content, _ := records(strings.Repeat("new", 100))
	err := Save(path, content)
	_, createErr := Create(path, content, false)
	restore()
	if !errors.Is(err, unix.EFBIG) || !errors.Is(createErr, unix.EFBIG) {
		t.Fatalf("errors %v, %v", err, createErr)
	}
	wantProblem(t, err, path)
	wantFile(t, path, old)
	wantNames(t, dir, "leases")

	// The rename can fail, too.
	occupied := filepath.Join(dir, "occupied")
	if err := os.Mkdir(occupied, 0o700); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, Save(occupied, content), occupied)
	wantNames(t, dir, "leases", "occupied")
}

func TestAppendFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "leases")
	j := mustCreate(t, path, []byte(lease.Header), true)
	if err := j.Append(record("first")); err != nil {
		t.Fatal(err)
	}
	want, _ := records("first")

	restore := limitFiles(t, uint64(len(want)+10)) // so that the kernel takes a part
	err := j.Append(record("a record that does not fit any more"))
	rewriteErr := j.Rewrite(append(bytes.Clone(want), make([]byte, 100)...))
	restore()
	if !errors.Is(err, unix.EFBIG) || !errors.Is(rewriteErr, unix.EFBIG) {
		t.Fatalf("errors %v, %v", err, rewriteErr)
	}
	wantProblem(t, err, path)
	wantFile(t, path, want)
	if again := j.Append(record("fits")); again != err {
		t.Fatalf("error %v, want the same as before: %v", again, err)
	}
	wantFile(t, path, want)
	if j.Size() != int64(len(want)) {
		t.Errorf("size %d, want %d", j.Size(), len(want))
	}

	want, _ = records("first", "second")
	if err := j.Rewrite(want); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(record("third")); err != nil {
		t.Fatal(err)
	}
	want, _ = records("first", "second", "third")
	wantFile(t, path, want)
	wantNames(t, dir, "leases")
}

// A part that cannot be taken back either is what Load ignores.
func TestAppendAndTruncateFail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	j := mustCreate(t, path, []byte(lease.Header), false)
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	j.file.Close()
	j.file = readOnly
	err = j.Append(record("a"))
	wantProblem(t, err, "take it back", path)
	if !errors.Is(err, unix.EBADF) && !errors.Is(err, unix.EINVAL) {
		t.Fatal(err)
	}
	if err := errors.Join(j.Rewrite(nil), j.Append(record("b"))); err != nil {
		t.Fatal(err)
	}
	want, _ := records("b")
	wantFile(t, path, want)
}

func TestRewriteFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	moved := dir + ".moved"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j := mustCreate(t, filepath.Join(dir, "leases"), []byte(lease.Header), false)
	// Permissions do not stop root, so the directory is not just made read-only.
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, j.Rewrite([]byte(lease.Header)), dir)
	if err := j.Append(record("still")); err != nil {
		t.Fatal(err)
	}
	want, _ := records("still")
	wantFile(t, filepath.Join(moved, "leases"), want)
	wantNames(t, moved, "leases")
}

func TestGrown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases")
	j := mustCreate(t, path, nil, false)
	r := record(strings.Repeat("x", 1<<10-6))
	add := func(n int) {
		t.Helper()
		for range n {
			if err := j.Append(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := func(grown bool) {
		t.Helper()
		if j.Grown() != grown {
			t.Errorf("grown %v at %d octets, want %v", !grown, j.Size(), grown)
		}
	}
	want(false)
	add(63)
	want(false) // long enough compared to the header, but short
	add(1)
	want(true)
	content, problem := Load(path)
	if problem != nil {
		t.Fatal(problem)
	}
	if err := j.Rewrite(content); err != nil {
		t.Fatal(err)
	}
	want(false)
	add(64)
	want(false) // twice, less one header
	add(1)
	want(true)
}

func TestAppendAllocatesNothing(t *testing.T) {
	for _, sync := range []bool{false, true} {
		j := mustCreate(t, filepath.Join(t.TempDir(), "leases"), nil, sync)
		r := record("body")
		if n := testing.AllocsPerRun(100, func() {
			if err := j.Append(r); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("sync %v: %v allocations", sync, n)
		}
	}
}

// Whatever stands in the journal's place, a start does not wait for it.
func TestLoadFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases.journal")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, errNotRegular) { // not after ten minutes
		t.Errorf("error %v", err)
	}
	j, err := Create(path, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	wantFile(t, path, []byte(lease.Header))
}
