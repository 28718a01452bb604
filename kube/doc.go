// Package kube is the vocabulary of Kubernetes: objects as a manifest, a chart or a
// cluster declares them, decoded once, lazily and typed, with the file and line of every
// field; workloads, found by the shape of their pod template in whatever kind of object it
// stands; and an index over all objects of a target.
//
// Everything in it is foreign. What cannot be decoded is a [Problem] at its place, and the
// rest of the object is there all the same.
package kube
