// Package packets holds what the network engine answers against real packets: pods are network
// namespaces joined by a router, policies are rules of nftables in it, and TCP and UDP probes
// tell what gets through.
//
// The rules are made from the policies by the test itself, pod by pod, without the engine.
package packets
