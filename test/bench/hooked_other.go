//go:build !linux

package main

func hooked() (int, error) { return 0, nil }
