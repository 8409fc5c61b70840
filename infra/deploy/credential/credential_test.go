package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
)

const (
	acme   = "acme-0123456789abcdefghijklmnopqrstuvwxyz"
	globex = "globex-0123456789abcdefghijklmnopqrstuvw"
)

func parse(t *testing.T, text string) credential.Ref {
	t.Helper()
	r, err := credential.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, text, r.String())
	return r
}

func TestReferences(t *testing.T) {
	for _, text := range []string{
		"env:CF_TOKEN_ACME", "file:/run/secrets/cf", "op://Infra/cf-acme/credential", "op://Infra/cf-acme/section/credential", "keyring:levada/acme", `exec:["vault","read","x y"]`,
	} {
		var r credential.Ref
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, "%q", text), &r), text)
		assert.Equal(t, text, r.String())
	}
	for text, says := range map[string]string{
		acme:                       "is not a reference",
		"Bearer " + acme:           "is not a reference",
		"":                         "is not a reference",
		"env:":                     "the name of a variable",
		"env:A B":                  "the name of a variable",
		"env:CLOUDFLARE_API_TOKEN": "another account's",
		"env:CF_API_TOKEN":         "another account's",
		"file:secrets/cf":          "an absolute path",
		"op:vault/item":            "//vault/item/field",
		"keyring:acme":             "service/user",
		"exec:vault read x":        "a JSON array",
		`exec:[]`:                  "a JSON array",
		"vault:" + acme:            "is not a reference",
	} {
		_, err := credential.Parse(text)
		f := fault.As(err)
		require.Equal(t, "credential_invalid", f.Code, text)
		assert.Contains(t, err.Error(), says, text)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, f), acme, "it may be a token")
	}
}

// source has a token for each of two accounts in every place.
func source(t *testing.T, o credential.Options) *credential.Source {
	t.Helper()
	if o.Getenv == nil {
		o.Getenv = func(name string) (string, bool) {
			v, there := map[string]string{"ACME": acme, "GLOBEX": globex + "\n", "EMPTY": "", "SHORT": "abc", "SPACES": acme + " " + acme}[name]
			return v, there
		}
	}
	return credential.New(o)
}

func TestEachAccountHasItsOwn(t *testing.T) {
	s := source(t, credential.Options{})
	a, err := s.Token(t.Context(), "acme", parse(t, "env:ACME"))
	require.NoError(t, err)
	g, err := s.Token(t.Context(), "globex", parse(t, "env:GLOBEX"))
	require.NoError(t, err)
	assert.Equal(t, acme, a.Secret())
	assert.Equal(t, globex, g.Secret(), "the line's end is none of it")
	assert.Equal(t, "one [token] and [token], but no more", s.Redact("one "+acme+" and "+globex+", but no more"))
}

func TestATokenShowsItselfToNobody(t *testing.T) {
	tok, err := source(t, credential.Options{}).Token(t.Context(), "acme", parse(t, "env:ACME"))
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("deploying", "token", tok, "in", struct{ T credential.Token }{tok})
	encoded, err := json.Marshal(map[string]any{"token": tok, "list": []credential.Token{tok}})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d ", tok, tok, tok, tok, tok, tok, tok) + fmt.Sprint([]credential.Token{tok}, &tok) + log.String() + string(encoded)
	assert.NotContains(t, all, acme)
	assert.NotContains(t, all, fmt.Sprintf("%x", acme))
	assert.Contains(t, all, "[token of acme]")
}

func TestWhereThereIsNone(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
		return "file:" + path
	}
	s := source(t, credential.Options{
		Keyring: func(service, user string) (string, error) {
			if service+"/"+user == "levada/acme" {
				return acme, nil
			}
			return "", errors.New("secret not found in keyring")
		},
		Command: func(_ context.Context, argv, _ []string) ([]byte, error) {
			switch argv[0] {
			case "op":
				assert.Equal(t, []string{"op", "read", "--no-newline", "op://v/i/f"}, argv)
				return []byte(acme), nil
			case "vault":
				return []byte(acme + "\n"), nil
			case "missing":
				return nil, &exec.Error{Name: "missing", Err: exec.ErrNotFound}
			}
			return []byte(acme), errors.New("exit status 1")
		},
	})
	for _, good := range []string{"env:ACME", file("good", acme+"\n", 0o600), "keyring:levada/acme", "op://v/i/f", `exec:["vault","read"]`} {
		tok, err := s.Token(t.Context(), "acme", parse(t, good))
		require.NoError(t, err, good)
		assert.Equal(t, acme, tok.Secret())
	}
	for ref, says := range map[string]string{
		"env:NONE":                         "is not set",
		"env:EMPTY":                        "is not set",
		"env:SHORT":                        "is not a token",
		"env:SPACES":                       "is not a token",
		"file:" + filepath.Join(dir, "no"): "no such file",
		"file:" + dir:                      "no file",
		file("open", acme, 0o644):          "chmod 600",
		file("group", acme, 0o640):         "chmod 600",
		file("long", strings.Repeat("x", 5000), 0o600): "too long",
		"keyring:levada/globex":                        "the keyring does not give it",
		`exec:["missing"]`:                             "is not installed",
		`exec:["fails"]`:                               "failed",
	} {
		_, err := s.Token(t.Context(), "acme", parse(t, ref))
		require.Equal(t, "credential_unreadable", fault.As(err).Code, ref)
		assert.Contains(t, err.Error(), says)
		assert.Contains(t, err.Error(), "acme")
		assert.NotContains(t, err.Error(), acme)
	}
	_, err := s.Token(t.Context(), "acme", credential.Ref{})
	assert.Equal(t, "credential_missing", fault.As(err).Code)
}

