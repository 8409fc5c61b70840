package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"levada.dev/infra/mcp/line"
)

// refusal is what the API says when it does not do what it is asked.
type refusal struct {
	Status     int    `json:"status"`
	Code       string `json:"code"`
	Message    string `json:"-"`
	Field      string `json:"field,omitempty"`
	Hint       string `json:"hint,omitempty"`
	ToolCode   string `json:"toolCode,omitempty"`
	AuditID    string `json:"auditId,omitempty"`
	RetryAfter int64  `json:"retryAfterMs,omitempty"`
	RequestID  string `json:"requestId,omitempty"`
}

// Error implements error.
func (r *refusal) Error() string { return r.Code + ": " + r.Message }

// codeServer is of the range that JSON-RPC leaves to servers. Which error it is the data tells, by the API's own code.
const codeServer = -32000

// protocolError is an error as JSON-RPC has it. What the caller got wrong is told apart from what went wrong here.
func protocolError(err error) error {
	var wire *jsonrpc.Error
	if errors.As(err, &wire) {
		return wire
	}
	var no *refusal
	if !errors.As(err, &no) {
		return &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the platform did not answer"}
	}
	code := int64(codeServer)
	switch {
	case no.Status == http.StatusBadRequest || no.Status == http.StatusNotFound:
		code = jsonrpc.CodeInvalidParams
	case no.Status >= http.StatusInternalServerError:
		code = jsonrpc.CodeInternalError
	}
	data, _ := json.Marshal(no) // strings and numbers
	return &jsonrpc.Error{Code: code, Message: no.Message, Data: data}
}

// get asks for what a path has.
func (t *tenant) get(target string, into any) error {
	return t.do(line.Question{Method: http.MethodGet, Target: target}, into)
}

// do asks, and reads the data of the answer.
func (t *tenant) do(q line.Question, into any) error {
	resp, err := t.ask(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refused(resp)
	}
	return read(resp.Body, into)
}

// read reads the data of an envelope.
func read(from io.Reader, into any) error {
	b, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	envelope := struct {
		Data any `json:"data"`
	}{into}
	if err := json.Unmarshal(b, &envelope); err != nil {
		return fmt.Errorf("the API's answer: %w", err)
	}
	return nil
}

// refused reads why.
func refused(resp *http.Response) error {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var envelope struct {
		Error struct {
			Code    string  `json:"code"`
			Message string  `json:"message"`
			Details refusal `json:"details"`
		} `json:"error"`
		RequestID string `json:"requestId"`
	}
	if err := json.Unmarshal(b, &envelope); err != nil {
		return fmt.Errorf("the API answered %d: %w", resp.StatusCode, err)
	}
	no := envelope.Error.Details
	no.Status, no.Code, no.Message, no.RequestID = resp.StatusCode, envelope.Error.Code, envelope.Error.Message, envelope.RequestID
	return &no
}

// unless is nil for an answer that refuses the caller for the want of a scope: who may not see what a list has sees an empty one.
func unless(err error, code string) error {
	var no *refusal
	if errors.As(err, &no) && no.Code == code {
		return nil
	}
	return err
}

const scopeDenied = "scope_denied"
