package isolate

import "unsafe"

// The functions of the glue (infra/glue/host.mjs). All are synchronous and none
// calls back into Go. Frames are in the format of package wire.

// jsCurrent is the home of the running turn.
//
//go:wasmimport isolate current
func jsCurrent() int32

// jsLog writes a line of the Worker's log.
//
//go:wasmimport isolate log
func jsLog(line string)

// jsInbox tells where the glue puts the data of events and settled operations.
//
//go:wasmimport isolate inbox
func jsInbox(p unsafe.Pointer, n int32)

// jsOperation interns an operation's name; negative when there is none.
//
//go:wasmimport isolate operation
func jsOperation(name string) int32

// jsHop asks for the settlement of op from within the task's home.
//
//go:wasmimport isolate hop
func jsHop(task, op int32)

// jsTake copies the bytes of a handle and drops it.
//
//go:wasmimport isolate take
func jsTake(h int32, p unsafe.Pointer, n int32)

// jsCall starts an operation, which settles op.
//
//go:wasmimport isolate call
func jsCall(task, op, operation int32, p unsafe.Pointer, n int32)

// jsCallSync runs a synchronous operation. Its result, a status byte and a frame, goes to
// dst if it fits (the length is returned), else to a handle (negative; jsLength has the length).
//
//go:wasmimport isolate callsync
func jsCallSync(task, operation int32, p unsafe.Pointer, n int32, dst unsafe.Pointer, size int32) int32

//go:wasmimport isolate length
func jsLength() int32

// jsAbort gives up a started operation.
//
//go:wasmimport isolate abort
func jsAbort(task, op int32)

// jsRespond answers an HTTP event; true when its task is over.
//
//go:wasmimport isolate respond
func jsRespond(task, status, header int32, head string, body unsafe.Pointer, n int32) int32

//go:wasmimport isolate streamstart
func jsStreamStart(task, status int32, head string)

// jsStreamWrite returns 1 when there is room for more, 0 when op will be settled once there is, -1 when nobody reads.
//
//go:wasmimport isolate streamwrite
func jsStreamWrite(task, op int32, p unsafe.Pointer, n int32) int32

//go:wasmimport isolate streamclose
func jsStreamClose(task int32, message string) int32

// jsDone answers any other event: a frame, or an error's frame when code is not 0.
//
//go:wasmimport isolate done
func jsDone(task, code int32, p unsafe.Pointer, n int32) int32

//go:wasmimport isolate hold
func jsHold(task int32)

//go:wasmimport isolate release
func jsRelease(task int32) int32

// inbox is where the glue writes before it enters Go, and only then: no Go code
// runs between, so what an export reads from it is whole.
var inbox = make([]byte, 128<<10)

// received copies what came with an export call: n bytes of the inbox from off, or of handle h.
func received(off, n, h int32) []byte {
	b := make([]byte, n)
	if h != 0 {
		p, _ := pointer(b)
		jsTake(h, p, n)
		return b
	}
	copy(b, inbox[off:])
	return b
}

func pointer(b []byte) (unsafe.Pointer, int32) {
	return unsafe.Pointer(unsafe.SliceData(b)), int32(len(b))
}

// buffers are the spare argument and result buffers. A buffer has one owner: an
// allocation can start a garbage collection, which may let another goroutine run.
var buffers [][]byte

const (
	bufferSize = 16 << 10
	maxBuffers = 16
)

func borrow() []byte {
	if n := len(buffers); n > 0 {
		b := buffers[n-1]
		buffers = buffers[:n-1]
		return b[:0]
	}
	return make([]byte, 0, bufferSize)
}

func giveBack(b []byte) {
	if cap(b) <= 4*bufferSize && len(buffers) < maxBuffers {
		buffers = append(buffers, b)
	}
}
