package webhook

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

var now = time.Unix(1_795_000_000, 0)

func key(t testing.TB, secret string) []byte {
	k, err := tenants.ParseSecret(secret)
	require.NoError(t, err)
	return k
}

const (
	secretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secretB = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

func signedHeader(id string, at time.Time, signatures string) http.Header {
	h := http.Header{}
	h.Set(headerID, id)
	h.Set(headerTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(headerSignature, signatures)
	return h
}

// The library of Standard Webhooks signs, and we verify; then the other way around.
func TestTheLibraryAgrees(t *testing.T) {
	for _, secret := range []string{secretA, secretB} {
		library, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		for _, id := range []string{"msg_1", "a", "evt.with.dots", strings.Repeat("x", 256), "with space"} {
			for _, body := range []string{"", "{}", `{"a":"b.c.d"}`, " {\"a\":\"ü 漢字 🧵\"} \n", "\x00\xff", strings.Repeat("x", 1<<20)} {
				theirs, err := library.Sign(id, now, []byte(body))
				require.NoError(t, err)
				s, err := readSigned(signedHeader(id, now, theirs), now)
				require.NoError(t, err)
				require.NoError(t, s.verify([]byte(body), [][]byte{key(t, secret)}))
				ours := signedHeader(id, now, "v1,"+sign(key(t, secret), id, strconv.FormatInt(now.Unix(), 10), []byte(body)))
				require.NoError(t, library.VerifyIgnoringTimestamp([]byte(body), ours))
			}
		}
	}
}

// TestSharedVectors runs vectors where a file of them is given.
func TestSharedVectors(t *testing.T) {
	file := os.Getenv("LEVADA_WEBHOOK_VECTORS")
	if file == "" {
		return
	}
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	var vectors []struct {
		Secret, ID, Signature string
		Timestamp             int64
		Body                  json.RawMessage
	}
	require.NoError(t, json.Unmarshal(b, &vectors))
	require.NotEmpty(t, vectors)
	for _, v := range vectors {
		var body string
		if json.Unmarshal(v.Body, &body) != nil {
			var repeated struct {
				Repeat string
				Times  int
			}
			require.NoError(t, json.Unmarshal(v.Body, &repeated))
			body = strings.Repeat(repeated.Repeat, repeated.Times)
		}
		at := time.Unix(v.Timestamp, 0)
		s, err := readSigned(signedHeader(v.ID, at, v.Signature), at)
		require.NoError(t, err)
		assert.NoError(t, s.verify([]byte(body), [][]byte{key(t, v.Secret)}), "%s %s", v.ID, v.Signature)
		assert.Error(t, s.verify([]byte(body+" "), [][]byte{key(t, v.Secret)}))
	}
	t.Log(len(vectors), "vectors")
}

func TestSignatures(t *testing.T) {
	const id, body = "msg_1", `{"a":1}`
	timestamp := strconv.FormatInt(now.Unix(), 10)
	a, b := sign(key(t, secretA), id, timestamp, []byte(body)), sign(key(t, secretB), id, timestamp, []byte(body))
	keysA, both := [][]byte{key(t, secretA)}, [][]byte{key(t, secretB), key(t, secretA)}
	for name, c := range map[string]struct {
		list string
		keys [][]byte
		ok   bool
	}{
		"one":                    {"v1," + a, keysA, true},
		"one of two secrets":     {"v1," + a, both, true},
		"two, the first is ours": {"v1," + a + " v1," + b, keysA, true},
		"two, the other is ours": {"v1," + b + " v1," + a, keysA, true},
		"among other schemes":    {"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== v1," + a + " v2,x", keysA, true},
		"double spaces":          {"v1," + b + "  v1," + a, keysA, true},
		"another's":              {"v1," + b, keysA, false},
		"no keys":                {"v1," + a, nil, false},
		"no scheme":              {a, keysA, false},
		"asymmetric":             {"v1a," + a, keysA, false},
		"other scheme":           {"v2," + a, keysA, false},
		"capital scheme":         {"V1," + a, keysA, false},
		"with more":              {"v1," + a + ",x", keysA, false},
		"cut":                    {"v1," + a[:43], keysA, false},
		"empty":                  {"v1,", keysA, false},
		"comma only":             {",", keysA, false},
		"unpadded":               {"v1," + strings.TrimSuffix(a, "="), keysA, false},
	} {
		s, err := readSigned(signedHeader(id, now, c.list), now)
		require.NoError(t, err, name)
		err = s.verify([]byte(body), c.keys)
		if c.ok {
			assert.NoError(t, err, name)
			continue
		}
		assert.Equal(t, "signature_invalid", fault.As(err).Code, name)
		assert.True(t, fault.Is(err, fault.Denied))
	}
	for name, change := range map[string]func(h http.Header) string{
		"another body": func(http.Header) string { return body + "\n" },
		"another id":   func(h http.Header) string { h.Set(headerID, "msg_2"); return body },
		"another time": func(h http.Header) string {
			h.Set(headerTimestamp, strconv.FormatInt(now.Unix()+1, 10))
			return body
		},
		"the time written otherwise": func(h http.Header) string { h.Set(headerTimestamp, "0"+timestamp); return body },
	} {
		h := signedHeader(id, now, "v1,"+a)
		changed := change(h)
		s, err := readSigned(h, now)
		require.NoError(t, err, name)
		assert.Error(t, s.verify([]byte(changed), keysA), name)
	}
}

func TestHeadersOfASignature(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		code          string
	}{
		"no id":              {headerID, "", "webhook_header_required"},
		"no timestamp":       {headerTimestamp, "", "webhook_header_required"},
		"no signature":       {headerSignature, "", "webhook_header_required"},
		"long id":            {headerID, strings.Repeat("x", 257), "webhook_header_invalid"},
		"id of other ASCII":  {headerID, "a\tb", "webhook_header_invalid"},
		"id of no ASCII":     {headerID, "ä", "webhook_header_invalid"},
		"timestamp text":     {headerTimestamp, "now", "webhook_header_invalid"},
		"timestamp plus":     {headerTimestamp, "+1795000000", "webhook_header_invalid"},
		"timestamp minus":    {headerTimestamp, "-1795000000", "webhook_header_invalid"},
		"timestamp fraction": {headerTimestamp, "1795000000.5", "webhook_header_invalid"},
		"timestamp space":    {headerTimestamp, "1795000000 ", "webhook_header_invalid"},
		"timestamp huge":     {headerTimestamp, "99999999999999999999", "webhook_header_invalid"},
		"timestamp in ms":    {headerTimestamp, "1795000000000", "webhook_header_invalid"},
		"long signature":     {headerSignature, strings.Repeat("v1,x ", 1000), "webhook_header_invalid"},
		"long ago":           {headerTimestamp, "0", "webhook_stale"},
		"5 minutes ago":      {headerTimestamp, "1794999699", "webhook_stale"},
		"in 5 minutes":       {headerTimestamp, "1795000301", "webhook_stale"},
		"just old enough":    {headerTimestamp, "1794999700", ""},
		"just young enough":  {headerTimestamp, "1795000300", ""},
	} {
		h := signedHeader("msg_1", now, "v1,x")
		h.Set(c.header, c.value)
		_, err := readSigned(h, now)
		if c.code == "" {
			assert.NoError(t, err, name)
			continue
		}
		require.Error(t, err, name)
		assert.Equal(t, c.code, fault.As(err).Code, name)
		assert.Equal(t, strings.ToLower(c.header), fault.As(err).Field, name)
	}
	h := signedHeader("msg_1", now, "v1,x")
	h.Add(headerID, "msg_2")
	_, err := readSigned(h, now)
	assert.Equal(t, "webhook_header_invalid", fault.As(err).Code)
}

func FuzzSignature(f *testing.F) {
	k := key(f, secretA)
	good := "v1," + sign(k, "a", "1795000000", []byte("x"))
	f.Add("a", "1795000000", good+" v1a,x", "x")
	f.Add("", "1", ",,  ,", "")
	f.Fuzz(func(t *testing.T, id, timestamp, list, body string) {
		h := http.Header{headerID: {id}, headerTimestamp: {timestamp}, headerSignature: {list}}
		s, err := readSigned(h, now)
		if err != nil || s.verify([]byte(body), [][]byte{k}) != nil {
			return
		}
		if !strings.Contains(list, sign(k, id, timestamp, []byte(body))) {
			t.Fatalf("%q verifies", list)
		}
	})
}
