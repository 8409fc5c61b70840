package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"

	"levada.dev/events/fault"
)

// Options says where a Source looks. The zero value looks where the process does.
type Options struct {
	Getenv  func(name string) (string, bool)
	Environ func() []string // of the process; commands inherit what Source.Environ leaves of it
	Stderr  io.Writer       // what commands say beside a secret is shown there: os.Stderr
	Command func(ctx context.Context, argv, environ []string) ([]byte, error)
	Keyring func(service, user string) (string, error)
}

// Source reads tokens and texts, each once. Safe for concurrent use.
type Source struct {
	options Options

	mu       sync.Mutex
	entries  map[key]*entry
	reserved map[string]bool // variables
}

// key is a reference as it is read: as a token or as a text.
type key struct {
	kind *kind
	ref  string
}

type entry struct {
	once  sync.Once
	value string
	parts []string // of a text
	err   error
}

// kind is what a reference leads to.
type kind struct {
	name string
	most int                               // bytes
	form func(raw string) (string, string) // the value, or what is wrong with it
}

var (
	tokens = &kind{"token", 4 << 10, func(raw string) (string, string) {
		value := strings.TrimSpace(raw)
		if !plausible(value) {
			return "", "what it leads to is not a token: 20 to 512 printable characters without spaces are"
		}
		return value, ""
	}}
	texts = &kind{"text", 256 << 10, func(raw string) (string, string) {
		if strings.TrimSpace(raw) == "" {
			return "", "what it leads to is empty"
		}
		return raw, ""
	}}
)

// New makes a Source.
func New(o Options) *Source {
	if o.Getenv == nil {
		o.Getenv = os.LookupEnv
	}
	if o.Environ == nil {
		o.Environ = os.Environ
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Keyring == nil {
		o.Keyring = keyring.Get
	}
	s := &Source{options: o, entries: map[key]*entry{}, reserved: map[string]bool{}}
	if o.Command == nil {
		s.options.Command = s.run
	}
	return s
}

// Token is what the reference leads to, for messages that of the owner. A failure is remembered, too, but for a context that ended.
func (s *Source) Token(ctx context.Context, owner string, r Ref) (Token, error) {
	value, err := s.get(ctx, tokens, owner, r)
	return Token{cover(tokens.name, owner, value)}, err
}

// Text is the text that the reference leads to, of 256 KiB at the most, byte for byte; for messages that of the owner. It is remembered as a
// token is.
func (s *Source) Text(ctx context.Context, owner string, r Ref) (Text, error) {
	value, err := s.get(ctx, texts, owner, r)
	return Text{cover(texts.name, owner, value)}, err
}

func (s *Source) get(ctx context.Context, k *kind, owner string, r Ref) (string, error) {
	key := key{k, r.String()}
	s.mu.Lock()
	e := s.entries[key]
	if e == nil {
		e = &entry{}
		s.entries[key] = e
	}
	s.mu.Unlock()
	e.once.Do(func() {
		value, err := s.read(ctx, k, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		e.value, e.err = value, err
		if k == texts {
			e.parts = parts(value)
		}
	})
	if e.err != nil {
		if ctx.Err() != nil {
			s.mu.Lock()
			delete(s.entries, key)
			s.mu.Unlock()
		}
		return "", fmt.Errorf("the %s of %s: %w", k.name, owner, e.err)
	}
	return e.value, nil
}

func (s *Source) read(ctx context.Context, k *kind, r Ref) (string, error) {
	raw, err := s.fetch(ctx, k, r)
	if err != nil {
		return "", err
	}
	if len(raw) > k.most {
		return "", failed(r, "what it leads to is too long for a "+k.name, nil)
	}
	value, problem := k.form(raw)
	if problem != "" {
		return "", failed(r, problem, nil)
	}
	return value, nil
}

func (s *Source) fetch(ctx context.Context, k *kind, r Ref) (string, error) {
	switch r.scheme {
	case schemeEnv:
		value, there := s.options.Getenv(r.rest)
		if !there || value == "" {
			return "", failed(r, "the variable is not set", nil)
		}
		return value, nil
	case schemeFile:
		return readFile(k, r)
	case schemeOP:
		return s.command(ctx, r, []string{"op", "read", "--no-newline", r.String()})
	case schemeKeyring:
		service, user, _ := strings.Cut(r.rest, "/")
		value, err := s.options.Keyring(service, user)
		if err != nil {
			return "", failed(r, "the keyring does not give it", err)
		}
		return value, nil
	case schemeExec:
		return s.command(ctx, r, r.argv)
	}
	return "", fault.New(fault.Invalid, "credential_missing", "no reference to a "+k.name+" is given", nil).WithHint(refHint)
}

func readFile(k *kind, r Ref) (string, error) {
	file, err := os.Open(r.rest)
	if errors.Is(err, fs.ErrNotExist) {
		return "", failed(r, "there is no such file", nil)
	} else if err != nil {
		return "", failed(r, "the file cannot be read", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", failed(r, "the file cannot be read", err)
	case !info.Mode().IsRegular():
		return "", failed(r, "it is no file", nil)
	case info.Mode().Perm()&0o077 != 0:
		return "", failed(r, fmt.Sprintf("others may read it (%v): chmod 600", info.Mode().Perm()), nil)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(file, int64(k.most)+1)); err != nil {
		return "", failed(r, "the file cannot be read", err)
	}
	return b.String(), nil
}

const patience = time.Minute // a person may have to unlock a vault; a command asks them by itself, at the terminal or on the screen

func (s *Source) command(ctx context.Context, r Ref, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := s.options.Command(ctx, argv, s.Environ())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", failed(r, fmt.Sprintf("the command %q is not installed", argv[0]), nil)
	case err != nil:
		return "", failed(r, fmt.Sprintf("the command %q failed", argv[0]), err)
	}
	return string(out), nil
}

// run runs a command; what it prints is a secret and is in no error.
func (s *Source) run(ctx context.Context, argv, environ []string) ([]byte, error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	said := &stderr{to: s.options.Stderr, redact: s.Redact} // such as where to log in
	c.Env, c.Stderr, c.WaitDelay = environ, said, time.Second
	out, err := c.Output()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out, errors.Join(err, said.end())
}

// plausible reports whether something may be a token.
func plausible(value string) bool {
	if len(value) < 20 || len(value) > 512 {
		return false
	}
	for _, c := range []byte(value) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

func failed(r Ref, message string, why error) error {
	return fault.New(fault.Invalid, "credential_unreadable", r.String()+": "+message, why)
}
