package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"levada.dev/events/fault"
	"levada.dev/infra/client/clienttest"
	"levada.dev/infra/deploy/double"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
)

// terminal is where a page is run: a shell in a checkout whose tenants are this repository's, with the accounts of its tenants/deploy.json in
// the double of the API. What is deployed there answers /health and /ready as the double says. At other paths it is the API in memory,
// which knows its tenants, and their keys, from what was published in the account.
type terminal struct {
	*clouds
	t         *testing.T
	shell     *interp.Runner
	out       *screen
	tasks     []byte            // Taskfile.yml
	secrets   string            // where the page says secretsFolder
	mu        sync.Mutex        // of platforms
	platforms map[string]*world // by account and Worker
	hosts     map[string]string // that lead where others do
}

// screen is what is printed to. The programs of a pipe print at the same time.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Reset()
}

// String is what stands there.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// secretsFolder is where tenants/deploy.json has the vaults.
const secretsFolder = "/run/secrets"

// The accounts that tenants/deploy.json names, and what their tokens are called there.
var runbookAccounts = []struct{ id, name, token string }{
	{strings.Repeat("ac", 16), "acme", "CF_TOKEN_ACME"},
	{strings.Repeat("5a", 16), "shared", "CF_TOKEN_SHARED"},
	{strings.Repeat("de0", 11)[:32], "dev", "CF_TOKEN_DEV"},
	{strings.Repeat("14", 16), "initech", "CF_TOKEN_INITECH"},
}

// runbookGroups are the permission groups that docs/credentials.md names, and no other.
var runbookGroups = []string{"Workers Scripts Write", "Queues Write", "Workers KV Storage Write", "Workers R2 Storage Write", "Vectorize Write", "AI Gateway Write", "Workers Routes Write", "Zone Read"}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	on := &terminal{clouds: newClouds(t), t: t, out: &screen{}, secrets: t.TempDir(), platforms: map[string]*world{}, hosts: map[string]string{}}
	repository := os.DirFS("../..")
	var err error
	on.tasks, err = fs.ReadFile(repository, "Taskfile.yml")
	require.NoError(t, err)
	for _, pattern := range []string{"tenants/*.json", "tenants/*/*.json", "docs/*.md"} {
		files, err := fs.Glob(repository, pattern)
		require.NoError(t, err)
		for _, file := range files {
			b, err := fs.ReadFile(repository, file)
			require.NoError(t, err)
			on.Write(file, on.inside(string(b)))
		}
	}
	for _, a := range runbookAccounts {
		on.API.Account(a.id, a.name)
		on.token(a.id, a.token, "of-"+a.name)
	}
	on.API.Zone(strings.Repeat("ec", 16), "example.com", runbookAccounts[0].id)
	t.Chdir(on.Root)
	on.shell, err = interp.New(interp.StdIO(nil, on.out, on.out), interp.Dir(on.Root), interp.Env(expand.ListEnviron(os.Environ()...)),
		interp.ExecHandlers(func(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
			return func(ctx context.Context, args []string) error { return on.exec(ctx, args, next) }
		}))
	require.NoError(t, err)
	return on
}

// token makes a token of an account that may do what docs/credentials.md says, and puts it into its variable.
func (on *terminal) token(account, variable, name string) {
	value := "token-" + strings.ToLower(name) + "-0123456789abcdefghij"
	on.API.Token(value, double.Token{Accounts: []string{account}, Groups: runbookGroups})
	on.t.Setenv(variable, value)
	if on.shell != nil {
		on.run("export " + variable + "=" + value)
	}
}

// inside and outside put the folder of secrets in the place of what pages call it, and back.
func (on *terminal) inside(text string) string {
	return strings.ReplaceAll(text, secretsFolder, on.secrets)
}
func (on *terminal) outside(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, on.secrets, secretsFolder), on.Root, ".")
}

