//go:build !(arm || 386 || mips || mipsle)

package netif

// sysRecvmmsg64 is 0: 64-bit machines have one recvmmsg.
const sysRecvmmsg64 uintptr = 0
