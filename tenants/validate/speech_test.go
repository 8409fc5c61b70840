package validate

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// voices are models that speak, as a platform has them.
var voices = map[string][]string{
	"@cf/deepgram/aura-2-en": {"luna", "thalia"}, "@cf/deepgram/aura-1": {"angus", "luna"}, "@cf/myshell-ai/melotts": {"en", "es"},
}

var formats = map[string][]string{
	"@cf/deepgram/aura-2-en": {"mp3", "wav", "opus"}, "@cf/deepgram/aura-1": {"mp3", "wav"}, "@cf/myshell-ai/melotts": {"wav"}, "@cf/only/opus": {"opus"},
}

// A fallback that could never stand in for what most requests ask is refused, before it is needed.
func TestAFallbackSpeaksWhatTheModelDoes(t *testing.T) {
	voices := maps.Clone(voices)
	voices["@cf/only/opus"] = []string{"luna"}
	for speech, want := range map[string]string{
		`{"model":"@cf/deepgram/aura-2-en","fallback":"@cf/deepgram/aura-1"}`:                    "",
		`{"model":"@cf/deepgram/aura-2-en","fallback":"@cf/myshell-ai/melotts","format":"wav"}`:  "",
		`{"model":"@cf/myshell-ai/melotts","fallback":"@cf/deepgram/aura-1","format":"mp3"}`:     "", // melotts speaks wav all the same
		`{"model":"@cf/deepgram/aura-2-en","fallback":"@cf/myshell-ai/melotts"}`:                 `speech.fallback: @cf/myshell-ai/melotts gives no mp3, which is what @cf/deepgram/aura-2-en speaks when a request names no format (set speech.format to "wav", which both give)`,
		`{"model":"@cf/deepgram/aura-2-en","fallback":"@cf/myshell-ai/melotts","format":"opus"}`: `speech.fallback: @cf/myshell-ai/melotts gives no opus, which is what @cf/deepgram/aura-2-en speaks when a request names no format (set speech.format to "wav", which both give)`,
		`{"model":"@cf/myshell-ai/melotts","fallback":"@cf/only/opus"}`:                          `speech.fallback: @cf/only/opus gives no wav, which is what @cf/myshell-ai/melotts speaks when a request names no format (name a fallback that gives wav)`,
	} {
		fsys := folder(map[string]string{"acme": `{"id":"acme","name":"Acme","speech":` + speech + `}`, "globex": `{"id":"globex","name":"Globex"}`})
		_, problems := Load(fsys, Rules{Voices: voices, Formats: formats})
		got := ""
		for _, p := range problems {
			assert.Equal(t, "acme/tenant.config.json", p.File)
			p.File = ""
			got += p.String()
		}
		assert.Equal(t, want, got, speech)
	}
}

func TestWhoSpeaksIsKnown(t *testing.T) {
	for speech, want := range map[string][]string{
		`{"enabled":true}`: nil,
		`{"enabled":true,"model":"none","voice":"anybody","voices":{"anna":"nobody"}}`:                                   nil,
		`{"model":"@cf/deepgram/aura-2-en","fallback":"@cf/deepgram/aura-1","voice":"thalia","voices":{"anna":"angus"}}`: nil,
		`{"model":"@cf/deepgram/aura-2"}`: {
			`speech.model: there is no model that speaks "@cf/deepgram/aura-2" (did you mean "@cf/deepgram/aura-1"?)`,
		},
		`{"model":"@cf/baai/bge-m3","voice":"thalia"}`: {
			`speech.model: there is no model that speaks "@cf/baai/bge-m3" (one of @cf/deepgram/aura-1, @cf/deepgram/aura-2-en, @cf/myshell-ai/melotts)`,
		},
		`{"model":"@cf/deepgram/aura-1","fallback":"@local/voice"}`: {
			`speech.fallback: there is no model that speaks "@local/voice" (one of @cf/deepgram/aura-1, @cf/deepgram/aura-2-en, @cf/myshell-ai/melotts)`,
		},
		`{"model":"@cf/deepgram/aura-1","voice":"thalia"}`: {
			`speech.voice: "thalia" is not a voice of @cf/deepgram/aura-1 (one of angus, luna)`,
		},
		`{"model":"@cf/myshell-ai/melotts","fallback":"@cf/deepgram/aura-1","voice":"angus","voices":{"a":"en","b":"angas","c":"de"}}`: {
			`speech.voice: "angus" is not a voice of @cf/myshell-ai/melotts (one of en, es)`,
			`speech.voices.b: "angas" is not a voice of speech.model and speech.fallback (did you mean "angus"?)`,
			`speech.voices.c: "de" is not a voice of speech.model and speech.fallback (one of en, es, angus, luna)`,
		},
		`{"model":"@cf/deepgram/aura-1","voice":"Luna"}`: {
			`speech.voice: "Luna" is not the name of a voice (a small letter first, then small letters, digits and hyphens, 32 at most)`,
		},
	} {
		fsys := folder(map[string]string{
			"acme":   `{"id":"acme","name":"Acme","speech":` + speech + `}`,
			"globex": `{"id":"globex","name":"Globex","speech":{"model":"@cf/myshell-ai/melotts","voice":"es"}}`,
		})
		_, problems := Load(fsys, Rules{Voices: voices})
		var got []string
		for _, p := range problems {
			assert.Equal(t, "acme/tenant.config.json", p.File)
			p.File = ""
			got = append(got, p.String())
		}
		assert.Equal(t, want, got, speech)
	}
}

