package openwrt

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
)

// checkPermissions: of a lan6d that runs as its own user, everybody in the group may be told things, only that user and root
// may change something, and nobody else may connect.
func checkPermissions(t *testing.T, r *router) {
	t.Helper()
	const read, change = "status", "loglevel info"
	for _, tt := range []struct {
		uid, gid uint32
		command  string
		status   int
		message  string
	}{
		{0, 0, read, 0, ""},
		{0, 0, change, 0, ""},
		{lan6dUser, lan6dUser, read, 0, ""},
		{lan6dUser, lan6dUser, change, 0, ""},
		{lan6dUser, otherUser, change, 0, ""},
		{otherUser, lan6dUser, read, 0, ""},
		{otherUser, lan6dUser, change, 1, "lan6d ctl: loglevel: only root and the user with id 32768 may, not the one with id 453\n"},
		{otherUser, otherUser, read, 1, "lan6d ctl: /var/run/lan6d/ctl.sock: permission denied: it is for root and the members of group lan6d\n"},
		{otherUser, otherUser, change, 1, "permission denied"},
	} {
		cmd := r.command(tt.uid, append([]string{"/usr/sbin/lan6d", "ctl"}, strings.Fields(tt.command)...)...)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: tt.uid, Gid: tt.gid}
		var complaint bytes.Buffer
		cmd.Stderr = &complaint
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != tt.status || !strings.Contains(complaint.String(), tt.message) || (tt.message == "") != (complaint.Len() == 0) {
			t.Errorf("ctl %s as user %d of group %d: exit status %d, %q, want %d, %q", tt.command, tt.uid, tt.gid, got, &complaint, tt.status, tt.message)
		}
	}
	if got := r.owner("var/run/lan6d/ctl.sock"); got != "lan6d 0660" {
		t.Errorf("the socket: %s", got)
	}
}
