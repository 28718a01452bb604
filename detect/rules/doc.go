// Package rules is a detector that is told what to look for in Falco's language: rules over the fields of events.
package rules
