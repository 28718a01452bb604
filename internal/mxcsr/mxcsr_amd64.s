#include "textflag.h"

// func set(to uint32)
TEXT ·set(SB), NOSPLIT, $0-4
	LDMXCSR to+0(FP)
	RET