// run runs a command line as a shell does.
func (on *terminal) run(line string) (out string, code int) {
	on.t.Helper()
	file, err := syntax.NewParser().Parse(strings.NewReader(on.inside(line)), "")
	require.NoError(on.t, err, line)
	on.out.clear()
	err = on.shell.Run(on.t.Context(), file)
	var status interp.ExitStatus
	require.True(on.t, err == nil || errors.As(err, &status), "%s: %v", line, err)
	return on.outside(on.out.String()), int(status)
}

// exec runs a program: levada and curl here, a task as Taskfile.yml says, everything else as it is.
func (on *terminal) exec(ctx context.Context, args []string, next interp.ExecHandlerFunc) error {
	in := interp.HandlerCtx(ctx)
	in.Env.Each(func(name string, v expand.Variable) bool {
		if v.Exported && v.Kind == expand.String && os.Getenv(name) != v.Str {
			on.t.Setenv(name, v.Str)
		}
		return true
	})
	switch {
	case args[0] == "levada":
		return status(on.command(ctx, args[1:], in.Stdout, in.Stderr))
	case len(args) > 3 && slices.Equal(args[:3], []string{"go", "tool", "task"}):
		return status(on.command(ctx, taskLine(on.t, on.tasks, args[3], args[4:]), in.Stdout, in.Stderr))
	case args[0] == "curl":
		return status(on.curl(ctx, args[1:], in.Stdout))
	}
	return next(ctx, args)
}

func status(code int) error {
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(code)
}

// command runs levada.
func (on *terminal) command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	on.t.Setenv("LEVADA_WORKERS", on.Workers())
	on.now = on.now.Add(time.Minute)
	g := &globals{http: on, cloud: on.cloud, stdin: devNull(on.t)}
	return execute(ctx, g, args, stdout, stderr)
}

// taskLine is what Taskfile.yml has a task of levada run.
func taskLine(t *testing.T, taskfile []byte, name string, args []string) []string {
	t.Helper()
	var file struct {
		Tasks map[string]struct {
			Cmds     []any
			Requires struct{ Vars []string }
		}
	}
	require.NoError(t, yaml.Unmarshal(taskfile, &file))
	task, found := file.Tasks[name]
	require.True(t, found, "there is no task %s", name)
	require.Len(t, task.Cmds, 1)
	vars := map[string]string{}
	for i, arg := range args {
		if arg == "--" {
			vars["CLI_ARGS"] = strings.Join(args[i+1:], " ")
			break
		}
		key, value, ok := strings.Cut(arg, "=")
		require.True(t, ok, arg)
		vars[key] = value
	}
	for _, name := range task.Requires.Vars {
		require.NotEmpty(t, vars[name])
	}
	or := func(other, value string) string {
		if value == "" {
			return other
		}
		return value
	}
	var line strings.Builder
	text, _ := task.Cmds[0].(string)
	parsed, err := template.New("").Option("missingkey=zero").Funcs(template.FuncMap{"default": or}).Parse(text)
	require.NoError(t, err)
	require.NoError(t, parsed.Execute(&line, vars))
	words := strings.Fields(line.String())
	require.Equal(t, "bin/levada", words[0], "a task of levada")
	return words[1:]
}

// curl sends one request: -s, -X, -H and -d are known.
func (on *terminal) curl(ctx context.Context, args []string, stdout io.Writer) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://nowhere.invalid", nil)
	require.NoError(on.t, err)
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-s":
			continue
		case "-X":
			r.Method = args[i+1]
		case "-H":
			name, value, _ := strings.Cut(args[i+1], ": ")
			r.Header.Set(name, value)
		case "-d":
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(args[i+1])), int64(len(args[i+1]))
		default:
			require.True(on.t, strings.HasPrefix(args[i], "https://"), "curl %s", args[i])
			if r.URL, err = r.URL.Parse(args[i]); err != nil {
				return 3
			}
			continue
		}
		i++
	}
	r.Host = r.URL.Host
	do := on.Do
	if r.URL.Host == "api.cloudflare.com" {
		do = on.Client().Do
	}
	resp, err := do(r)
	if err != nil {
		return 7
	}
	defer resp.Body.Close()
	if _, err = io.Copy(stdout, resp.Body); err != nil {
		return 18
	}
	return 0
}

