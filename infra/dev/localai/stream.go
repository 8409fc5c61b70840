package localai

import (
	"context"
	"errors"
)

// errCut ends a stream without its closing events, as a broken connection does.
var errCut = errors.New("the stream was cut")

// stream is an answer being generated: write sends it all, and answers what it
// used and the error that broke it off.
type stream struct {
	write func(send func([]byte) error) (usage, error)
}

// startStream waits for the first piece, so that an error before it is an ordinary
// error answer and not a broken stream.
func (s *Server) startStream(ctx context.Context, c *chat, generate generator, asked int) (*answer, error) {
	type end struct {
		usage usage
		err   error
	}
	pieces, ended := make(chan delta), make(chan end, 1)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		u, err := generate(ctx, c, func(d delta) error {
			select {
			case pieces <- d:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		ended <- end{u, err}
		close(pieces)
	}()

	first, some := <-pieces
	if !some {
		e := <-ended
		if e.err != nil {
			cancel()
			return nil, e.err
		}
		ended <- e
	}
	write := func(send func([]byte) error) (usage, error) {
		defer cancel()
		events, whole := newEvents(c.model, s.options.Now()), &completion{}
		for d, more := first, some; more; d, more = <-pieces {
			whole.add(d)
			if d.text == "" && d.tool == nil {
				continue
			}
			if err := send(events.delta(delta{text: d.text, tool: d.tool})); err != nil {
				cancel()
				<-ended
				return s.settle(usage{}, asked, whole.text.String()), err
			}
		}
		e := <-ended
		u := s.settle(e.usage, asked, whole.text.String())
		if e.err != nil {
			return u, e.err
		}
		return u, send(events.end(whole.reason(), u))
	}
	return &answer{stream: &stream{write}}, nil
}
