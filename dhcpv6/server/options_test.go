package server_test

import "net/netip"

// everyOption configures all there is.
func everyOption(s *setup) {
	s.POSIXTimezone, s.TZDBTimezone = "CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Zurich"
	lan := s.lan()
	lan.OwnDNS = true
	lan.Search = []string{"lan.example", "example"}
	_ = netip.Addr{}
}
