package target_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
)

func TestAPoolIsAddedAndEverythingElseStays(t *testing.T) {
	entry := target.Entry{Account: "33333333333333333333333333333333", Token: "env:CF_NEW", WorkersDev: true, Canary: &target.Steps{Steps: []int{}}}
	const lines = `"new": {
          "account": "33333333333333333333333333333333",
          "token": "env:CF_NEW",
          "workersDev": true,
          "canary": {
            "steps": []
          }
        }`
	for name, test := range map[string]struct{ before, after string }{
		"into a new file": {"", `{
  "$schema": "deploy.schema.json",
  "environments": {
    "prod": {
      "pools": {
        ` + lines + `
      }
    }
  }
}
`},
		"beside others": {`// About.
{
  "environments": { // all of them
    "prod": {
      "pools": {
        // The old one.
        "old": {"account": "` + one + `", "token": "env:CF", "workersDev": true} // not for long
      }
    }
  }
}
`, `// About.
{
  "environments": { // all of them
    "prod": {
      "pools": {
        // The old one.
        "old": {"account": "` + one + `", "token": "env:CF", "workersDev": true}, // not for long
        ` + lines + `
      }
    }
  }
}
`},
		"where commas trail": {`{
  "environments": {
    "prod": {
      "pools": {
        "old": {"account": "` + one + `", "token": "env:CF", "workersDev": true,}, /* x */
        // the end
      },
    },
  },
}`, `{
  "environments": {
    "prod": {
      "pools": {
        "old": {"account": "` + one + `", "token": "env:CF", "workersDev": true,}, /* x */
        // the end
        ` + lines + `,
      },
    },
  },
}`},
		"in another environment": {`{
  "environments": {
    "dev": {"pools": {}} // empty
  }
}`, `{
  "environments": {
    "dev": {"pools": {}}, // empty
    "prod": {
      "pools": {
        ` + lines + `
      }
    }
  }
}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := target.AddPool([]byte(test.before), target.Prod, "new", entry)
			require.NoError(t, err)
			assert.Equal(t, test.after, string(got))
			again, err := target.AddPool(got, target.Prod, "new", entry)
			require.NoError(t, err)
			assert.Equal(t, string(got), string(again), "once is enough")

			fsys := fstest.MapFS{"new/tenant.config.json": {Data: []byte(`{"id":"new","name":"New"}`)}, "old/tenant.config.json": {Data: []byte(`{"id":"old","name":"Old"}`)}, target.File: {Data: got}}
			in, problems := target.Load(fsys, target.Prod)
			require.Empty(t, problems)
			added, err := in.Find("new")
			require.NoError(t, err)
			assert.Empty(t, added.Canary.Steps)
		})
	}
}

func TestAPoolIsAddedToTheShippedFile(t *testing.T) {
	shipped, err := os.ReadFile("../../../tenants/" + target.File)
	require.NoError(t, err)
	text := shipped
	for _, env := range target.Environments {
		text, err = target.AddPool(text, env, "initech", target.Entry{Account: "33333333333333333333333333333333", Token: "env:CF_INITECH", WorkersDev: true})
		require.NoError(t, err)
	}
	for line := range strings.Lines(string(shipped)) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		assert.Contains(t, string(text), line)
	}
	assert.Equal(t, strings.Count(string(shipped), "\n")+3*5, strings.Count(string(text), "\n"), "five lines each")
}

func TestAPoolThatIsNotAdded(t *testing.T) {
	entry := target.Entry{Account: two, Token: "env:CF_NEW", WorkersDev: true}
	with := func(change func(*target.Entry)) target.Entry { e := entry; change(&e); return e }
	for name, test := range map[string]struct {
		src, env, pool string
		entry          target.Entry
		code, says     string
	}{
		"there is another":   {good, "prod", "acme", entry, "pool_exists", "environments.prod.pools.acme is there already"},
		"no environment":     {good, "prd", "new", entry, "config_invalid", "is not a known field"},
		"no name":            {good, "prod", "acme-dev", with(func(e *target.Entry) { e.Account = strings.Repeat("3", 32) }), "config_invalid", "has the environment"},
		"another's account":  {good, "prod", "new", entry, "config_invalid", "is also the account of environments.dev.pools.shared"},
		"a token":            {good, "prod", "new", with(func(e *target.Entry) { e.Token = token[5:] }), "config_invalid", "looks like a secret, which is not shown"},
		"no account":         {good, "prod", "new", with(func(e *target.Entry) { e.Account = "" }), "config_invalid", "is required"},
		"no JSON":            {"{", "prod", "new", entry, "config_invalid", "is not JSON"},
		"no object":          {"[]", "prod", "new", entry, "config_invalid", "is no object"},
		"pools is no object": {`{"environments": {"prod": {"pools": []}}}`, "prod", "new", entry, "config_invalid", "is no object"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := target.AddPool([]byte(test.src), test.env, test.pool, test.entry)
			require.Equal(t, test.code, fault.As(err).Code, "%v", err)
			assert.Contains(t, err.Error(), test.says)
			assert.NotContains(t, err.Error(), token[5:])
		})
	}
}
