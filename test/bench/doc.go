// Package bench measures lan6d as a whole: the program as it ships, in a network namespace of its own, with the journal
// in memory as on a router, and simulated clients at the other end of a wire. docs/BENCH.md says how to run it and what
// was measured.
//
// What counts is the processor time of lan6d's process, in user mode and in the kernel, its share of the network stack
// included: on a machine with other work to do, time on the clock says little. Compare figures of one machine only.
package bench
