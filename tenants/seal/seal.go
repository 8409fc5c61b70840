package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"levada.dev/events/fault"
)

// KeyBytes is how long a key is.
const KeyBytes = 32

// version is what a sealed text begins with.
const version = "s1."

// Key seals and opens. The zero Key does neither. It is safe for concurrent use.
type Key struct {
	aead   cipher.AEAD
	nonce  []byte // of HMAC
	before *Key   // opens what it sealed, and seals nothing any more
}

// NewKey makes the text of a key out of randomness (crypto/rand.Reader): base64.
func NewKey(random io.Reader) (string, error) {
	var key [KeyBytes]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return "", fmt.Errorf("seal key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(key[:]), nil
}

// Renew makes the text of a new key, behind which stands the one that text has now: what that sealed is opened until everything is sealed
// anew. What stood behind it goes.
func Renew(random io.Reader, text string) (string, error) {
	fresh, err := NewKey(random)
	if err != nil {
		return "", err
	}
	return fresh + " " + Newest(text), nil
}

// Newest is the text without the key before.
func Newest(text string) string {
	fresh, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return fresh
}

// ParseKey reads the text of a key, and of one before it behind a space. The error quotes neither.
func ParseKey(text string) (Key, error) {
	fresh, older, two := strings.Cut(strings.TrimSpace(text), " ")
	k, err := parse(fresh)
	if err != nil || !two {
		return k, err
	}
	before, err := parse(older)
	if err != nil {
		return Key{}, err
	}
	k.before = &before
	return k, nil
}

func parse(text string) (Key, error) {
	master, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(master) != KeyBytes {
		return Key{}, fault.Invalidf("", "seal_key_invalid", "is not the base64 of %d bytes", KeyBytes)
	}
	aead, err := hkdf.Key(sha256.New, master, nil, "levada seal 1: encryption", KeyBytes)
	if err != nil {
		return Key{}, fault.New(fault.Internal, "seal_key_invalid", "", err)
	}
	nonce, err := hkdf.Key(sha256.New, master, nil, "levada seal 1: nonce", KeyBytes)
	if err != nil {
		return Key{}, fault.New(fault.Internal, "seal_key_invalid", "", err)
	}
	block, err := aes.NewCipher(aead)
	if err != nil {
		return Key{}, fault.New(fault.Internal, "seal_key_invalid", "", err)
	}
	k := Key{nonce: nonce}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return Key{}, fault.New(fault.Internal, "seal_key_invalid", "", err)
	}
	return k, nil
}

// Check fails closed: the zero Key is an error, fault.Unavailable, code seal_key_missing.
func (k Key) Check() error {
	if k.aead == nil {
		return errNoKey
	}
	return nil
}

// Seal encrypts a secret for a context. The result is ASCII, and the same for the same arguments.
func (k Key) Seal(secret string, context ...string) (string, error) {
	if err := k.Check(); err != nil {
		return "", err
	}
	ad := join(context)
	mac := hmac.New(sha256.New, k.nonce)
	mac.Write(join([]string{string(ad), secret}))
	nonce := mac.Sum(nil)[:k.aead.NonceSize()]
	return version + base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, []byte(secret), ad)), nil
}

// Open is the secret that was sealed for this context under this key, or the one before. Anything else is fault.Internal, code seal_broken.
func (k Key) Open(sealed string, context ...string) (string, error) {
	secret, err := k.open(sealed, context)
	if err != nil && k.before != nil {
		return k.before.open(sealed, context)
	}
	return secret, err
}

func (k Key) open(sealed string, context []string) (string, error) {
	if err := k.Check(); err != nil {
		return "", err
	}
	text, ok := strings.CutPrefix(sealed, version)
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(b) < k.aead.NonceSize() {
		return "", fault.New(fault.Internal, "seal_broken", "is not a sealed secret", nil)
	}
	nonce, rest := b[:k.aead.NonceSize()], b[k.aead.NonceSize():]
	secret, err := k.aead.Open(nil, nonce, rest, join(context))
	if err != nil {
		return "", fault.New(fault.Internal, "seal_broken", "was not sealed with this key for this owner", nil)
	}
	return string(secret), nil
}

var errNoKey = fault.Unavailablef(nil, "seal_key_missing", "there is no key for secrets here")

// join writes each part behind its length, so that different parts make different bytes.
func join(parts []string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
