package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
)

const vault = "{\n  \"sealKey\": \"c2VhbGluZyBrZXkgb2YgYWNtZSwgMzIgYnl0ZXMu\",\n  \"secrets\": {\"acme\": {\"cms-1\": \"whsec_YWNtZSdzIHNlY3JldCBvZiB0aGUgY21z\", \"odd\": \"quo\\\"ted & <odd> secret\"}}\n}\n"

const most = 256 << 10

func TestATextIsReadByteForByte(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vault.json")
	require.NoError(t, os.WriteFile(file, []byte(vault), 0o600))
	give := func(context.Context, []string, []string) ([]byte, error) { return []byte(vault), nil }
	s := credential.New(credential.Options{
		Getenv:  func(name string) (string, bool) { return vault, name == "VAULT" },
		Keyring: func(service, user string) (string, error) { return vault, nil },
		Command: give,
	})
	for _, ref := range []string{"env:VAULT", "file:" + file, "keyring:levada/acme", "op://v/i/f", `exec:["vault","read"]`} {
		text, err := s.Text(t.Context(), "acme", parse(t, ref))
		require.NoError(t, err, ref)
		assert.Equal(t, vault, text.Secret(), ref)
		_, err = s.Token(t.Context(), "acme", parse(t, ref))
		require.Equal(t, "credential_unreadable", fault.As(err).Code, "what is a text is no token: %s", ref)
		assert.NotContains(t, err.Error(), "whsec")
	}
}

func TestATextShowsItselfToNobody(t *testing.T) {
	s := credential.New(credential.Options{Getenv: func(string) (string, bool) { return vault, true }})
	text, err := s.Text(t.Context(), "acme", parse(t, "env:VAULT"))
	require.NoError(t, err)
	tok, err := source(t, credential.Options{}).Token(t.Context(), "acme", parse(t, "env:ACME"))
	require.NoError(t, err)
	type inside struct {
		text  credential.Text // fmt calls no method of it here
		token *credential.Token
		Shown credential.Text
	}
	in := inside{text, &tok, text}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("deploying", "vault", text, "in", in)
	slog.New(slog.NewTextHandler(&log, nil)).Info("deploying", "vault", text, "in", in)
	encoded, err := json.Marshal(map[string]any{"text": text, "in": in})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d ", text, text, text, text, text, text, text) + fmt.Sprintf("%v %+v %#v %v", in, in, in, &in) + fmt.Sprint([]credential.Text{text}, &text) + log.String() + string(encoded)
	for _, secret := range []string{"whsec", "sealKey", "c2VhbGluZyBr", "odd", acme, fmt.Sprintf("%x", "whsec")} {
		assert.NotContains(t, all, secret)
	}
	assert.Contains(t, all, "[text of acme]")
	assert.Empty(t, credential.Text{}.Secret())
}

func TestWhereThereIsNoText(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
		return "file:" + path
	}
	values := map[string]string{"EMPTY": "", "BLANK": " \n", "LONG": strings.Repeat("x", most+1), "MOST": strings.Repeat("x", most)}
	s := credential.New(credential.Options{
		Getenv: func(name string) (string, bool) { v, there := values[name]; return v, there },
		Command: func(_ context.Context, argv, _ []string) ([]byte, error) {
			if argv[0] == "long" {
				return []byte(values["LONG"]), nil
			}
			return []byte(vault), errors.New("exit status 1")
		},
	})
	for _, good := range []string{"env:MOST", file("most", values["MOST"], 0o600), file("read-only", vault, 0o400)} {
		_, err := s.Text(t.Context(), "acme", parse(t, good))
		require.NoError(t, err, good)
	}
	for ref, says := range map[string]string{
		"env:NONE":                          "is not set",
		"env:EMPTY":                         "is not set",
		"env:BLANK":                         "is empty",
		"env:LONG":                          "too long for a text",
		"file:" + filepath.Join(dir, "no"):  "no such file",
		"file:" + dir:                       "no file",
		file("open", vault, 0o604):          "chmod 600",
		file("group", vault, 0o640):         "chmod 600",
		file("long", values["LONG"], 0o600): "too long for a text",
		file("empty", "", 0o600):            "is empty",
		`exec:["long"]`:                     "too long for a text",
		`exec:["fails"]`:                    "failed",
	} {
		_, err := s.Text(t.Context(), "acme", parse(t, ref))
		require.Equal(t, "credential_unreadable", fault.As(err).Code, ref)
		assert.Contains(t, err.Error(), says)
		assert.Contains(t, err.Error(), "the text of acme")
		assert.NotContains(t, err.Error(), "whsec")
		assert.NotContains(t, err.Error(), "xxxx")
	}
	_, err := s.Text(t.Context(), "acme", credential.Ref{})
	assert.Equal(t, "credential_missing", fault.As(err).Code)
}

