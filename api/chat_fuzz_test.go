package api_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzChat says whatever it can think of. Nothing of it is our mistake, and every turn that begins is settled.
func FuzzChat(f *testing.F) {
	for _, seed := range []string{
		`{"message":"Hello","stream":false}`,
		`{"sessionId":"s","message":"Hello","userId":"ana","modelId":"default","system":"Be brief.","maxTokens":7,"temperature":0.5}`,
		`{"sessionId":"s","toolResults":[{"toolCallId":"c","content":null}],"message":null}`,
		`{"message":"Hello","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":null}}]}`,
		`{"message":"Hello","rag":{"topK":1,"filter":{"lang":{"$in":["en"]}}}}`,
		`{"message":"{\"script\":{\"toolCalls\":[{\"name\":\"f\",\"arguments\":{}}]}}"}`,
		`{"message":"\ud83d\ude00","userId":"\u0000"}`, `{"message":"\u0000","sessionId":""}`, `{"message":[]}`, `{}`, `[]`, `{"message":"a"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, w.request("acme", "POST", "/chat", string(body)))
		assert.NotEqual(t, 500, rec.Code, "%q: %s", body, rec.Body)
		if rec.Code == 200 && rec.Header().Get("Content-Type") != "application/json" {
			whole(t, parse(t, rec.Body.String()))
		}
		w.gate.Check(t)
	})
}
