package cli

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/tenants"
)

// stateOf makes a state folder with keys of some tenants.
func stateOf(t *testing.T, ids ...tenants.ID) (dir string, keys tenants.Keys) {
	t.Helper()
	dir, keys = t.TempDir(), tenants.Keys{}
	for _, id := range ids {
		key, err := tenants.NewKey(rand.Reader, id)
		require.NoError(t, err)
		keys[id] = key
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keys.json"), keys.JSON(), 0o600))
	return dir, keys
}

// noEnvironment takes away what the environment says of platforms.
func noEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"LEVADA_URL", "LEVADA_KEY", "LEVADA_TENANT", "LEVADA_STATE", "PORT"} {
		t.Setenv(name, "")
	}
}

func TestWhichPlatformAndWhoseKey(t *testing.T) {
	state, keys := stateOf(t, "acme", "demo")
	alone, of := stateOf(t, "globex")
	running, its := stateOf(t, "acme")
	require.NoError(t, os.WriteFile(filepath.Join(running, "address"), []byte("http://127.0.0.1:9123\n"), 0o600))
	for name, test := range map[string]struct {
		options     platformOptions
		env         map[string]string
		url         string
		tenant, key string // as they are sent
	}{
		"nothing is said":                  {platformOptions{}, map[string]string{"LEVADA_STATE": state}, "http://127.0.0.1:8787", "demo", keys["demo"]},
		"the platform of the state folder": {platformOptions{State: running}, nil, "http://127.0.0.1:9123", "acme", its["acme"]},
		"the port before that":             {platformOptions{State: running}, map[string]string{"PORT": "99"}, "http://127.0.0.1:99", "acme", its["acme"]},
		"the address before that":          {platformOptions{State: running, URL: "http://localhost:5"}, nil, "http://localhost:5", "acme", its["acme"]},
		"the port":                         {platformOptions{State: state}, map[string]string{"PORT": "99"}, "http://127.0.0.1:99", "demo", keys["demo"]},
		"the tenant":                       {platformOptions{State: state, Tenant: "acme"}, nil, "http://127.0.0.1:8787", "acme", keys["acme"]},
		"the tenant by the environment":    {platformOptions{State: state}, map[string]string{"LEVADA_TENANT": "acme"}, "http://127.0.0.1:8787", "acme", keys["acme"]},
		"flags before the environment": {platformOptions{State: state, Tenant: "demo", URL: "http://localhost:5"}, map[string]string{"LEVADA_TENANT": "acme", "LEVADA_URL": "http://x.test"},
			"http://localhost:5", "demo", keys["demo"]},
		"the only tenant":                 {platformOptions{State: alone}, nil, "http://127.0.0.1:8787", "globex", of["globex"]},
		"a key":                           {platformOptions{State: state, Key: "k"}, nil, "http://127.0.0.1:8787", "", "k"},
		"a key by the environment":        {platformOptions{}, map[string]string{"LEVADA_KEY": "k", "LEVADA_URL": "https://levada.example.com/"}, "https://levada.example.com", "", "k"},
		"a platform elsewhere":            {platformOptions{URL: "https://levada.example.com", Tenant: "demo"}, map[string]string{"LEVADA_STATE": state}, "https://levada.example.com", "demo", ""},
		"a platform elsewhere, its state": {platformOptions{URL: "http://box:8787", State: state}, nil, "http://box:8787", "demo", keys["demo"]},
	} {
		t.Run(name, func(t *testing.T) {
			noEnvironment(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			test.options.globals = &globals{}
			c, err := test.options.client()
			require.NoError(t, err)
			assert.Equal(t, test.url, c.URL())
			assert.Equal(t, test.tenant, c.Tenant())
			assert.Equal(t, test.key, keySent(t, test.options))
		})
	}
}

// keySent is the key that the options' client sends, without sending it anywhere.
func keySent(t *testing.T, o platformOptions) string {
	t.Helper()
	_, key, err := o.credentials(must(o.url()))
	require.NoError(t, err)
	return key
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestWhatIsWrongWithThePlatform(t *testing.T) {
	state, _ := stateOf(t, "acme", "demo")
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "keys.json"), []byte(`{"acme":"x"}`), 0o600))
	for name, test := range map[string]struct {
		options platformOptions
		says    []string
	}{
		"no address":     {platformOptions{URL: "localhost:8787"}, []string{"--url localhost:8787: not the address of a platform"}},
		"a path":         {platformOptions{URL: "http://localhost/api"}, []string{"not the address of a platform"}},
		"no such tenant": {platformOptions{State: state, Tenant: "acmee"}, []string{"no key of this tenant in", `did you mean "acme"?`}},
		"a strange one":  {platformOptions{State: state, Tenant: "initech"}, []string{"there are keys of acme, demo"}},
		"never started":  {platformOptions{State: filepath.Join(state, "nothing")}, []string{"the platform was never started there", "go tool task dev", "--key"}},
		"broken keys":    {platformOptions{State: broken}, []string{"keys.json: keys_invalid"}},
		"no checkout":    {platformOptions{}, []string{"use --root"}},
	} {
		t.Run(name, func(t *testing.T) {
			noEnvironment(t)
			t.Chdir(state)
			test.options.globals = &globals{}
			_, err := test.options.client()
			require.Error(t, err)
			for _, part := range test.says {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}

func TestTheNextStepIsNamed(t *testing.T) {
	var o platformOptions
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		_, _ = w.Write([]byte(`{"ok":false,"error":{"code":"unauthorized","message":"no"}}`))
	}))
	err := o.advised(client.New(server.URL, "", nil).Health(t.Context()))
	assert.ErrorContains(t, err, "--key")
	server.Close()
	err = o.advised(client.New(server.URL, "", nil).Health(t.Context()))
	assert.ErrorContains(t, err, "no platform answers on "+server.URL)
	assert.ErrorContains(t, err, "go tool task dev")
	assert.NoError(t, o.advised(nil))
}
