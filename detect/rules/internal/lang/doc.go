// Package lang reads Falco's language of rules: YAML files with rules, macros and lists, conditions and output formats. It
// knows no fields: what they are, and which may be compared how, is for who compiles a [Set].
package lang
