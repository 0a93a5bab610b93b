package openwrt

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestReplaceFileBesideAnother: two files of one directory are replaced at the same time, as the loop and the writer of
// views may do, and each gets its own content.
func TestReplaceFileBesideAnother(t *testing.T) {
	dir := t.TempDir()
	done := make(chan error)
	for i := range 2 {
		path, content := filepath.Join(dir, fmt.Sprint("file", i)), bytes.Repeat([]byte{byte('0' + i)}, 10000)
		go func() {
			for range 500 {
				if err := ReplaceFile(path, content); err != nil {
					done <- err
					return
				}
				if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
					done <- fmt.Errorf("%s has %d octets of another, %v", path, len(got), err)
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