func TestProdTellsNobodyPrivate(t *testing.T) {
	fsys := folder(map[string]string{"acme": `{"id":"acme","name":"Acme",` + speechHook(`"url":"http://10.0.0.1/","secrets":["s1"],"private":true`) + `}`})
	_, problems := Load(fsys, Rules{Env: Prod})
	require.Len(t, problems, 1)
	assert.Equal(t, "acme/tenant.config.json: speech.webhook.private: calling private networks is refused in the environment prod (leave it out)", problems[0].String())
	_, problems = Load(fsys, Rules{Env: "dev"})
	assert.Empty(t, problems)
}

func TestTheShippedTenantsSpeak(t *testing.T) {
	configs, problems := Load(os.DirFS(".."), Rules{Voices: voices})
	require.Empty(t, problems)
	for _, c := range configs {
		assert.True(t, c.Speech.Enabled, c.ID)
		assert.Contains(t, voices, c.Speech.Model, c.ID)
	}
}

// speechAgreement is the part of agreement that is about speech.
var speechAgreement = map[string]agreed{
	"speech":                 {`"speech":{"enabled":true,"model":"@cf/a/b","fallback":"@cf/c/d","voice":"kal16","voices":{"anna-1":"asteria"},"format":"opus","keepDays":365}`, true},
	"speech empty":           {`"speech":{}`, true},
	"speech off":             {`"speech":{"enabled":false,"model":"none"}`, true},
	"speech local":           {`"speech":{"model":"@local/voice","fallback":"@cf/a/b"}`, true},
	"speech null":            {`"speech":null`, false},
	"speech unknown":         {`"speech":{"speed":2}`, false},
	"speech enabled text":    {`"speech":{"enabled":"yes"}`, false},
	"speech model":           {`"speech":{"model":"aura-1"}`, false},
	"speech model empty":     {`"speech":{"model":""}`, false},
	"speech model None":      {`"speech":{"model":"None"}`, false},
	"speech model long":      {`"speech":{"model":"@cf/a/` + strings.Repeat("x", 123) + `"}`, false},
	"speech fallback none":   {`"speech":{"model":"@cf/a/b","fallback":"none"}`, false},
	"speech voice":           {`"speech":{"voice":"Thalia"}`, false},
	"speech voice empty":     {`"speech":{"voice":""}`, false},
	"speech voice long":      {`"speech":{"voice":"` + strings.Repeat("x", 33) + `"}`, false},
	"speech voice longest":   {`"speech":{"voice":"` + strings.Repeat("x", 32) + `"}`, true},
	"speech voices list":     {`"speech":{"voices":["a"]}`, false},
	"speech voices most":     {`"speech":{"voices":{` + manyVoices(64) + `}}`, true},
	"speech voices many":     {`"speech":{"voices":{` + manyVoices(65) + `}}`, false},
	"speech alias":           {`"speech":{"voices":{"1a":"luna"}}`, false},
	"speech alias empty":     {`"speech":{"voices":{"":"luna"}}`, false},
	"speech alias capital":   {`"speech":{"voices":{"Anna":"luna"}}`, false},
	"speech alias of none":   {`"speech":{"voices":{"anna":""}}`, false},
	"speech alias number":    {`"speech":{"voices":{"anna":1}}`, false},
	"speech format":          {`"speech":{"format":"flac"}`, false},
	"speech format capital":  {`"speech":{"format":"MP3"}`, false},
	"speech no days":         {`"speech":{"keepDays":0}`, false},
	"speech days":            {`"speech":{"keepDays":366}`, false},
	"speech hook":            {speechHook(`"url":"https://app.example.com/hooks?a=b","secrets":["s1","s2","s3","s4"]`), true},
	"speech hook private":    {speechHook(`"url":"http://127.0.0.1:9000/","secrets":["s1"],"private":true`), true},
	"speech hook null":       {`"speech":{"webhook":null}`, false},
	"speech hook nothing":    {speechHook(``), false},
	"speech hook no url":     {speechHook(`"secrets":["s1"]`), false},
	"speech hook url empty":  {speechHook(`"url":"","secrets":["s1"]`), false},
	"speech hook relative":   {speechHook(`"url":"/hooks","secrets":["s1"]`), false},
	"speech hook ftp":        {speechHook(`"url":"ftp://a.b/","secrets":["s1"]`), false},
	"speech hook space":      {speechHook(`"url":"https://a.b/ c","secrets":["s1"]`), false},
	"speech hook no secrets": {speechHook(`"url":"https://a.b/"`), false},
	"speech hook none":       {speechHook(`"url":"https://a.b/","secrets":[]`), false},
	"speech hook five":       {speechHook(`"url":"https://a.b/","secrets":["s1","s2","s3","s4","s5"]`), false},
	"speech hook twice":      {speechHook(`"url":"https://a.b/","secrets":["s1","s1"]`), false},
	"speech hook in clear":   {speechHook(`"url":"https://a.b/","secrets":["whsec_AAAA"]`), false},
	"speech hook text":       {speechHook(`"url":"https://a.b/","secrets":["s1"],"private":"yes"`), false},
	"speech hook unknown":    {speechHook(`"url":"https://a.b/","secrets":["s1"],"events":[]`), false},
}

// speechHook is a webhook that tells of speech.
func speechHook(members string) string { return `"speech":{"webhook":{` + members + `}}` }

func manyVoices(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"v%d":"luna"`, i))
	}
	return strings.Join(all, ",")
}