// Do sends a request to what is deployed at its host.
func (on *terminal) Do(r *http.Request) (*http.Response, error) {
	account, script := on.API.Worker(cmp.Or(on.hosts[r.URL.Hostname()], r.URL.Hostname()), r.URL.Path)
	if script == "" || r.URL.Path == "/health" || r.URL.Path == "/ready" {
		return on.Site().Do(r)
	}
	time.Sleep(time.Millisecond) // what was published is known by now
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	return clienttest.Inside{Handler: on.platform(account, script)}.Do(r)
}

// platform is what a Worker's code does, in memory.
func (on *terminal) platform(account, script string) *world {
	key := account + "/" + script
	on.mu.Lock()
	defer on.mu.Unlock()
	if w := on.platforms[key]; w != nil {
		return w
	}
	from := published{on.API, account, strings.TrimSuffix(script, "-api") + "-config"}
	w := newPlatform(on.t, tenants.NewDirectory(from, &tenants.DirectoryOptions{TTL: time.Nanosecond, NegativeTTL: time.Nanosecond}), from.tenants)
	w.far = on
	on.platforms[key] = w
	return w
}

// published is what a pool's namespace has.
type published struct {
	api                *double.API
	account, namespace string
}

// Read implements tenants.Reader.
func (p published) Read(_ context.Context, key string) ([]byte, error) {
	value, ok := p.api.KV(p.account, p.namespace)[key]
	if !ok {
		return nil, fault.Missing("entry_not_found", "nothing is published under %s", key)
	}
	return []byte(value), nil
}

func (p published) tenants() (ids []tenants.ID) {
	_ = json.Unmarshal([]byte(p.api.KV(p.account, p.namespace)["tenants"]), &ids) // nobody, when nothing is published
	return ids
}

