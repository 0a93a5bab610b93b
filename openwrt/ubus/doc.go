// Package ubus takes part in OpenWrt's message bus: it publishes objects whose methods others call, notifies those who
// subscribe, sends and hears events, calls the methods of others, and follows their notifications.
//
// A Client is a state machine over one connection to ubusd. It belongs to one goroutine, the program's loop, which it
// never makes wait: the loop takes values from Inbox and hands them to Handle, calls Tick when it says, and asks Next what
// came of it. Two goroutines for each connection do nothing but read and write. Nothing here waits for an answer, so that
// a call of ours and a call to us cannot wait for each other.
//
// While there is no ubusd the client tries to connect again and again, and tells of it once.
package ubus
