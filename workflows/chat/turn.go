package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools/loop"
)

// turn is one turn in the hands of its owner. Two goroutines run it: one asks the model and writes down what happens, one
// tells the session. Neither waits for the client.
type turn struct {
	chat    *Chat
	scope   tenants.Scope
	request Request
	mark    rag.Delimiter
	stream  StreamID
	once    string // what no other turn is called, also when the session ends and begins anew

	live    *live
	begun   chan beginning
	opening *time.Timer // lets Start return before the model has answered
	journal *journal
	answer  llm.Answer // nil until a model answers
	draft   draft
	steps   []llm.Message // before the draft
	check   *check        // nil where the answer rests on nothing
	failed  bool
	told    chan struct{} // closed when the session will be told nothing more

	abandoned context.Context // ends when the turn has gone on without its client for long enough
	abandon   context.CancelFunc
}

// beginning is what Start waits for.
type beginning struct {
	live Live
	err  error
}

// Why a model is stopped.
var (
	errAbandoned = fault.New(fault.Unavailable, "turn_abandoned", "the client left, and the answer took longer than a turn goes on without it", nil)
	errUntold    = fault.New(fault.Unavailable, "turn_interrupted", "the session did not take what the turn told it", nil)
)

// errOurs is what clients are told of our own mistakes, of which the log says more.
var errOurs = fault.New(fault.Internal, "internal", "something went wrong on our side", nil)

func newTurn(c *Chat, s tenants.Scope, r Request, mark rag.Delimiter) *turn {
	if r.Report == nil {
		r.Report = &safety.Report{}
	}
	if r.Over == nil {
		r.Over = func(context.Context) {}
	}
	t := &turn{chat: c, scope: s, request: r, mark: mark,
		begun: make(chan beginning, 1), journal: newJournal(), told: make(chan struct{})}
	t.abandoned, t.abandon = context.WithCancel(context.Background())
	t.live = &live{chat: c, scope: s, wake: make(chan struct{}, 1), room: make([]Event, 0, 16), leave: t.left}
	t.live.queue = t.live.room
	return t
}

// left is called when the client has gone. What it has seen is told to the session at once, as it may come back.
func (t *turn) left() {
	t.journal.hurry()
	time.AfterFunc(t.chat.opts.Linger, t.abandon)
}

// run is the whole turn, and what is left to do after it.
func (t *turn) run(ctx context.Context) {
	defer t.recover(func(err error) { t.report(nil, err) })
	over := sync.OnceFunc(func() { t.request.Over(ctx) })
	defer over()
	begun, err := t.chat.ports.Sessions.Begin(ctx, t.scope, t.request.opening())
	if err != nil {
		t.report(nil, fmt.Errorf("begin the turn: %w", err))
		return
	}
	if begun.Replayed {
		t.report(t.chat.Follow(ctx, t.scope, begun.Stream, 0))
		return
	}
	t.stream, t.live.stream = begun.Stream, begun.Stream
	t.once = fmt.Sprintf("%s@%d", begun.Stream, begun.Started.UnixMilli())
	living, leave := context.WithCancel(ctx)
	defer leave() // should it panic: then nobody says any more that the turn lives
	asking, stop := context.WithCancelCause(living)
	defer stop(nil)
	defer context.AfterFunc(t.abandoned, func() { stop(errAbandoned) })()
	go t.keep(living, stop)
	// A client that waits for a slow model is to know its stream, and see its sources and that the turn lives.
	t.opening = time.AfterFunc(t.chat.opts.Open, func() { t.report(t.live, nil) })
	defer t.opening.Stop()
	t.converse(asking, begun.Past)
	<-t.told
	over()
	if !t.failed {
		t.summarise(asking, begun.Past)
	}
}

func (r Request) opening() Opening {
	return Opening{Session: r.Session, Key: r.Key, User: r.User, Messages: r.Messages, Keep: r.Keep, Cause: r.Cause}
}

// keep tells the session until the turn is over or the session takes nothing more. Then the turn is not ours any more.
func (t *turn) keep(ctx context.Context, stop context.CancelCauseFunc) {
	defer close(t.told)
	defer t.live.handOver()
	defer t.recover(func(err error) { stop(err) })
	err := t.tell(ctx, stop)
	switch {
	case err == nil:
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		stop(t.lost(ctx))
	default:
		t.log(ctx, "the session was not told how a turn went on", err)
		stop(errUntold)
	}
}

// lost is why the turn is not ours any more: the session is gone, or has ended it because we were out of its reach.
func (t *turn) lost(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	if _, err := t.chat.ports.Sessions.Replay(ctx, t.scope, t.stream, 0, 1); fault.Is(err, fault.NotFound) {
		return errGone
	}
	return errUntold
}

// converse searches, when the turn is to be grounded, asks the model and writes down what it says, to the end.
func (t *turn) converse(ctx context.Context, past Past) {
	defer t.recover(func(err error) { t.refused(ctx, err) })
	t.notice(ctx)
	found, err := t.chat.search(ctx, t.scope, t.request, past)
	if err != nil {
		t.refused(ctx, fmt.Errorf("ground the turn: %w", err))
		return
	}
	if found != nil {
		t.request.Report.Retrieved(found.notes)
		t.notice(ctx)
		t.happen(ctx, Sources, found.event)
		t.check = newCheck(found.sources, t.request)
	}
	if ran := t.request.Ran; ran != nil {
		t.happen(ctx, ToolCame, came(*ran))
	}
	if err := t.ask(ctx, past, found); err != nil {
		t.refused(ctx, err)
		return
	}
	t.report(t.live, nil)
	t.end(ctx, t.listen(ctx))
}

