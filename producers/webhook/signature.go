package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
)

// The headers of Standard Webhooks, as net/http writes them.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// Window is how much older or younger than now a delivery may be.
const Window = 5 * time.Minute

const (
	maxIDBytes        = 256
	maxSignatureBytes = 4096
	schemeHMAC        = "v1," // v1a, Ed25519, needs a public key of the sender, which a secret is not: such signatures do not count
)

// signed is what is signed but for the body, and the signatures that came with it.
type signed struct {
	id, timestamp string
	signatures    []string // base64, of the scheme v1
}

// readSigned reads the headers and refuses what needs no body to be refused: one that is missing or malformed, and a time outside
// of the window.
func readSigned(header map[string][]string, now time.Time) (signed, error) {
	var s signed
	for _, h := range []struct {
		name string
		to   *string
	}{{headerID, &s.id}, {headerTimestamp, &s.timestamp}} {
		value, err := one(header, h.name, maxIDBytes)
		if err != nil {
			return signed{}, err
		}
		*h.to = value
	}
	list, err := one(header, headerSignature, maxSignatureBytes)
	if err != nil {
		return signed{}, err
	}
	at, err := strconv.ParseUint(s.timestamp, 10, 40)
	if err != nil || s.timestamp[0] == '+' {
		return signed{}, fault.Invalidf(strings.ToLower(headerTimestamp), "webhook_header_invalid", "is no number of seconds since 1970")
	}
	if age := now.Sub(time.Unix(int64(at), 0)); age > Window || age < -Window {
		return signed{}, fault.Invalidf(strings.ToLower(headerTimestamp), "webhook_stale", "is more than %d minutes from now", int(Window.Minutes())).
			WithHint("sign each attempt anew, and set the clock")
	}
	for each := range strings.SplitSeq(list, " ") {
		if signature, ok := strings.CutPrefix(each, schemeHMAC); ok {
			s.signatures = append(s.signatures, signature)
		}
	}
	return s, nil
}

// one is the value of a header that must be there once, of visible ASCII and spaces.
func one(header map[string][]string, name string, most int) (string, error) {
	field, values := strings.ToLower(name), header[name]
	switch {
	case len(values) == 0 || values[0] == "":
		return "", fault.Invalidf(field, "webhook_header_required", "is required").
			WithHint("sign the delivery as Standard Webhooks says: webhook-id, webhook-timestamp, webhook-signature")
	case len(values) > 1:
		return "", fault.Invalidf(field, "webhook_header_invalid", "appears twice")
	case len(values[0]) > most:
		return "", fault.Invalidf(field, "webhook_header_invalid", "is longer than %d bytes", most)
	case strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r > '~' }):
		return "", fault.Invalidf(field, "webhook_header_invalid", "has characters that are not printable ASCII")
	}
	return values[0], nil
}

var errSignature = fault.New(fault.Denied, "signature_invalid", "the signature is not one of this source's", nil).
	WithHint("sign webhook-id, webhook-timestamp and the body as it is sent, joined with dots, with a current secret of the source")

// verify reports whether one of the signatures was made with one of the keys. How long it takes tells only how many of each there are.
func (s signed) verify(body []byte, keys [][]byte) error {
	found := false
	for _, key := range keys {
		want := []byte(sign(key, s.id, s.timestamp, body))
		for _, got := range s.signatures {
			found = hmac.Equal(want, []byte(got)) || found
		}
	}
	if !found {
		return errSignature
	}
	return nil
}

// sign is the signature of a delivery, in base64.
func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