func TestEverySecretInATextIsCovered(t *testing.T) {
	values := map[string]string{"VAULT": vault, "LINES": "first-secret-line\n\n  second-secret-line\nshort\n", "ACME": acme}
	s := credential.New(credential.Options{Getenv: func(name string) (string, bool) { v, there := values[name]; return v, there }})
	assert.Equal(t, "whsec_YWNtZSdzIHNlY3JldCBvZiB0aGUgY21z", s.Redact("whsec_YWNtZSdzIHNlY3JldCBvZiB0aGUgY21z"), "what was not read is not known")
	for name := range values {
		_, err := s.Text(t.Context(), "acme", parse(t, "env:"+name))
		require.NoError(t, err)
	}
	_, err := s.Token(t.Context(), "acme", parse(t, "env:ACME"))
	require.NoError(t, err)
	for text, want := range map[string]string{
		"all: " + vault: "all: [text]",
		"key c2VhbGluZyBrZXkgb2YgYWNtZSwgMzIgYnl0ZXMu, secret whsec_YWNtZSdzIHNlY3JldCBvZiB0aGUgY21z.": "key [secret], secret [secret].",
		`quo"ted & <odd> secret`:                         "[secret]",
		`{"a":"quo\"ted \u0026 \u003codd\u003e secret"}`: `{"a":"[secret]"}`,
		"a first-secret-line b second-secret-line":       "a [secret] b [secret]",
		"words like short and acme stay":                 "words like short and acme stay",
	} {
		assert.Equal(t, want, s.Redact(text))
	}
	assert.NotContains(t, s.Redact("token "+acme), acme)
}

func TestWhatLooksLikeASecret(t *testing.T) {
	for text, is := range map[string]bool{
		acme: true, "v1.0-0123456789abcdef": false, strings.Repeat("0a", 20): true, strings.Repeat("0a", 16): false, strings.Repeat("0a", 32): false,
		"Bearer " + acme: true, "whsec_" + strings.Repeat("A", 32): true, "lv_acme_" + strings.Repeat("A", 49): true, "cfat_" + strings.Repeat("A", 40): true,
		"lv_acme": false, "env:CF_TOKEN_ACME_1": false, "acme.example.com": false, "file:/run/secrets/levada-acme-production-0001.json": false, "": false, " " + acme + "\n": true,
	} {
		assert.Equal(t, is, credential.LooksSecret(text), text)
	}
	for text, good := range map[string]bool{
		`exec:["op","read","0f0e0d0c-0b0a-0908-0706-050403020100"]`:     true,
		`exec:["vault","read","secret/data/cloudflare/acme/0001/prod"]`: true,
		`exec:["echo","` + acme + `"]`:                                  false,
		`exec:["curl","--token=` + acme + `"]`:                          false,
	} {
		_, err := credential.Parse(text)
		assert.Equal(t, good, err == nil, text)
		if err != nil {
			assert.NotContains(t, err.Error(), acme)
		}
	}
}