// world does what a comment of a page says:
//
//	deployed TENANT ENV RELEASE   somebody has made the vault, and deployed
//	token ACCOUNT VARIABLE        somebody has made another token
//	key VARIABLE TENANT ENV SCOPE,...  somebody has made an API key, and deployed it
//	domain POOL ENV HOST          tenants/deploy.json gives a pool a domain
//	host HOST OTHER               a host leads to where another does
//	document URL VARIABLE         a document is at a platform, of the key in a variable
//	waiting URL VARIABLE          likewise, and it is not waited for
//	tampered HOST TENANT ENTRY    somebody has changed an entry of a tenant's trail, where it is stored
//	models HOST CODE              the models of the platform at a host answer so, until they are well
//	code VERSION                  the checkout has other code
//	sick RELEASE                  whatever was uploaded for the release is not ready
//	well                          everything is well again
//	deleted KIND NAME             somebody has deleted a resource in the dashboard: kv, queue, vectorize, r2, worker, gateway
//	crons WORKER TEXT             somebody has changed a Worker's schedule
//	refused METHOD PATTERN N      the API answers 503 to requests whose path ends so, but for the first N
//	answers                       the API answers again
func (on *terminal) world(file string, s step) {
	on.t.Helper()
	at := fmt.Sprintf("%s:%d: %s", file, s.line, s.text)
	w := append(strings.Fields(s.text), "", "", "", "", "")
	switch w[0] {
	case "deployed":
		for _, line := range []string{
			fmt.Sprintf("levada secret new %s --env %s", w[1], w[2]),
			fmt.Sprintf("levada deploy %s --env %s --release %s --yes", w[1], w[2], w[3]),
		} {
			out, code := on.run(line)
			require.Zero(on.t, code, "%s\n%s", at, out)
		}
	case "token":
		on.token(on.owner(w[1]+"-"), w[2], w[2])
	case "key":
		for _, line := range []string{
			fmt.Sprintf("export %s=$(levada key new %s --env %s --name %s --scope %s)", w[1], w[2], w[3], strings.ReplaceAll(strings.ToLower(w[1]), "_", "-"), w[4]),
			fmt.Sprintf("levada deploy %s --env %s --yes", w[2], w[3]),
		} {
			out, code := on.run(line)
			require.Zero(on.t, code, "%s\n%s", at, out)
		}
	case "domain":
		text, err := os.ReadFile("tenants/deploy.json")
		require.NoError(on.t, err)
		vault := "levada-" + w[1] + "-" + w[2] + ".json\",\n"
		require.Contains(on.t, string(text), vault, at)
		on.Write("tenants/deploy.json", strings.Replace(string(text), vault, vault+`"domains": ["`+w[3]+`"],`+"\n", 1))
	case "host":
		on.hosts[w[1]] = w[2]
	case "document":
		out, code := on.run("echo 'Water flows in channels.' > channels.md; levada ingest channels.md --wait --url " + w[1] + " --key $" + w[2])
		require.Zero(on.t, code, "%s\n%s", at, out)
	case "waiting":
		out, code := on.run("echo 'A levada carries water.' > guide.md; levada ingest guide.md --url " + w[1] + " --key $" + w[2])
		require.Zero(on.t, code, "%s\n%s", at, out)
		time.Sleep(time.Minute) // until nothing happens any more
	case "tampered":
		account, script := on.API.Worker(w[1], "/")
		require.NotEmpty(on.t, script, at)
		entry, err := strconv.Atoi(w[3])
		require.NoError(on.t, err, at)
		on.platform(account, script).ports.Trail.(*memory.Trail).Rows(tenantstest.Scope(on.t, w[2]), func(tx rows.Tx) {
			line, err := tx.Get(rowKey(entry))
			require.NoError(on.t, err, at)
			changed := strings.Replace(string(line), `"subject":"`, `"subject":"x`, 1)
			require.NotEqual(on.t, string(line), changed, at)
			require.NoError(on.t, tx.Put(rowKey(entry), []byte(changed)), at)
		})
	case "models":
		account, script := on.API.Worker(w[1], "/")
		require.NotEmpty(on.t, script, at)
		on.platform(account, script).models(w[2])
	case "code":
		on.Code(w[1])
	case "sick":
		on.API.Sick(func(_, _, tag string) int {
			if tag == w[1] {
				return http.StatusServiceUnavailable
			}
			return 0
		})
	case "well":
		on.API.Sick(nil)
	case "deleted":
		on.API.Edit(on.owner(w[2]), func(a *double.Account) {
			deletions := map[string]func(string){"kv": a.DeleteNamespace, "queue": a.DeleteQueue, "vectorize": a.DeleteIndex, "r2": a.DeleteBucket, "worker": a.DeleteScript, "gateway": a.DeleteGateway}
			require.Contains(on.t, deletions, w[1], at)
			deletions[w[1]](w[2])
		})
	case "crons":
		on.API.Edit(on.owner(w[1]), func(a *double.Account) { a.SetSchedules(w[1], strings.Join(strings.Fields(s.text)[2:], " ")) })
	case "refused":
		skip, _ := strconv.Atoi(w[3])
		on.API.Fail(double.Fault{Method: w[1], Path: regexp.MustCompile(w[2] + "$"), Status: http.StatusServiceUnavailable, Times: -1, Skip: skip})
	case "answers":
		on.API.Heal()
	default:
		require.Fail(on.t, "what a page may say of the world does not have this", at)
	}
}

// owner is the account that has a resource, by its name.
func (on *terminal) owner(name string) string {
	on.t.Helper()
	for _, a := range runbookAccounts {
		if matched, _ := path.Match(a.name+"-*", name); matched && a.name != "dev" {
			return a.id
		}
	}
	require.Fail(on.t, "no account has "+name)
	return ""
}
