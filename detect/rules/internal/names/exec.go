package names

// The bits of execve's flags, which tell of the file that is executed.
const (
	ExeWritable = 1 << iota
	ExeUpper
	ExeMemory
	ExeLower
)

var exec = set{flags: true, names: []name{
	{ExeWritable, "EXE_WRITABLE"}, {ExeUpper, "EXE_UPPER_LAYER"}, {ExeMemory, "EXE_FROM_MEMFD"}, {ExeLower, "EXE_LOWER_LAYER"},
}}
