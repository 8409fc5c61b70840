package validate

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

var models = []string{"@cf/baai/bge-m3", "@cf/baai/bge-base-en-v1.5", "@cf/baai/bge-small-en-v1.5"}

// folder is a folder of tenants: name of the subfolder and its configuration.
func folder(configs map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range configs {
		fsys[name+"/"+File] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestTheShippedTenantsAreValid(t *testing.T) {
	configs, problems := Load(os.DirFS(".."), Rules{Models: models})
	require.Empty(t, problems)
	var ids, pools []string
	for _, c := range configs {
		ids = append(ids, string(c.ID))
		pools = append(pools, c.Pool)
	}
	assert.Equal(t, []string{"acme", "demo", "globex"}, ids)
	assert.Equal(t, []string{"acme", "shared", "shared"}, pools)
	_, err := tenants.Publish(configs, nil, nil)
	assert.NoError(t, err)

	_, problems = Load(os.DirFS(".."), Rules{Models: models, Env: Prod})
	require.Len(t, problems, 1, "the demo's door is open")
	assert.Equal(t, "demo/tenant.config.json: auth.mode: open is refused in the environment prod (use \"keys\")", problems[0].String())
}

func TestLoadReportsEverything(t *testing.T) {
	_, problems := Load(folder(map[string]string{
		"acme": `{
			"id": "acme", "name": "Acme", "nane": 5, "pool": "shared",
			"allowedHosts": ["acme.example.com", "shared.example.com", "UPPER.example.com", "acme.example.com"],
			"limits": {"bodyBytes": 15000001, "documentbytes": 5, "queryChars": "many"},
			"search": {"topK": 60, "filterable": {"year": "number", "Bad-Name": "string", "tag": "strnig"}},
			"models": {"embedding": "@cf/baai/bge-m4"}
		}`,
		"globex": `{
			"id": "globex", "name": "Globex", "pool": "shared", "auth": {"mode": "open"},
			"allowedHosts": ["shared.example.com"],
			"search": {"filterable": {"year": "string"}},
			"cors": {"origins": ["https://a.example.com/path"]}
		}`,
		"initech":  `{"id": "globex", "name": ""}`,
		"umbrella": "{\n  \"id\": \"umbrella\",\n  \"name\" \"Umbrella\"\n}",
	}), Rules{Env: Prod, Models: models})
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := []string{
		`acme/tenant.config.json: allowedHosts[1]: "shared.example.com" is also in globex/tenant.config.json (a host leads to one tenant)`,
		`acme/tenant.config.json: allowedHosts[2]: "UPPER.example.com" is not a host name in lower case, without scheme and port`,
		`acme/tenant.config.json: allowedHosts[3]: "acme.example.com" appears twice`,
		`acme/tenant.config.json: limits.bodyBytes: 15000001 is not between 1 and 15000000`,
		`acme/tenant.config.json: limits.documentbytes: is not a known field (did you mean "documentBytes"?)`,
		`acme/tenant.config.json: limits.queryChars: must be a number, not a string`,
		`acme/tenant.config.json: models.embedding: there is no embedding model "@cf/baai/bge-m4" (did you mean "@cf/baai/bge-m3"?)`,
		`acme/tenant.config.json: nane: is not a known field (did you mean "name"?)`,
		`acme/tenant.config.json: search.filterable.Bad-Name: "Bad-Name" is not the name of a field (a small letter first, then letters, digits and _, 32 at most)`,
		`acme/tenant.config.json: search.filterable.tag: "strnig" is not a type of field (did you mean "string"?)`,
		`acme/tenant.config.json: search.filterable.year: is a number here and a string in globex/tenant.config.json, which shares the pool (give the field another name, or the tenant a pool of its own)`,
		`acme/tenant.config.json: search.topK: 60 is not between 1 and 50`,
		`globex/tenant.config.json: allowedHosts[0]: "shared.example.com" is also in acme/tenant.config.json (a host leads to one tenant)`,
		`globex/tenant.config.json: auth.mode: open is refused in the environment prod (use "keys")`,
		`globex/tenant.config.json: cors.origins[0]: "https://a.example.com/path" is not an origin such as https://app.example.com, or *`,
		`globex/tenant.config.json: id: "globex" is also the id in initech/tenant.config.json`,
		`globex/tenant.config.json: search.filterable.year: is a string here and a number in acme/tenant.config.json, which shares the pool (give the field another name, or the tenant a pool of its own)`,
		`initech/tenant.config.json: id: "globex" is also the id in globex/tenant.config.json`,
		`initech/tenant.config.json: id: "globex" is not the name of the folder, "initech" (rename one of them)`,
		`initech/tenant.config.json: name: is required`,
		`umbrella/tenant.config.json:3:10: is not JSON: invalid character '"' after object key`,
	}
	assert.Equal(t, want, got)
}

func TestAPoolHoldsEightFields(t *testing.T) {
	five := func(id, prefix string) string {
		fields := map[string]string{}
		for i := range 5 {
			fields[fmt.Sprintf("%s%d", prefix, i)] = "string"
		}
		b, err := json.Marshal(map[string]any{"id": id, "name": id, "pool": "shared", "search": map[string]any{"filterable": fields}})
		require.NoError(t, err)
		return string(b)
	}
	_, problems := Load(folder(map[string]string{"aa": five("aa", "x"), "bb": five("bb", "x")}), Rules{})
	assert.Empty(t, problems, "the same fields")
	_, problems = Load(folder(map[string]string{"aa": five("aa", "x"), "bb": five("bb", "y"), "cc": `{"id":"cc","name":"c","pool":"shared"}`}), Rules{})
	require.Len(t, problems, 2, "at each tenant that has fields")
	assert.Contains(t, problems[0].Message, `the tenants of the pool "shared" have 10 fields together, its indexes hold 8`)
	_, problems = Load(folder(map[string]string{
		"aa": strings.Replace(five("aa", "x"), `"shared"`, `"other"`, 1), "bb": five("bb", "y"),
	}), Rules{})
	assert.Empty(t, problems, "two pools")
}

func TestProdFetchesNothingPrivate(t *testing.T) {
	fsys := folder(map[string]string{"acme": `{"id":"acme","name":"Acme","ingest":{"fetch":{"private":true}}}`})
	_, problems := Load(fsys, Rules{Env: Prod})
	require.Len(t, problems, 1)
	assert.Equal(t, "acme/tenant.config.json: ingest.fetch.private: fetching from private networks is refused in the environment prod (leave it out)", problems[0].String())
	_, problems = Load(fsys, Rules{Env: "dev"})
	assert.Empty(t, problems)
}

func TestNoTenantsIsAProblem(t *testing.T) {
	configs, problems := Load(fstest.MapFS{"acme/readme.md": {}}, Rules{})
	assert.Empty(t, configs)
	require.Len(t, problems, 1)
	assert.Equal(t, "there are no tenants (a tenant is a folder with a tenant.config.json)", problems[0].String())
}

func TestAFileThatCannotBeReadIsAProblem(t *testing.T) {
	fsys := fstest.MapFS{"acme/" + File + "/x": {}}
	_, problems := Load(fsys, Rules{})
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].String(), "acme/tenant.config.json: cannot be read")
}

