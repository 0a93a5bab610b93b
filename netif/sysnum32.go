//go:build arm || 386 || mips || mipsle

package netif

import "golang.org/x/sys/unix"

// sysRecvmmsg64 is recvmmsg for kernels of 32-bit machines built without the
// system calls that take a 32-bit time. We pass no time to either.
const sysRecvmmsg64 uintptr = unix.SYS_RECVMMSG_TIME64
