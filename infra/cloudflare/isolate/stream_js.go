package isolate

import (
	"context"
	"errors"
	"io"
)

// streamReader reads a ReadableStream that the glue holds for the task.
type streamReader struct {
	task   *Task
	ctx    context.Context
	handle int32
	begun  bool
	rest   []byte
	err    error
}

var errClosed = errors.New("isolate: read of a closed body")

// NewStream returns a reader of the stream that an operation left behind under the
// handle. It must be closed unless it is read to its end.
func NewStream(ctx context.Context, handle int64) io.ReadCloser {
	return &streamReader{task: From(ctx), ctx: ctx, handle: int32(handle)}
}

// Read implements io.Reader.
func (r *streamReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.begun = true
		res, err := call(r.ctx, "stream.read", int64(r.handle))
		switch {
		case err != nil:
			r.err = err
		case res.code == codeEOF:
			r.err = io.EOF
		default:
			r.rest = res.data
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Buffered is how many bytes Read returns without waiting.
func (r *streamReader) Buffered() int { return len(r.rest) }

// Close implements io.Closer: it tells the source that nobody reads any more.
func (r *streamReader) Close() error { return r.leave("stream.cancel") }

// End is Close for a reader that knows that there is no more data although the stream has not said so: the source may end it
// in peace.
func (r *streamReader) End() error { return r.leave("stream.end") }

// leave also tells the source when a read has failed, as one does whose context was canceled.
func (r *streamReader) leave(op string) error {
	if r.err == io.EOF || r.err == errClosed {
		return nil
	}
	r.err = errClosed
	if r.task.Enter() != nil {
		return nil
	}
	_, err := r.task.callSync(op, int64(r.handle))
	return err
}

// Pipe makes a stream whose data comes from Go, for operations that take a body: it
// returns the stream's handle at once and copies body into it in the background. size
// is the exact length, or negative when it is unknown. ctx and cancel belong to the
// operation: when body fails, its error cancels the operation, and when the operation
// fails, the caller cancels it, which ends the copying. A body that is an io.Closer is closed
// at its end.
func Pipe(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader, size int64) (handle int64, err error) {
	if r, ok := body.(*streamReader); ok && r.err == nil && len(r.rest) == 0 && !r.begun {
		r.err = errClosed // a stream that nobody has read is handed over as it is
		return int64(r.handle), nil
	}
	r, err := Call(ctx, "pipe.open", size)
	if err != nil {
		return 0, err
	}
	p := &pipe{ctx: ctx, handle: r.Int()}
	go func() {
		err := p.copy(body)
		if c, ok := body.(io.Closer); ok {
			_ = c.Close()
		}
		if err != nil {
			cancel(err)
			_, _ = Call(context.WithoutCancel(ctx), "pipe.abort", p.handle, err.Error())
		}
	}()
	return p.handle, nil
}

// pipe is the writing half of a stream that the glue reads.
type pipe struct {
	ctx    context.Context
	handle int64
}

// copy returns errors of the body, and the cause of a canceled operation; what goes
// wrong with the stream itself shows at its reader.
func (p *pipe) copy(body io.Reader) (err error) {
	defer func() {
		if v := recover(); v != nil {
			reportPanic("the reader of a body", v)
			err = errors.New("isolate: the reader of the body panicked")
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if _, e := Call(p.ctx, "pipe.write", p.handle, buf[:n]); e != nil {
				if p.ctx.Err() != nil {
					return context.Cause(p.ctx)
				}
				return nil
			}
		}
		if err == io.EOF {
			_, _ = Call(p.ctx, "pipe.close", p.handle)
			return nil
		}
		if err != nil {
			return err
		}
	}
}
