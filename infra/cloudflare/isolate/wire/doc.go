// Package wire is the frame format of the calls between Go and the JavaScript glue.
//
// A frame is a sequence of values, each one tag byte and its payload, little
// endian and unaligned:
//
//	null, false, true        no payload
//	int32                    4 bytes
//	int64                    8 bytes
//	float64                  8 bytes
//	string, bytes, json      length (uint32), data
//	float32s                 count (uint32), 4 bytes each
//	list                     count (uint32), that many values
//
// Bytes stay bytes, a float32 vector becomes a Float32Array without passing
// through text, and an int64 keeps its 64 bits (JavaScript sees a BigInt when the
// value does not fit a Number). infra/glue/wire.mjs is the other half.
//
// The package is pure Go and knows nothing of JavaScript, so it is tested natively.
package wire
