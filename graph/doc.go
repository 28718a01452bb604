// Package graph joins relations into attack paths: how somebody who holds one thing comes to
// hold another, which steps most paths share, and the smallest set of remedies that leaves
// none. It knows relations alone; where they come from is the relaters' matter.
//
// Vertices are numbers, relations lie sorted by where they begin (compressed sparse rows),
// and a step costs -ln of its likelihood: the cheapest path is the likeliest.
package graph
