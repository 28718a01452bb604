// Package bulwark is the vocabulary of Bulwark: the types that every part speaks
// and the contracts that plugins keep. It imports the standard library alone.
//
// Facts flow one way. A [Source] opens what a reference names and gives a
// [Target]; one pass over the bytes of its layers feeds every [Extractor] and
// [Inspector]; after the layers are merged a [Resolver] settles what needs the
// whole image, and the result is an [Inventory]. A [Check] reasons about target
// and inventory and emits findings, an [Advisor] says what to do first, and every
// [Record] goes to a [Handler]: a report or a store.
package bulwark
