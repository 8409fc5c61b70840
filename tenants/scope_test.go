package tenants_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

func TestParseID(t *testing.T) {
	for _, good := range []string{"acme", "a1", "a-b", "a-1-b", strings.Repeat("x", 32)} {
		id, err := tenants.ParseID(good)
		require.NoError(t, err, good)
		assert.Equal(t, tenants.ID(good), id)
	}
	for _, bad := range []string{
		"", "a", "1a", "-a", "a-", "a--b", "Acme", "a_b", "a.b", "a/b", "a b", "ä1", "acme\n", "acme\x00", "..", strings.Repeat("x", 33),
	} {
		_, err := tenants.ParseID(bad)
		require.Error(t, err, "%q", bad)
		assert.Equal(t, "tenant_invalid", fault.As(err).Code)
		assert.NotEmpty(t, fault.As(err).Hint)
	}
}

func TestAdmitAndResume(t *testing.T) {
	c := tenantstest.Config(t, "acme", nil)
	s, err := tenants.Admit(&c)
	require.NoError(t, err)
	assert.Equal(t, tenants.ID("acme"), s.Tenant())
	assert.NoError(t, s.Check())
	resumed, err := tenants.Resume(string(s.Tenant()))
	require.NoError(t, err)
	assert.Equal(t, s, resumed)

	_, err = tenants.Admit(nil)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = tenants.Admit(&tenants.Config{})
	assert.Error(t, err)
	_, err = tenants.Resume("../globex")
	assert.Error(t, err)
}

func TestTheZeroScopeIsRefused(t *testing.T) {
	var zero tenants.Scope
	require.ErrorIs(t, zero.Check(), tenants.ErrNoScope)
	for name, refused := range map[string]func(){
		"Key": func() { zero.Key("a") }, "Object": func() { zero.Object() },
		"Namespace": func() { zero.Namespace() }, "Source": func() { zero.Source("api") },
	} {
		assert.PanicsWithError(t, tenants.ErrNoScope.Error(), refused, name)
	}
}

func TestNames(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	for want, elem := range map[string][]string{
		"t/acme":                    {},
		"t/acme/corpus/guide.md":    {"corpus", "guide.md"},
		"t/acme/a%2Fb/c":            {"a/b", "c"},
		"t/acme/%2E%2E/%2E":         {"..", "."},
		"t/acme/...":                {"..."},
		"t/acme/~/~":                {"", ""},
		"t/acme/%7E":                {"~"},
		"t/acme/%25":                {"%"},
		"t/acme/%252F":              {"%2F"},
		"t/acme/%C3%A4%00%0A%20%5C": {"ä\x00\n \\"},
		"t/acme/%FF":                {"\xff"},
	} {
		assert.Equal(t, want, s.Key(elem...))
		assert.Equal(t, want, s.Object(elem...))
	}
	assert.Equal(t, "acme", s.Namespace())
	assert.Equal(t, "/tenants/acme/api", s.Source("api"))
}

func TestLongKeysAreShortened(t *testing.T) {
	s := tenantstest.Scope(t, strings.Repeat("x", 32))
	prefix := s.Key("corpus")
	seen := map[string]int{}
	for n := 400; n < 1_500; n++ {
		for _, elem := range []string{strings.Repeat("a", n), strings.Repeat("/", n), strings.Repeat("ä", n)} {
			key := s.Key("corpus", elem)
			require.LessOrEqual(t, len(key), 512)
			require.True(t, strings.HasPrefix(key, prefix+"/"), "lists by prefix still find it")
			require.Zero(t, seen[key], "%d and %d", seen[key], n)
			seen[key] = n
			require.Equal(t, key, s.Key("corpus", elem), "the same every time")
		}
	}
	exact := s.Key(strings.Repeat("a", 512-len(s.Key())-1))
	assert.Len(t, exact, 512)
	assert.NotContains(t, exact, "~", "what just fits stays as it is")
	assert.Contains(t, s.Key(strings.Repeat("a", 512-len(s.Key()))), "~")
}

// FuzzKeys takes two pairs of tenant and elements: only the same pair makes the same key.
func FuzzKeys(f *testing.F) {
	f.Add("acme", "a/b", "c", "acme", "a", "b/c")
	f.Add("acme", "", "", "acme", "~", "")
	f.Add("acme", "..", "globex", "globex", "a", "")
	f.Add("acme", "%2F", "", "acme", "/", "")
	f.Add("aa", strings.Repeat("x", 600), "y", "aa", strings.Repeat("x", 600), "z")
	f.Fuzz(func(t *testing.T, t1, a1, b1, t2, a2, b2 string) {
		s1, err1 := tenants.Resume(t1)
		s2, err2 := tenants.Resume(t2)
		if err1 != nil || err2 != nil {
			return
		}
		pairs := []struct {
			s    tenants.Scope
			elem []string
		}{{s1, []string{a1, b1}}, {s2, []string{a2, b2}}, {s1, []string{a1}}, {s2, []string{a2}}, {s1, nil}, {s2, nil}}
		for i, x := range pairs {
			key := x.s.Key(x.elem...)
			if len(key) > 512 || path.Clean(key) != key || strings.Trim(key, keyCharacters) != "" {
				t.Fatalf("%q is no clean key", key)
			}
			if !strings.HasPrefix(key, "t/"+string(x.s.Tenant())) || strings.Count(key, "/") < 1 {
				t.Fatalf("%q leaves its tenant", key)
			}
			for _, y := range pairs[i+1:] {
				same := x.s == y.s && strings.Join(x.elem, "\x00/\x00") == strings.Join(y.elem, "\x00/\x00") && len(x.elem) == len(y.elem)
				if (key == y.s.Key(y.elem...)) != same {
					t.Fatalf("%q %q and %q %q make %q", x.s.Tenant(), x.elem, y.s.Tenant(), y.elem, key)
				}
			}
		}
	})
}

const keyCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%/"
