package tenants_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

func TestIDsOfASourceAreItsOwn(t *testing.T) {
	c, err := tenants.Parse([]byte(`{"id":"acme","name":"A","sources":[
		{"id":"cms","idPrefix":"cms/","sync":{"prefix":"a"}},{"id":"cms2","idPrefix":"cms2:","sync":{"prefix":"b"}},{"id":"any","sync":{"prefix":"c"}}]}`))
	require.NoError(t, err)
	for id, want := range map[string]string{"cms/a": "cms", "cms2:a": "cms2", "cms2/a": "", "cms": "", "a": "", "": "", "Cms/a": ""} {
		s, known := c.SourceOf(id)
		if assert.Equal(t, want != "", known, id); known {
			assert.Equal(t, want, s.ID, id)
		}
	}
}

func TestPrefixesOfSourcesDoNotOverlap(t *testing.T) {
	for _, first := range []string{"cms/", "cms/en/", "cms/en/old:"} {
		_, problems := tenants.Inspect([]byte(`{"id":"acme","name":"A","sources":[{"id":"cms","idPrefix":"` + first + `","sync":{"prefix":"a"}},
			{"id":"blog","idPrefix":"cms/en/","sync":{"prefix":"b"}}]}`))
		require.Len(t, problems, 1, first)
		assert.Equal(t, `sources[1].idPrefix: "cms/en/" overlaps with that of the source "cms" (give each source ids of its own)`, problems[0].String())
	}
}

func TestSources(t *testing.T) {
	c, err := tenants.Parse([]byte(`{"id":"acme","name":"Acme","sources":[
		{"id":"docs","sync":{"sitemap":"https://acme.example.com/sitemap.xml"}},
		{"id":"cms","webhook":{"secrets":["cms-2","cms-1"],"deletes":["com.acme.deleted","com.acme.gone.*"],"origins":["a.example.com"]}},
		{"id":"blog","webhook":{"secrets":["blog"]}}]}`))
	require.NoError(t, err)
	assert.Equal(t, []tenants.NamedSecret{{Name: "blog", Kind: tenants.SourceSecret}, {Name: "cms-1", Kind: tenants.SourceSecret}, {Name: "cms-2", Kind: tenants.SourceSecret}}, c.Secrets())
	docs, ok := c.Source("docs")
	require.True(t, ok)
	assert.Equal(t, 1_440, docs.Sync.EveryMinutes, "a day")
	assert.Nil(t, docs.Webhook)
	_, ok = c.Source("none")
	assert.False(t, ok)

	cms, ok := c.Source("cms")
	require.True(t, ok)
	for typ, want := range map[string]bool{
		"com.acme.deleted": true, "com.acme.deleted.v1": false, "com.acme.gone.": true, "com.acme.gone.v1": true, "com.acme.gone": false, "": false,
	} {
		assert.Equal(t, want, cms.Webhook.IsDelete(typ), typ)
	}
	assert.True(t, cms.Webhook.AllowsOrigin("A.example.com"))
	assert.False(t, cms.Webhook.AllowsOrigin("b.a.example.com"))
	blog, _ := c.Source("blog")
	assert.True(t, blog.Webhook.AllowsOrigin("anybody.example.com"))
}