// agreed is a configuration that is right, or not.
type agreed struct {
	members string // besides id and name, unless they are in it
	valid   bool
}

// agreement is configurations that are right or wrong by the schema. What the schema cannot say is not in it:
// duplicate members, sums over two fields, other tenants.
var agreement = map[string]agreed{
	"nothing else":           {``, true},
	"$schema":                {`"$schema":"../tenant.schema.json"`, true},
	"$schema empty":          {`"$schema":""`, false},
	"$schema number":         {`"$schema":5`, false},
	"unknown":                {`"x":1`, false},
	"other case":             {`"Pool":"p1"`, false},
	"pool":                   {`"pool":"shared"`, true},
	"pool of one letter":     {`"pool":"p"`, false},
	"pool empty":             {`"pool":""`, false},
	"pool null":              {`"pool":null`, false},
	"pool capital":           {`"pool":"Shared"`, false},
	"pool long":              {`"pool":"` + strings.Repeat("x", 33) + `"`, false},
	"pool hyphens":           {`"pool":"a--b"`, false},
	"pool hyphen at the end": {`"pool":"ab-"`, false},
	"pool hyphenated":        {`"pool":"a-b-c1"`, true},
	"pool newline":           {`"pool":"ab\n"`, false},
	"hosts":                  {`"allowedHosts":["a","a.b","a-b.c1","xn--bcher-kva.example"]`, true},
	"hosts empty":            {`"allowedHosts":[]`, true},
	"hosts null":             {`"allowedHosts":null`, false},
	"hosts string":           {`"allowedHosts":"a.b"`, false},
	"host empty":             {`"allowedHosts":[""]`, false},
	"host null":              {`"allowedHosts":[null]`, false},
	"host port":              {`"allowedHosts":["a.b:80"]`, false},
	"host scheme":            {`"allowedHosts":["https://a.b"]`, false},
	"host dot at the end":    {`"allowedHosts":["a.b."]`, false},
	"host two dots":          {`"allowedHosts":["a..b"]`, false},
	"host hyphen":            {`"allowedHosts":["-a.b"]`, false},
	"host hyphen at the end": {`"allowedHosts":["a-.b"]`, false},
	"host underscore":        {`"allowedHosts":["a_b.c"]`, false},
	"host wildcard":          {`"allowedHosts":["*.a.b"]`, false},
	"host long label":        {`"allowedHosts":["` + strings.Repeat("x", 64) + `.b"]`, false},
	"host label":             {`"allowedHosts":["` + strings.Repeat("x", 63) + `.b"]`, true},
	"host long":              {`"allowedHosts":["` + strings.Repeat("x.", 127) + `b"]`, false},
	"host twice":             {`"allowedHosts":["a.b","a.b"]`, false},
	"hosts many":             {`"allowedHosts":[` + many(33) + `]`, false},
	"hosts as many":          {`"allowedHosts":[` + many(32) + `]`, true},
	"boosts":                 {`"search":{"boosts":[{"source":"wiki","percent":150},{"field":"lang","equals":"de","percent":50},{"field":"on","halfLifeDays":30,"percent":200},{"halfLifeDays":30,"percent":200}]}`, true},
	"boosts no percent":      {`"search":{"boosts":[{"source":"wiki"}]}`, false},
	"boosts percent small":   {`"search":{"boosts":[{"source":"wiki","percent":9}]}`, false},
	"boosts percent large":   {`"search":{"boosts":[{"source":"wiki","percent":1001}]}`, false},
	"boosts of nothing":      {`"search":{"boosts":[{"percent":150}]}`, false},
	"boosts of two":          {`"search":{"boosts":[{"source":"wiki","halfLifeDays":5,"percent":150}]}`, false},
	"boosts field alone":     {`"search":{"boosts":[{"field":"lang","percent":150}]}`, false},
	"boosts equals alone":    {`"search":{"boosts":[{"equals":"de","percent":150}]}`, false},
	"boosts bad field":       {`"search":{"boosts":[{"field":"Lang","equals":"de","percent":150}]}`, false},
	"boosts half-life large": {`"search":{"boosts":[{"halfLifeDays":36501,"percent":150}]}`, false},
	"auth":                   {`"auth":{"mode":"open"}`, true},
	"auth empty":             {`"auth":{}`, true},
	"auth null":              {`"auth":null`, false},
	"auth string":            {`"auth":"open"`, false},
	"auth array":             {`"auth":["open"]`, false},
	"auth unknown":           {`"auth":{"keys":[]}`, false},
	"auth other mode":        {`"auth":{"mode":"oauth"}`, false},
	"auth empty mode":        {`"auth":{"mode":""}`, false},
	"auth null mode":         {`"auth":{"mode":null}`, false},
	"origins":                {`"cors":{"origins":["*","http://localhost:5173","https://a.b"]}`, true},
	"origin path":            {`"cors":{"origins":["https://a.b/"]}`, false},
	"origin scheme":          {`"cors":{"origins":["ftp://a.b"]}`, false},
	"origin bare":            {`"cors":{"origins":["a.b"]}`, false},
	"origin capital":         {`"cors":{"origins":["https://A.b"]}`, false},
	"origin port":            {`"cors":{"origins":["https://a.b:"]}`, false},
	"origin long port":       {`"cors":{"origins":["https://a.b:123456"]}`, false},
	"origin port text":       {`"cors":{"origins":["https://a.b:x"]}`, false},
	"origin no host":         {`"cors":{"origins":["https://"]}`, false},
	"origin wildcard":        {`"cors":{"origins":["https://*.a.b"]}`, false},
	"origin twice":           {`"cors":{"origins":["*","*"]}`, false},
	"model":                  {`"models":{"embedding":"@cf/baai/bge-small-en-v1.5"}`, true},
	"model other name":       {`"models":{"embedding":"@hf/Someone/x"}`, false},
	"model capitals":         {`"models":{"embedding":"@hf/someone/Model-X_1"}`, true},
	"model short":            {`"models":{"embedding":"bge-m3"}`, false},
	"model two parts":        {`"models":{"embedding":"@cf/bge-m3"}`, false},
	"model four parts":       {`"models":{"embedding":"@cf/baai/bge/m3"}`, false},
	"model empty part":       {`"models":{"embedding":"@cf//m3"}`, false},
	"model no catalogue":     {`"models":{"embedding":"@/baai/m3"}`, false},
	"model long":             {`"models":{"embedding":"@cf/baai/` + strings.Repeat("x", 128) + `"}`, false},
	"model object":           {`"models":{"embedding":{}}`, false},
	"models unknown":         {`"models":{"speech":"@cf/a/b"}`, false},
	"chat model":             {`"models":{"chat":"@cf/a/b","chatAllowed":["@cf/a/b","@cf/c/d"],"chatFallback":[]}`, true},
	"chat model local":       {`"models":{"chat":"@local/script"}`, true},
	"chat model local long":  {`"models":{"chat":"@local/a/b/c"}`, false},
	"chat model no name":     {`"models":{"chat":"gpt"}`, false},
	"allowed no name":        {`"models":{"chatAllowed":["gpt"]}`, false},
	"fallback twice":         {`"models":{"chatFallback":["@cf/a/b","@cf/a/b"]}`, false},
	"fallback many":          {`"models":{"chatFallback":[` + manyModels(33) + `]}`, false},
	"allowed most":           {`"models":{"chatAllowed":[` + manyModels(32) + `]}`, true},
	"message most":           {`"limits":{"messageChars":1000000}`, true},
	"message too long":       {`"limits":{"messageChars":1000001}`, false},
	"chat":                   {`"chat":{"system":"Be brief.","maxTokens":5,"maxTokensLimit":32768,"cacheTtlSeconds":60}`, true},
	"chat system empty":      {`"chat":{"system":""}`, false},
	"chat system long":       {`"chat":{"system":"` + strings.Repeat("ä", 20001) + `"}`, false},
	"chat tokens":            {`"chat":{"maxTokensLimit":32769}`, false},
	"search cache":           {`"search":{"cacheTtlSeconds":60}`, true},
	"search cache none":      {`"search":{"cacheTtlSeconds":-1}`, true},
	"search cache zero":      {`"search":{"cacheTtlSeconds":0}`, false},
	"search cache short":     {`"search":{"cacheTtlSeconds":59}`, false},
	"search cache long":      {`"search":{"cacheTtlSeconds":86401}`, false},
	"chat cache short":       {`"chat":{"cacheTtlSeconds":59}`, false},
	"chat cache long":        {`"chat":{"cacheTtlSeconds":2592001}`, false},
	"chat cache none":        {`"chat":{"cacheTtlSeconds":0}`, false},
	"chat unknown":           {`"chat":{"temperature":1}`, false},
	"sessions":               {`"sessions":{"days":3650,"turns":10000,"windowTokens":1000000}`, true},
	"sessions days":          {`"sessions":{"days":3651}`, false},
	"sessions turns":         {`"sessions":{"turns":0}`, false},
	"sessions window":        {`"sessions":{"windowTokens":1000001}`, false},
	"rates":                  {`"rates":{"tenant":{"perMinute":1000000,"burst":1000000},"user":{}}`, true},
	"rates burst":            {`"rates":{"tenant":{"burst":1000001}}`, false},
	"rates user":             {`"rates":{"user":{"perMinute":-1}}`, false},
	"rates unknown":          {`"rates":{"address":{}}`, false},
	"budgets":                {`"budgets":{"tokensPerDay":1000000000000,"tokensPerMonth":1,"usdPerDay":1000000,"usdPerMonth":1}`, true},
	"budgets characters":     {`"budgets":{"charactersPerDay":1000000000000,"charactersPerMonth":1}`, true},
	"budgets chars below 0":  {`"budgets":{"charactersPerDay":-1}`, false},
	"budgets chars too many": {`"budgets":{"charactersPerMonth":1000000000001}`, false},
	"budgets tokens":         {`"budgets":{"tokensPerMonth":1000000000001}`, false},
	"budgets cents":          {`"budgets":{"usdPerDay":0.5}`, false},
	"limits":                 {`"limits":{"bodyBytes":15000000,"documentBytes":15000000,"queryChars":10000}`, true},
	"limits least":           {`"limits":{"bodyBytes":1,"documentBytes":1,"queryChars":1}`, true},
	"limits body only":       {`"limits":{"bodyBytes":1}`, true},
	"body zero":              {`"limits":{"bodyBytes":0}`, false},
	"body negative":          {`"limits":{"bodyBytes":-1}`, false},
	"body too big":           {`"limits":{"bodyBytes":15000001}`, false},
	"body huge":              {`"limits":{"bodyBytes":99999999999999999999999}`, false},
	"body fraction":          {`"limits":{"bodyBytes":1.5}`, false},
	"body string":            {`"limits":{"bodyBytes":"10 MB"}`, false},
	"body boolean":           {`"limits":{"bodyBytes":true}`, false},
	"body null":              {`"limits":{"bodyBytes":null}`, false},
	"document too big":       {`"limits":{"documentBytes":15000001}`, false},
	"query too long":         {`"limits":{"queryChars":10001}`, false},
	"limits unknown":         {`"limits":{"bodybytes":5}`, false},
	"search":                 {`"search":{"topK":50,"maxTopK":50}`, true},
	"search topK only":       {`"search":{"topK":50}`, true},
	"search maxTopK only":    {`"search":{"maxTopK":1}`, true},
	"search topK zero":       {`"search":{"topK":0}`, false},
	"search topK":            {`"search":{"topK":51}`, false},
	"search shards":          {`"search":{"shards":16}`, true},
	"search shards many":     {`"search":{"shards":17}`, false},
	"search shards none":     {`"search":{"shards":0}`, false},
	"search maxTopK":         {`"search":{"maxTopK":51}`, false},
	"filterable":             {`"search":{"filterable":{"a":"string","bC_1":"number","c":"boolean"}}`, true},
	"filterable none":        {`"search":{"filterable":{}}`, true},
	"filterable null":        {`"search":{"filterable":null}`, false},
	"filterable list":        {`"search":{"filterable":["a"]}`, false},
	"filterable nine":        {`"search":{"filterable":{"a":"string","b":"string","c":"string","d":"string","e":"string","f":"string","g":"string","h":"string","i":"string"}}`, false},
	"filterable eight":       {`"search":{"filterable":{"a":"string","b":"string","c":"string","d":"string","e":"string","f":"string","g":"string","h":"string"}}`, true},
	"field name":             {`"search":{"filterable":{"A":"string"}}`, false},
	"field name empty":       {`"search":{"filterable":{"":"string"}}`, false},
	"field name dotted":      {`"search":{"filterable":{"a.b":"string"}}`, false},
	"field name long":        {`"search":{"filterable":{"` + strings.Repeat("x", 33) + `":"string"}}`, false},
	"field type":             {`"search":{"filterable":{"a":"date"}}`, false},
	"field type capital":     {`"search":{"filterable":{"a":"String"}}`, false},
	"field type empty":       {`"search":{"filterable":{"a":""}}`, false},
	"field type null":        {`"search":{"filterable":{"a":null}}`, false},
	"field type object":      {`"search":{"filterable":{"a":{"type":"string"}}}`, false},
	"sources":                {`"sources":[{"id":"cms","name":"CMS","webhook":{"secrets":["cms-1","cms-2"]}},{"id":"docs","sync":{"prefix":"docs/"}}]`, true},
	"sources none":           {`"sources":[]`, true},
	"sources object":         {`"sources":{}`, false},
	"sources many":           {`"sources":[` + manySources(65) + `]`, false},
	"sources most":           {`"sources":[` + manySources(64) + `]`, true},
	"source id":              {source(`"id":"CMS"`), false},
	"source id missing":      {`"sources":[{"sync":{"prefix":"a"}}]`, false},
	"source of nothing":      {`"sources":[{"id":"cms"}]`, false},
	"source name empty":      {source(`"name":""`), false},
	"source name long":       {source(`"name":"` + strings.Repeat("ä", 101) + `"`), false},
	"source unknown":         {source(`"hooks":{}`), false},
	"webhook null":           {source(`"webhook":null`), false},
	"webhook no secrets":     {source(`"webhook":{}`), false},
	"secrets empty":          {webhook(`"secrets":[]`), false},
	"secrets five":           {webhook(`"secrets":["s1","s2","s3","s4","s5"]`), false},
	"secrets twice":          {webhook(`"secrets":["s1","s1"]`), false},
	"secret in clear":        {webhook(`"secrets":["whsec_AAAA"]`), false},
	"origins of hooks":       {webhook(`"secrets":["s1"],"origins":["*","a.example.com"]`), true},
	"origins of hooks URL":   {webhook(`"secrets":["s1"],"origins":["https://a.example.com"]`), false},
	"deletes":                {webhook(`"secrets":["s1"],"deletes":["com.example.deleted","com.example.gone.*"]`), true},
	"deletes all":            {webhook(`"secrets":["s1"],"deletes":["*"]`), false},
	"deletes star inside":    {webhook(`"secrets":["s1"],"deletes":["a.*.b"]`), false},
	"deletes two stars":      {webhook(`"secrets":["s1"],"deletes":["a**"]`), false},
	"deletes space":          {webhook(`"secrets":["s1"],"deletes":["a b"]`), false},
	"deletes long":           {webhook(`"secrets":["s1"],"deletes":["` + strings.Repeat("x", 201) + `"]`), false},
	"fields":                 {fields(`"text":"/a/~0b~1c","docId":"/id","metadata":{"author":"/a/0","x_-1":"/"}`), true},
	"fields url":             {fields(`"url":"/link"`), true},
	"fields none":            {fields(`"title":"/a"`), false},
	"fields unknown":         {fields(`"text":"/a","body":"/b"`), false},
	"field whole":            {fields(`"text":""`), false},
	"field no slash":         {fields(`"text":"a"`), false},
	"field tilde":            {fields(`"text":"/a~2"`), false},
	"field tilde at the end": {fields(`"text":"/a~"`), false},
	"field pointer long":     {fields(`"text":"/` + strings.Repeat("ä", 256) + `"`), false},
	"field pointer as long":  {fields(`"text":"/` + strings.Repeat("ä", 255) + `"`), true},
	"metadata name":          {fields(`"text":"/a","metadata":{"a.b":"/a"}`), false},
	"metadata name digit":    {fields(`"text":"/a","metadata":{"1a":"/a"}`), false},
	"metadata pointer":       {fields(`"text":"/a","metadata":{"a":"a"}`), false},
	"metadata pointer empty": {fields(`"text":"/a","metadata":{"a":""}`), false},
	"sync urls":              {synced(`"urls":["https://a.b/c?d","http://localhost:8080/"]`), true},
	"sync sitemap":           {synced(`"sitemap":"https://a.b/sitemap.xml","everyMinutes":5`), true},
	"sync nothing":           {synced(`"everyMinutes":60`), false},
	"sync two":               {synced(`"prefix":"a","sitemap":"https://a.b/"`), false},
	"sync urls none":         {synced(`"urls":[]`), false},
	"sync url relative":      {synced(`"urls":["/a"]`), false},
	"sync url ftp":           {synced(`"urls":["ftp://a.b/"]`), false},
	"sync url space":         {synced(`"urls":["https://a.b/ c"]`), false},
	"sync url no host":       {synced(`"urls":["https:///c"]`), false},
	"sync prefix slash":      {synced(`"prefix":"/a"`), false},
	"sync prefix long":       {synced(`"prefix":"` + strings.Repeat("ä", 501) + `"`), false},
	"sync often":             {synced(`"prefix":"a","everyMinutes":4`), false},
	"sync seldom":            {synced(`"prefix":"a","everyMinutes":43201`), false},
	"ingest":                 {`"ingest":{"weight":100,"maxWaiting":1000000,"deadlineMinutes":1440,"fetch":{"hosts":["a.b","*.c.d"],"private":true}}`, true},
	"ingest private no":      {`"ingest":{"fetch":{"private":false}}`, true},
	"ingest private text":    {`"ingest":{"fetch":{"private":"yes"}}`, false},
	"ingest weight":          {`"ingest":{"weight":101}`, false},
	"ingest weight zero":     {`"ingest":{"weight":0}`, false},
	"ingest waiting":         {`"ingest":{"maxWaiting":1000001}`, false},
	"ingest deadline":        {`"ingest":{"deadlineMinutes":1441}`, false},
	"ingest unknown":         {`"ingest":{"pace":1}`, false},
	"fetch host star":        {`"ingest":{"fetch":{"hosts":["*"]}}`, false},
	"fetch host stars":       {`"ingest":{"fetch":{"hosts":["*.*.a"]}}`, false},
	"fetch host port":        {`"ingest":{"fetch":{"hosts":["a.b:80"]}}`, false},
	"fetch host twice":       {`"ingest":{"fetch":{"hosts":["a.b","a.b"]}}`, false},
	"tools":                  {tooled(`"inChat":["calculator"],"maxSteps":20,"maxSeconds":300`), true},
	"tools none":             {`"tools":{"enabled":[]}`, true},
	"tools unknown":          {tooled(`"timeout":5`), false},
	"tools name":             {`"tools":{"enabled":["Calculator"]}`, false},
	"tools twice":            {`"tools":{"enabled":["calculator","calculator"]}`, false},
	"tools in chat twice":    {tooled(`"inChat":["calculator","calculator"]`), false},
	"tools steps":            {tooled(`"maxSteps":21`), false},
	"tools no steps":         {tooled(`"maxSteps":0`), false},
	"tools seconds":          {tooled(`"maxSeconds":301`), false},
	"http tool":              {httpTool(``), true},
	"http tool whole":        {httpTool(`"method":"GET","output":{"type":"object","x":[null,0,"",1.5]},"auth":{"secret":"shop","header":"X-Api-Key","scheme":""},"timeoutSeconds":30,"effects":"writes","needs":["search","ingest"],"private":true`), true},
	"http tool scheme":       {httpTool(`"auth":{"secret":"shop","scheme":"Basic"}`), true},
	"http tool no name":      {`"tools":{"http":[{"description":"d","url":"https://a.b/","input":{"type":"object"}}]}`, false},
	"http tool nothing":      {`"tools":{"http":[{}]}`, false},
	"http tools object":      {`"tools":{"http":{}}`, false},
	"http tools many":        {`"tools":{"http":[` + manyTools(33) + `]}`, false},
	"http tools most":        {`"tools":{"http":[` + manyTools(32) + `]}`, true},
	"http tool name":         {httpTool(`"name":"Order-Status"`), false},
	"http tool name long":    {httpTool(`"name":"` + strings.Repeat("x", 65) + `"`), false},
	"http tool description":  {httpTool(`"description":" "`), false},
	"http tool words":        {httpTool(`"description":"` + strings.Repeat("ä", 1001) + `"`), false},
	"http tool url":          {httpTool(`"url":"shop.example.com"`), false},
	"http tool user":         {httpTool(`"url":"ftp://shop.example.com/"`), false},
	"http tool method":       {httpTool(`"method":"HEAD"`), false},
	"http tool method small": {httpTool(`"method":"get"`), false},
	"http tool input":        {httpTool(`"input":{"type":"array"}`), false},
	"http tool input text":   {httpTool(`"input":"{}"`), false},
	"http tool input null":   {httpTool(`"input":null`), false},
	"http tool no type":      {httpTool(`"input":{}`), false},
	"http tool output":       {httpTool(`"output":{"type":"string"}`), false},
	"http tool output true":  {httpTool(`"output":true`), false},
	"http tool no secret":    {httpTool(`"auth":{}`), false},
	"http tool secret":       {httpTool(`"auth":{"secret":"sk-live.A"}`), false},
	"http tool header":       {httpTool(`"auth":{"secret":"shop","header":"X Api"}`), false},
	"http tool header long":  {httpTool(`"auth":{"secret":"shop","header":"` + strings.Repeat("x", 65) + `"}`), false},
	"http tool scheme long":  {httpTool(`"auth":{"secret":"shop","scheme":"` + strings.Repeat("x", 33) + `"}`), false},
	"http tool scheme space": {httpTool(`"auth":{"secret":"shop","scheme":"Bearer "}`), false},
	"http tool value":        {httpTool(`"auth":{"secret":"shop","value":"x"}`), false},
	"http tool time":         {httpTool(`"timeoutSeconds":31`), false},
	"http tool no time":      {httpTool(`"timeoutSeconds":0`), false},
	"http tool effects":      {httpTool(`"effects":"none"`), false},
	"http tool needs":        {httpTool(`"needs":["everything"]`), false},
	"http tool needs twice":  {httpTool(`"needs":["search","search"]`), false},
	"http tool private":      {httpTool(`"private":"yes"`), false},
	"http tool unknown":      {httpTool(`"headers":{}`), false},
	"policy":                 {policy(`"argument":"a.b-c","allowed":["1","true"],"min":-5,"max":0,"maxChars":1000000`), true},
	"policy least":           {policy(`"argument":"a","min":0`), true},
	"policy of nothing":      {policy(`"argument":"a"`), false},
	"policy no argument":     {policy(`"min":1`), false},
	"policy argument empty":  {policy(`"argument":"","min":1`), false},
	"policy argument path":   {policy(`"argument":"a..b","min":1`), false},
	"policy argument long":   {policy(`"argument":"a.` + strings.Repeat("x", 65) + `","min":1`), false},
	"policy fraction":        {policy(`"argument":"a","min":0.5`), false},
	"policy allowed number":  {policy(`"argument":"a","allowed":[1]`), false},
	"policy allowed empty":   {policy(`"argument":"a","allowed":[""]`), false},
	"policy allowed twice":   {policy(`"argument":"a","allowed":["b","b"]`), false},
	"policy allowed long":    {policy(`"argument":"a","allowed":["` + strings.Repeat("ä", 201) + `"]`), false},
	"policy chars":           {policy(`"argument":"a","maxChars":1000001`), false},
	"policy no chars":        {policy(`"argument":"a","maxChars":0`), false},
	"policy unknown":         {policy(`"argument":"a","min":1,"pattern":"x"`), false},
	"no id":                  {`"id":null,"name":"x"`, false},
	"id number":              {`"id":5,"name":"x"`, false},
	"id empty":               {`"id":"","name":"x"`, false},
	"id digit first":         {`"id":"1a","name":"x"`, false},
	"id of two":              {`"id":"a1","name":"x"`, true},
	"id of 32":               {`"id":"` + strings.Repeat("x", 32) + `","name":"x"`, true},
	"no name":                {`"id":"acme"`, false},
	"name blank":             {`"id":"acme","name":" "`, false},
	"name empty":             {`"id":"acme","name":""`, false},
	"name long":              {`"id":"acme","name":"` + strings.Repeat("ä", 101) + `"`, false},
	"name as long":           {`"id":"acme","name":"` + strings.Repeat("ä", 100) + `"`, true},
	"name array":             {`"id":"acme","name":[]`, false},
}

