// Package response is what is done to a process or a container that does harm: it is frozen, or killed with
// all it started. Unlike blocks, responses stay when bulwark ends: what is frozen stays frozen until it is thawed.
package response