// What deploy.json names is of one account each, and what tools look for may be any's.
func TestACommandSeesNoOtherAccount(t *testing.T) {
	all := []string{"PATH=/bin:/usr/bin", "CLOUDFLARE_API_TOKEN=" + globex, "CF_API_KEY=" + globex, "CF_TOKEN_GLOBEX=" + globex, "TOKEN_GLOBEX=" + globex, "VAULT_GLOBEX=" + vault, "VAULT_ADDR=v"}
	s := credential.New(credential.Options{Environ: func() []string { return all }})
	s.Reserve(parse(t, "env:TOKEN_GLOBEX"), parse(t, "file:/VAULT_ADDR"), credential.Ref{})
	s.Reserve(parse(t, "env:VAULT_GLOBEX"))
	tok, err := s.Token(t.Context(), "acme", parse(t, `exec:["/bin/sh","-c","env | grep -c -e `+globex+` -e whsec >/dev/null && exit 3; echo $VAULT_ADDR-`+acme+`"]`))
	require.NoError(t, err)
	assert.Equal(t, "v-"+acme, tok.Secret())
	assert.Equal(t, []string{"PATH=/bin:/usr/bin", "VAULT_ADDR=v"}, s.Environ(), "and neither does another process")
	assert.Len(t, all, 7)
}

// A person has to see where to log in, and nobody what is secret: neither what was read before, nor what is about to be printed.
func TestWhatACommandSaysBesideIsShownWithoutSecrets(t *testing.T) {
	var shown bytes.Buffer
	s := source(t, credential.Options{Stderr: &shown})
	_, err := s.Token(t.Context(), "globex", parse(t, "env:GLOBEX"))
	require.NoError(t, err)
	script := filepath.Join(t.TempDir(), "vault")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"+
		"echo 'log in at https://login.example.com/device?user_code=WDJB-MJHT-0123456789abcdefghijklmnopqrstuv' >&2\n"+
		"printf 'debug: "+globex[:20]+"' >&2; sleep 0.1; echo '"+globex[20:]+" in the cache' >&2\n"+
		"echo 'debug: token=\""+acme+"\".' >&2; echo "+acme+"; printf 'bye' >&2\n"), 0o700))
	tok, err := s.Token(t.Context(), "acme", parse(t, fmt.Sprintf("exec:[%q]", script)))
	require.NoError(t, err)
	assert.Equal(t, acme, tok.Secret())
	assert.Equal(t, "log in at https://login.example.com/device?user_code=WDJB-MJHT-0123456789abcdefghijklmnopqrstuv\n"+
		"debug: [token] in the cache\ndebug: token=\"[secret]\".\nbye", shown.String())
}

func TestATokenIsReadOnce(t *testing.T) {
	reads := 0
	s := source(t, credential.Options{Command: func(context.Context, []string, []string) ([]byte, error) {
		reads++
		return []byte(acme), nil
	}})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := s.Token(t.Context(), "acme", parse(t, `exec:["vault"]`))
			assert.NoError(t, err)
			s.Redact("x")
		})
	}
	all.Wait()
	assert.Equal(t, 1, reads)
}

// Whoever interrupts a deployment that asks for a password can begin again.
func TestAnInterruptionIsNotRemembered(t *testing.T) {
	s := source(t, credential.Options{Command: func(ctx context.Context, _, _ []string) ([]byte, error) {
		return []byte(acme), ctx.Err()
	}})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Token(gone, "acme", parse(t, `exec:["vault"]`))
	require.Error(t, err)
	_, err = s.Token(t.Context(), "acme", parse(t, `exec:["vault"]`))
	require.NoError(t, err)
}
