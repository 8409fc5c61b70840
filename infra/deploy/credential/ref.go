package credential

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"levada.dev/events/fault"
)

// Ref says where a token is kept. It is no secret. The zero value says nowhere.
type Ref struct {
	scheme string
	rest   string   // what follows the scheme
	argv   []string // of exec
}

// The schemes.
const (
	schemeEnv     = "env"     // env:NAME, a variable of the environment
	schemeFile    = "file"    // file:/absolute/path, which nobody but its owner may read
	schemeOP      = "op"      // op://vault/item/field, by 1Password's command op
	schemeKeyring = "keyring" // keyring:service/user, in the operating system's
	schemeExec    = "exec"    // exec:["command","argument"], what it prints
)

const refHint = `such as env:CF_TOKEN_ACME, file:/run/secrets/cf-acme, op://Infra/cf-acme/credential, keyring:levada/acme, exec:["vault","read","-field=token","cf/acme"]`

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	pair    = regexp.MustCompile(`^[^/\s]+/[^/\s]+$`)
)

// Parse reads a reference. What is none is not shown in the error: it may be a token.
func Parse(text string) (Ref, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	r := Ref{scheme: scheme, rest: rest}
	problem := ""
	switch scheme {
	case schemeEnv:
		if !envName.MatchString(rest) {
			problem = "env: takes the name of a variable"
		} else if ambient(rest) {
			problem = "env: takes a variable of this account alone; what every tool takes by itself could be another account's"
		}
	case schemeFile:
		if !filepath.IsAbs(rest) {
			problem = "file: takes an absolute path"
		}
	case schemeOP:
		if parts := strings.Split(rest, "/"); len(parts) < 5 || parts[0] != "" || parts[1] != "" {
			problem = "op: takes //vault/item/field"
		}
	case schemeKeyring:
		if !pair.MatchString(rest) {
			problem = "keyring: takes service/user"
		}
	case schemeExec:
		if err := json.Unmarshal([]byte(rest), &r.argv); err != nil || len(r.argv) == 0 || r.argv[0] == "" {
			problem = "exec: takes a command and its arguments as a JSON array"
		} else if slices.ContainsFunc(r.argv, argumentLooksSecret) {
			problem = "exec: an argument looks like a secret, which is not shown: let the command ask for it, or find it in its environment"
		}
	default:
		problem = "is not a reference to a token; the text is not shown, as it may be one itself"
	}
	if problem != "" {
		return Ref{}, fault.New(fault.Invalid, "credential_invalid", problem, nil).WithHint(refHint)
	}
	return r, nil
}

// ambient reports whether a variable is one that tools of the API read unasked.
func ambient(name string) bool {
	return strings.HasPrefix(name, "CLOUDFLARE_") || name == "CF_API_TOKEN" || name == "CF_API_KEY"
}

// String is the reference as it was written.
func (r Ref) String() string {
	if r.scheme == "" {
		return ""
	}
	return r.scheme + ":" + r.rest
}

// MarshalText implements encoding.TextMarshaler.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Ref) UnmarshalText(text []byte) (err error) {
	*r, err = Parse(string(text))
	return err
}

// File is the path that the reference leads to, if it leads to a file.
func (r Ref) File() (path string, ok bool) { return r.rest, r.scheme == schemeFile }