// source is one source whose members are added to or replaced.
func source(members string) string {
	text := `"sync":{"prefix":"a"},` + members
	if !strings.Contains(members, `"id"`) {
		text = `"id":"cms",` + text
	}
	return `"sources":[{` + text + `}]`
}

func webhook(members string) string {
	return `"sources":[{"id":"cms","webhook":{` + members + `}}]`
}

func fields(members string) string {
	return webhook(`"secrets":["s1"],"fields":{` + members + `}`)
}

func synced(members string) string {
	return `"sources":[{"id":"cms","sync":{` + members + `}}]`
}

// tooled enables the calculator.
func tooled(members string) string { return `"tools":{"enabled":["calculator"],` + members + `}` }

// httpTool is one HTTP tool whose members are added to or replaced.
func httpTool(members string) string {
	all := map[string]json.RawMessage{
		"name": json.RawMessage(`"order_status"`), "description": json.RawMessage(`"d"`), "url": json.RawMessage(`"https://shop.example.com/"`), "input": json.RawMessage(`{"type":"object"}`),
	}
	if err := json.Unmarshal([]byte("{"+members+"}"), &all); err != nil {
		panic(err) // of the table
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return `"tools":{"http":[` + string(b) + `]}`
}

func manyTools(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"name":"t%d","description":"d","url":"https://a.b/","input":{"type":"object"}}`, i)
	}
	return strings.Join(all, ",")
}

func policy(members string) string {
	return tooled(`"policies":[{"tool":"calculator",` + members + `}]`)
}

func manySources(n int) string {
	sources := make([]string, n)
	for i := range sources {
		sources[i] = fmt.Sprintf(`{"id":"s%d","sync":{"prefix":"a"}}`, i)
	}
	return strings.Join(sources, ",")
}

func many(n int) string {
	var hosts []string
	for i := range n {
		hosts = append(hosts, fmt.Sprintf(`"h%d.example"`, i))
	}
	return strings.Join(hosts, ",")
}

func TestSchemaAndGoAgree(t *testing.T) {
	all := maps.Clone(agreement)
	maps.Copy(all, speechAgreement)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		t.Run(name, func(t *testing.T) {
			text := "{" + c.members + "}"
			if !strings.HasPrefix(c.members, `"id"`) {
				text = `{"id":"acme","name":"Acme"` + strings.TrimSuffix(","+c.members, ",") + "}"
			}
			_, problems := tenants.Inspect([]byte(text))
			assert.Equal(t, c.valid, len(problems) == 0, "Go: %v", problems)
			bySchema := schemaProblems([]byte(text))
			assert.Equal(t, c.valid, len(bySchema) == 0, "schema: %v", bySchema)
			assert.Len(t, Merge(problems, bySchema), len(problems), "both find it, so it is said once: %v", bySchema)
		})
	}
	for _, text := range []string{`null`, `[]`, `5`, `"x"`} {
		_, problems := tenants.Inspect([]byte(text))
		assert.NotEmpty(t, problems, text)
		assert.NotEmpty(t, schemaProblems([]byte(text)), text)
	}
}

func TestTheSchemaHasGosBoundsAndDefaults(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Properties map[string]struct {
				Maximum, MaxItems, Default any
			}
		}
	}
	require.NoError(t, json.Unmarshal(tenants.Schema(), &s))
	var c tenants.Config
	c.Defaults()
	limits, search := s.Properties["limits"].Properties, s.Properties["search"].Properties
	assert.EqualValues(t, tenants.MaxBodyBytes, limits["bodyBytes"].Maximum)
	assert.EqualValues(t, tenants.MaxDocumentBytes, limits["documentBytes"].Maximum)
	assert.EqualValues(t, tenants.MaxQueryChars, limits["queryChars"].Maximum)
	assert.EqualValues(t, tenants.MaxTopK, search["topK"].Maximum)
	assert.EqualValues(t, tenants.MaxTopK, search["maxTopK"].Maximum)
	assert.EqualValues(t, c.Limits.BodyBytes, limits["bodyBytes"].Default)
	assert.EqualValues(t, c.Limits.DocumentBytes, limits["documentBytes"].Default)
	assert.EqualValues(t, c.Limits.QueryChars, limits["queryChars"].Default)
	assert.EqualValues(t, c.Search.TopK, search["topK"].Default)
	assert.EqualValues(t, c.Search.MaxTopK, search["maxTopK"].Default)
	assert.EqualValues(t, tenants.MaxShards, search["shards"].Maximum)
	assert.EqualValues(t, c.Search.Shards, search["shards"].Default)
	assert.EqualValues(t, c.Auth.Mode, s.Properties["auth"].Properties["mode"].Default)
	assert.EqualValues(t, c.Models.Embedding, s.Properties["models"].Properties["embedding"].Default)
	ingest := s.Properties["ingest"].Properties
	assert.EqualValues(t, tenants.MaxWeight, ingest["weight"].Maximum)
	assert.EqualValues(t, tenants.MaxWaiting, ingest["maxWaiting"].Maximum)
	assert.EqualValues(t, tenants.MaxDeadlineMinutes, ingest["deadlineMinutes"].Maximum)
	assert.EqualValues(t, c.Ingest.Weight, ingest["weight"].Default)
	assert.EqualValues(t, c.Ingest.MaxWaiting, ingest["maxWaiting"].Default)
	assert.EqualValues(t, c.Ingest.DeadlineMinutes, ingest["deadlineMinutes"].Default)
	tools := s.Properties["tools"].Properties
	assert.EqualValues(t, tenants.MaxToolSteps, tools["maxSteps"].Maximum)
	assert.EqualValues(t, tenants.MaxToolSeconds, tools["maxSeconds"].Maximum)
	assert.EqualValues(t, tenants.MaxHTTPTools, tools["http"].MaxItems)
	assert.EqualValues(t, c.Tools.MaxSteps, tools["maxSteps"].Default)
	assert.EqualValues(t, c.Tools.MaxSeconds, tools["maxSeconds"].Default)
}

// manyModels is the JSON of n names of models.
func manyModels(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%q", fmt.Sprintf("@cf/a/m%d", i))
	}
	return strings.Join(names, ",")
}
