// Package soak lets ordinary containers do ordinary work for a while, and counts what is told of them: make soak.
package soak
