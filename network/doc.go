// Package network answers who can talk to whom: which workload reaches which other, from and
// to which addresses, on which ports, and by which rule of which policy.
//
// Policies of every kind become one form: tiers of policies in order, each with rules that
// allow, deny or pass on (policy.go). Pods that no policy can tell apart are one endpoint
// (endpoint.go); selectors become bitsets of endpoints (selector.go), addresses blocks that
// no policy cuts (block.go). What an endpoint may receive and send is a row (row.go): rows
// of endpoints that the same rules hold for are one. A connection is there where the row of
// the sender and that of the receiver both have it.
package network
