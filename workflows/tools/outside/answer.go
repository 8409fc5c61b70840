package outside

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/events/tally"
	"levada.dev/workflows/tools"
)

// covered stands where a secret was.
const covered = "[secret]"

// maxNumber is how long a number may be written. What comes after us computes with it.
const maxNumber = 100

// result is what a tool says of an answer: an object, in which the secret is not.
func (e *endpoint) result(body []byte, contentType, secret string) (json.RawMessage, error) {
	if len(body) == 0 {
		return json.RawMessage(`{}`), nil
	}
	described := len(e.declared.Output) > 0
	media, _, _ := mime.ParseMediaType(contentType) // what is none is no type that is read
	var v any
	switch {
	case described || media == "application/json" || strings.HasSuffix(media, "+json"):
		var err error
		if v, err = read(body); err != nil {
			return nil, err
		}
		if _, object := v.(map[string]any); !object && described {
			return nil, notJSON("an object")
		} else if !object {
			v = map[string]any{"result": v}
		}
	case strings.HasPrefix(media, "text/"):
		if !utf8.Valid(body) {
			return nil, fault.New(fault.Denied, CodeType, "the server's answer is not in UTF-8", nil)
		}
		v = map[string]any{"text": string(body)}
	default:
		return nil, fault.New(fault.Denied, CodeType, "the server's answer is neither JSON nor text", nil)
	}
	return encode(cover(v, secret))
}

// read reads JSON, with the numbers as they are written.
func read(body []byte) (v any, err error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if !utf8.Valid(body) {
		return nil, notJSON("in UTF-8")
	}
	if err := tally.Check(body, "", tools.MaxValues-1); err != nil { // it may have to go into an object
		return nil, fault.New(fault.Denied, CodeTooLarge, "the server's answer holds too many values, or is nested too deep", nil)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, notJSON("JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, notJSON("JSON")
	}
	if !sane(v) {
		return nil, notJSON("of numbers that can be computed with")
	}
	return v, nil
}

func notJSON(what string) error {
	return fault.New(fault.Denied, CodeNotJSON, "the server's answer is not "+what, nil)
}

// sane reports whether a double has about the size of each number. What checks numbers exactly would be busy for long with others.
func sane(v any) bool {
	switch v := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return len(v) <= maxNumber && err == nil && (f != 0 || !strings.ContainsAny(mantissa(string(v)), "123456789"))
	case []any:
		for _, item := range v {
			if !sane(item) {
				return false
			}
		}
	case map[string]any:
		for _, member := range v {
			if !sane(member) {
				return false
			}
		}
	}
	return true
}

// mantissa is what of a number stands before its exponent.
func mantissa(number string) string {
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		return number[:i]
	}
	return number
}

// cover is a value without a secret, wherever it stands in texts, numbers and names.
func cover(v any, secret string) any {
	if secret == "" {
		return v
	}
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, secret, covered)
	case json.Number:
		if strings.Contains(string(v), secret) {
			return covered
		}
	case []any:
		for i := range v {
			v[i] = cover(v[i], secret)
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, member := range v {
			clean[strings.ReplaceAll(name, secret, covered)] = cover(member, secret)
		}
		return clean
	}
	return v
}
