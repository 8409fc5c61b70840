package credential

import (
	"bytes"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Reserve keeps the variables that references name from every process that is started from now on, so that no command that has to do with
// one account sees the token of another.
func (s *Source) Reserve(refs ...Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reserved := maps.Clone(s.reserved)
	for _, r := range refs {
		if r.scheme == schemeEnv {
			reserved[r.rest] = true
		}
	}
	s.reserved = reserved
}

// Environ is what a process may see that is started: all but the variables that are reserved, and those in which tools of the API look for
// tokens.
func (s *Source) Environ() []string {
	s.mu.Lock()
	reserved := s.reserved
	s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.options.Environ()), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return reserved[name] || strings.HasPrefix(name, "CLOUDFLARE_") || strings.HasPrefix(name, "CF_")
	})
}

// stderr shows what a command says beside the secret that it prints, line by line, without what Redact covers and without what looks like
// a secret: the one that it is about to print is not known yet.
type stderr struct {
	to     io.Writer
	redact func(string) string
	begun  []byte // a line
}

// longestLine is how much of a line is waited for.
const longestLine = 64 << 10

// Write implements io.Writer.
func (e *stderr) Write(b []byte) (int, error) {
	e.begun = append(e.begun, b...)
	end := bytes.LastIndexByte(e.begun, '\n') + 1
	if end == 0 && len(e.begun) > longestLine {
		end = len(e.begun)
	}
	shown := e.begun[:end]
	e.begun = bytes.Clone(e.begun[end:])
	return len(b), e.show(shown)
}

// end shows what has no end of a line.
func (e *stderr) end() error { return e.show(e.begun) }

func (e *stderr) show(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := io.WriteString(e.to, words.ReplaceAllStringFunc(e.redact(string(text)), func(word string) string {
		if strings.Contains(word, "://") {
			return word // an address, which may be long and mixed
		}
		return runs.ReplaceAllStringFunc(word, func(run string) string {
			if LooksSecret(run) && !uuid.MatchString(run) {
				return "[secret]"
			}
			return run
		})
	}))
	return err
}

var (
	words = regexp.MustCompile(`\S+`)
	runs  = regexp.MustCompile(`[A-Za-z0-9_+/-]{20,}=*`)
)