// notice tells what was found since it was last told. A turn that was stopped is found out by its search or its model.
func (t *turn) notice(ctx context.Context) {
	if news := t.request.Report.News(); news != nil {
		_ = t.happen(ctx, Safety, encode(news))
	}
}

// ask asks the model, with the platform's tools if there are any.
func (t *turn) ask(ctx context.Context, past Past, found *findings) (err error) {
	order := llm.Order{
		Models: t.request.Models,
		Call:   llm.Call{Purpose: llm.ForChat, RequestID: t.request.RequestID, Session: t.request.Session},
		Prompt: t.request.prompt(past, found, t.mark),
		Redact: t.request.Policy.Answers == tenants.RedactOn,
	}
	if t.request.Kit == nil {
		t.answer, err = t.chat.ports.Generator.Generate(ctx, t.scope, order)
		return err
	}
	t.answer, err = loop.Generate(ctx, t.chat.ports.Generator, t.scope, loop.Order{
		Order: order, Kit: t.request.Kit, Mark: t.mark, Key: t.once, Watch: &steps{turn: t, ctx: ctx},
	})
	return err
}

// refused ends a turn that the search, the model, or who pays for them, did not let begin. The client is told when the session has it, so
// that it may try again at once, or soon after, should the session not answer. One that has its stream already gets the
// error there.
func (t *turn) refused(ctx context.Context, err error) {
	t.opening.Stop()
	t.end(ctx, err)
	select {
	case <-t.told:
	case <-time.After(tellTime):
	}
	t.report(nil, why(ctx, err))
}

// listen writes down what the model says; pieces that came together are one event. Calls of tools are told when they are
// complete, which only the end of the answer makes sure. However it ends, what the answer took is settled.
func (t *turn) listen(ctx context.Context) error {
	defer t.answer.Close()
	text := ""
	for {
		d, ended := t.answer.Next()
		switch {
		case ended == nil:
			text += t.draft.tell(t.check.take(d.Text))
			t.draft.take(d)
		case errors.Is(ended, io.EOF):
			text += t.conclude()
		}
		if text != "" && (ended != nil || len(text) >= maxToken || !llm.Ready(t.answer)) {
			if err := t.happen(ctx, Token, token(text)); err != nil {
				return err
			}
			text = ""
		}
		if errors.Is(ended, io.EOF) {
			break
		}
		if ended != nil {
			return ended
		}
	}
	for _, call := range t.draft.complete() {
		if err := t.happen(ctx, ToolCalled, encode(call)); err != nil {
			return err
		}
	}
	return nil
}

// happen writes an event down and gives it to the client.
func (t *turn) happen(ctx context.Context, typ EventType, data json.RawMessage) error {
	e, err := t.journal.add(ctx, typ, data)
	if err == nil {
		t.live.put(e)
	}
	return err
}

// conclude ends the check of a whole answer, and returns what may still be told of it.
func (t *turn) conclude() string {
	text := t.check.end(true)
	if len(t.draft.calls) == 0 && !t.draft.spoke && strings.TrimSpace(text) == "" {
		text = t.check.silence()
	}
	return t.draft.tell(text)
}

// end writes down how the turn ended: what of the answer was checked and the usage, if a model answered, and the final event. Only the
// first call counts.
func (t *turn) end(ctx context.Context, err error) {
	o := Outcome{Steps: t.steps, Answer: t.draft.message(), Finish: t.draft.finish}
	if t.answer != nil && t.check != nil {
		t.check.end(false)
		o.Citations = t.check.citations
		t.live.put(t.journal.addLast(Citations, encode(cited{o.Citations})))
	}
	if kinds := llm.Redacted(t.answer); len(kinds) > 0 {
		t.live.put(t.journal.addLast(Safety, encode(safety.Told{Redacted: kinds})))
	}
	if t.answer != nil {
		source := t.answer.Source()
		o.Model, o.LogID = source.Model, source.LogID
		o.Usage, o.Nanos = t.answer.Spent()
		t.live.put(t.journal.addLast(UsageEvent, encode(o.Usage)))
	}
	if err == nil {
		t.journal.finish(o, Event{Type: Done, Data: encode(ending{o.Usage, o.Finish, t.request.Session, t.stream, o.Model})})
		return
	}
	err = why(ctx, err)
	f := fault.As(err)
	if f.Kind == fault.Internal {
		t.log(ctx, "a turn failed", err)
		f = errOurs
	}
	t.failed, o.Code = true, f.Code
	t.journal.finish(o, failed(0, f))
}

// ending is the data of a Done event.
type ending struct {
	Usage     llm.Usage  `json:"usage"`
	Finish    llm.Finish `json:"finishReason"`
	SessionID string     `json:"sessionId"`
	StreamID  StreamID   `json:"streamId"`
	Model     string     `json:"model"`
}

// why is the reason behind an error of something that may have been stopped by us.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// report tells Start how the turn began. Only the first call counts.
func (t *turn) report(l Live, err error) {
	select {
	case t.begun <- beginning{l, err}:
	default:
	}
}

// recover is deferred: it logs a panic and passes it on as an error.
func (t *turn) recover(then func(error)) {
	if p := recover(); p != nil {
		err := fault.New(fault.Internal, "internal", "internal error", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		t.log(context.Background(), "a turn panicked", err)
		then(err)
	}
}

func (t *turn) log(ctx context.Context, what string, err error) {
	t.chat.opts.Log.ErrorContext(ctx, what, "tenantId", t.scope.Tenant(), "streamId", t.stream,
		"requestId", t.request.RequestID, "code", fault.As(err).Code, "error", err.Error())
}
