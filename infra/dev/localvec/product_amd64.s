#include "textflag.h"

// func avx2(codes *int8, query *int16, steps int) int32
//
// Two accumulators of eight 32-bit sums. One step widens 32 codes to 16 bits and
// adds up the products in pairs. The rows of a block follow each other, so the codes
// a page on are asked for in time: the processor's own foresight ends at a page.
TEXT ·avx2(SB), NOSPLIT, $0-28
	MOVQ codes+0(FP), SI
	MOVQ query+8(FP), DI
	MOVQ steps+16(FP), CX

	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1

step:
	PREFETCHT0 4096(SI)
	VPMOVSXBW  (SI), Y2
	VPMOVSXBW  16(SI), Y3
	VPMADDWD   (DI), Y2, Y2
	VPMADDWD   32(DI), Y3, Y3
	VPADDD     Y2, Y0, Y0
	VPADDD     Y3, Y1, Y1
	ADDQ       $32, SI
	ADDQ       $64, DI
	DECQ       CX
	JNZ        step

	VPADDD       Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0x4E, X0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0xB1, X0, X1
	VPADDD       X1, X0, X0
	VZEROUPPER
	MOVL         X0, ret+24(FP)
	RET
