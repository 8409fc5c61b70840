package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/logbook"
)

// logged is a state folder whose platform has logged lines of two tenants.
func logged(t *testing.T, more ...string) (state string, all []string) {
	t.Helper()
	noEnvironment(t)
	state = t.TempDir()
	b, err := logbook.Open(filepath.Join(state, logbook.Folder), nil)
	require.NoError(t, err)
	all = append([]string{
		`{"time":"2026-11-23T09:00:00.5Z","level":"INFO","msg":"request","worker":"api","tenantId":"acme","requestId":"6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001","traceId":"0af7651916cd43dd8448eb211c80319c","method":"POST","route":"/chat","status":200,"outcome":"ok","latencyMs":1250.25,"tokens":34,"cost":"0.000012","cache":"miss"}`,
		`{"time":"2026-11-23T09:00:01Z","level":"ERROR","msg":"request","worker":"api","tenantId":"globex","requestId":"6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab002","traceId":"b1f7651916cd43dd8448eb211c80319c","method":"GET","route":"/documents/{id}","status":503,"outcome":"failed","latencyMs":2,"code":"unavailable","error":"ledger:\n\u001b[2Jgone"}`,
		`{"time":"2026-11-23T09:00:02Z","level":"INFO","msg":"events handled","worker":"consumers","tenantId":"acme","traceId":"c1","handler":"embed","type":"document.chunked","events":3,"failed":1,"attempt":2,"outcome":"failed","latencyMs":7,"traceIds":["0af7651916cd43dd8448eb211c80319c"]}`,
		`{"time":"2026-11-23T09:00:03Z","level":"WARN","msg":"step","worker":"workflows","tenantId":"globex","traceId":"d1","flow":"import","step":"list","outcome":"refused","latencyMs":0.5,"code":"not_found"}`,
		`{"time":"2026-11-23T09:00:04Z","level":"INFO","msg":"model call","worker":"consumers","tenantId":"acme","traceId":"c1","model":"@cf/baai/bge-m3","purpose":"ingest","outcome":"ok","latencyMs":12,"tokens":1}`,
		`{"time":"2026-11-23T09:00:05Z","level":"INFO","msg":"tool call","worker":"api","tenantId":"globex","traceId":"e1","tool":"calculator","outcome":"left","latencyMs":1,"characters":5}`,
		`{"time":"2026-11-23T09:00:06Z","level":"WARN","msg":"search not cached","worker":"api","tenantId":"acme"}`,
		"fatal error: \x1b[31mout of memory",
	}, more...)
	for _, line := range all {
		_, err := b.Write([]byte(line + "\n"))
		require.NoError(t, err)
	}
	require.NoError(t, b.Close())
	return state, all
}

func TestLogsForPeople(t *testing.T) {
	state, _ := logged(t)
	code, out, errs := levada(t, "logs", "--state-dir", state)
	require.Equal(t, exitOK, code, errs)
	assert.Equal(t, strings.TrimPrefix(`
09:00:00.500  INFO   api        acme      200 ok         1250.2 ms  POST /chat  34 tokens  $0.000012  cache miss  trace 0af7651916cd43dd8448eb211c80319c
09:00:01.000  ERROR  api        globex    503 failed        2.0 ms  GET /documents/{id}  unavailable  ledger:  [2Jgone  trace b1f7651916cd43dd8448eb211c80319c
09:00:02.000  INFO   consumers  acme      failed            7.0 ms  embed handled 3 events of document.chunked  1 failed  attempt 2  trace c1
09:00:03.000  WARN   workflows  globex    refused           0.5 ms  import list  not_found  trace d1
09:00:04.000  INFO   consumers  acme      ok               12.0 ms  model call @cf/baai/bge-m3 for ingest  1 token  trace c1
09:00:05.000  INFO   api        globex    left              1.0 ms  tool call calculator  5 characters  trace e1
09:00:06.000  WARN   api        acme      search not cached
fatal error:  [31mout of memory
`, "\n"), out)
	assert.Empty(t, errs)

	var coloured bytes.Buffer
	p := &lines{w: &coloured, colour: true}
	require.NoError(t, p.tell(logbook.Parse([]byte(`{"level":"ERROR","msg":"request","route":"/x","outcome":"failed","error":"no"}`))))
	assert.Contains(t, coloured.String(), "\x1b[31mERROR\x1b[0m")
	assert.Contains(t, coloured.String(), "\x1b[31mno\x1b[0m")
}

