package api

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/tools"
)

// How a tool is told: what has not begun a second after it was asked for has a head all the same; what fails before has its status.
const (
	toolHead     = time.Second
	progressRoom = 64 // what is told while the client does not read; what is above it is left out
)

// toolRun is a call that is told as it happens.
type toolRun struct {
	progress chan tools.Progress
	done     chan struct{}
	result   tools.Result
	err      error
}

// runTool begins the call. It ends soon after ctx has, and whoever began it waits for done.
func (c *call) runTool(ctx context.Context, caller tools.Caller, order tools.Order) *toolRun {
	run := &toolRun{progress: make(chan tools.Progress, progressRoom), done: make(chan struct{})}
	order.Progress = func(p tools.Progress) {
		select {
		case run.progress <- p:
		default:
		}
	}
	go func() {
		defer close(run.done)
		defer func() {
			if p := recover(); p != nil {
				run.err = fault.New(fault.Internal, "panic", "", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		if run.result, run.err = c.Tools.Execute(ctx, c.scope, caller, order); run.err == nil {
			run.err = c.screenCalled(caller, order.Tool, &run.result)
		}
	}()
	return run
}

// tellTool tells a call by events: progress, then exactly one result or error.
func (c *call) tellTool(caller tools.Caller, order tools.Order) error {
	ctx, cancel := context.WithCancel(c.ctx())
	defer cancel()
	began := c.opts.Now()
	run := c.runTool(ctx, caller, order)
	defer func() { cancel(); <-run.done }()

	head := time.NewTimer(toolHead)
	defer head.Stop()
	var first []tools.Progress
	select {
	case <-run.done:
		if run.err != nil {
			c.showFlags()
			return toolFailed(run.result, run.err)
		}
		if run.result.Replayed {
			c.w.Header().Set("Idempotent-Replayed", "true")
		}
	case p := <-run.progress:
		first = append(first, p)
	case <-head.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.stage("tool", began)
	c.showFlags()
	s := c.openStream()
	defer s.free()
	return c.followTool(ctx, s, run, first)
}

// followTool writes what happens until the call has ended.
func (c *call) followTool(ctx context.Context, s *stream, run *toolRun, told []tools.Progress) error {
	id := 0
	tell := func(kind string, v any) error {
		data, err := json.Marshal(v)
		if err != nil {
			return fault.New(fault.Internal, "answer_encoding", kind, err)
		}
		id++
		s.event(id, kind, data)
		return nil
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	if news := c.noted().News(); news != nil {
		if err := tell("safety", news); err != nil {
			return err
		}
	}
	for {
		for _, p := range told {
			if err := tell("progress", p); err != nil {
				return err
			}
		}
		if len(s.buf) > 0 && s.send() != nil {
			c.err = errClientLeft
			return nil
		}
		told = told[:0]
		select {
		case p := <-run.progress:
			told = append(told, p)
		case <-beat.C:
			s.buf = append(s.buf, heartbeat...)
		case <-ctx.Done():
			c.err = errClientLeft
			return nil
		case <-run.done:
			for len(run.progress) > 0 {
				if err := tell("progress", <-run.progress); err != nil {
					return err
				}
			}
			err := c.lastOf(run, tell)
			s.end()
			return err
		}
	}
}

// toolError is the last event of a call that went wrong.
type toolError struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	Field      string `json:"field,omitempty"`
	ToolCode   string `json:"toolCode,omitempty"`
	AuditID    string `json:"auditId,omitempty"`
	Hint       string `json:"hint,omitempty"`
	RetryAfter int64  `json:"retryAfterMs,omitempty"`
}

// lastOf tells the end.
func (c *call) lastOf(run *toolRun, tell func(kind string, v any) error) error {
	if run.err == nil {
		return tell("result", answerOf(run.result, c.noted().All()))
	}
	c.err, c.broken = run.err, true
	f, _ := c.classify(run.err)
	e := toolError{Code: f.Code, Message: message(f), Field: f.Field, AuditID: run.result.ID, Hint: f.Hint, RetryAfter: f.RetryAfter.Milliseconds()}
	if f.Code == tools.CodeFailed {
		e.ToolCode = tools.OwnCode(run.err)
	}
	return tell("error", e)
}