func TestLogsAreFiltered(t *testing.T) {
	state, all := logged(t)
	for args, want := range map[string][]int{
		"":                        {0, 1, 2, 3, 4, 5, 6, 7},
		"--limit 2":               {6, 7},
		"--limit 0":               {0, 1, 2, 3, 4, 5, 6, 7},
		"--limit 3":               {5, 6, 7},
		"--tenant acme":           {0, 2, 4, 6},
		"--tenant globex":         {1, 3, 5},
		"--tenant acme --limit 1": {6},
		"--trace 0af7":            {0, 2},
		"--request 6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001":               {0},
		"--request 6F1D3C1E-2F0B-4C63-9A53-0D8E1C7AB002":               {1},
		"--request 6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab002 --tenant acme": nil,
		"--request 6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab003":               nil,
		"--request 6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001 --level error": nil,
		"--level warn":                       {1, 3, 6, 7},
		"--level error":                      {1, 7},
		"--route /documents/{id}":            {1},
		"--worker consumers":                 {2, 4},
		"--outcome failed":                   {1, 2},
		"--outcome failed --tenant acme":     {2},
		"--since 2026-11-23T09:00:05Z":       {5, 6},
		"--since 2026-11-23 --level error":   {1},
		"--tenant initech":                   nil,
		"--tenant acme --outcome refused":    nil,
		"--trace 0af7 --worker api -f=false": {0},
	} {
		code, out, errs := levada(t, append([]string{"logs", "--json", "--state-dir", state}, strings.Fields(args)...)...)
		require.Equal(t, exitOK, code, errs)
		var lines []string
		for _, n := range want {
			lines = append(lines, all[n]+"\n")
		}
		assert.Equal(t, strings.Join(lines, ""), out, args)
		assert.Equal(t, want == nil, errs == "no line is such\n", args)
	}
}

func TestLogsRefuseWhatNoLineCanHave(t *testing.T) {
	state, _ := logged(t)
	for args, says := range map[string]string{
		"--level loud":     "--level loud: is none of info, warn or error",
		"--worker gateway": "--worker gateway: is none of api, consumers, workflows, objects or mcp",
		"--outcome bad":    "--outcome bad: is none of ok, refused, failed or left",
		"--tenant Acme!":   "--tenant Acme!: ",
		"--trace 0AF7":     "the second part of an answer's traceparent",
		"--request 6f1d":   "--request 6f1d: is no request's id",
		"--route chat":     "--route chat: is none, such as /documents/{id}",
		"--since soon":     "--since soon: not a time",
		"--limit -1":       "--limit -1: is below 0",
		"--user ada":       "unknown flag: --user",
		"--trace 0af7651916cd43dd8448eb211c80319c0": "32 hexadecimal digits",
	} {
		code, out, errs := levada(t, append([]string{"logs", "--state-dir", state}, strings.Fields(args)...)...)
		assert.Equal(t, exitUsage, code, args)
		assert.Empty(t, out)
		assert.Contains(t, errs, says)
		assert.Contains(t, errs, "See levada --help")
	}
	code, out, errs := levada(t, "logs", "--state-dir", t.TempDir())
	assert.Equal(t, exitProblem, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "start it: ")
}

func TestLogsAreFollowed(t *testing.T) {
	state, _ := logged(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b, err := logbook.Open(filepath.Join(state, logbook.Folder), nil)
	require.NoError(t, err)
	var out, errs bytes.Buffer
	looks := 0
	o := logsOptions{Dir: state, Follow: true, JSON: true, Limit: 1, Tenant: "acme", Stdout: &out, Stderr: &errs, pause: func(ctx context.Context) error {
		if looks++; looks > 3 {
			cancel()
			return ctx.Err()
		}
		for _, tenant := range []string{"acme", "globex"} {
			line, err := json.Marshal(map[string]any{"time": time.Unix(int64(looks), 0), "level": "INFO", "msg": "request", "tenantId": tenant, "status": looks})
			require.NoError(t, err)
			_, err = b.Write(append(line, '\n'))
			require.NoError(t, err)
		}
		return nil
	}}
	require.NoError(t, o.run(ctx))
	require.NoError(t, b.Close())
	var got []int
	for line := range strings.Lines(out.String()) {
		l := logbook.Parse([]byte(line))
		assert.Equal(t, "acme", l.Tenant)
		got = append(got, l.Status)
	}
	assert.Equal(t, []int{0, 1, 2, 3}, got, "the newest of the past, and all that came")
	assert.Empty(t, errs.String())

	o.Dir, o.pause = t.TempDir(), func(context.Context) error { return context.Canceled }
	require.NoError(t, o.run(t.Context()))
	assert.Contains(t, errs.String(), "waiting for levada dev")
}
