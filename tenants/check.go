package tenants

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// The bounds of a configuration. tenant.schema.json repeats them, and a test compares the two.
const (
	// MaxBodyBytes is what an instance has room for beside everything else in its 96 MiB. A body is there up to three
	// times: as it came, as the document's text, and on its way to the store.
	MaxBodyBytes     = 15_000_000
	MaxDocumentBytes = MaxBodyBytes
	MaxQueryChars    = 10_000
	MaxTopK          = 50 // https://developers.cloudflare.com/vectorize/platform/limits/, with metadata
	MaxShards        = 16 // of the lexical index
	MaxFilterable    = 8  // for all tenants of a pool together
	MaxMessageChars  = 1_000_000
	MaxAnswerTokens  = 32_768
	MaxCacheTTL      = 2_592_000 // a month
	MinCacheTTL      = 60        // https://developers.cloudflare.com/kv/platform/limits/
	MaxSessionDays   = 3_650
	MaxSessionTurns  = 10_000
	MaxWindowTokens  = 1_000_000
	MaxPerMinute     = 1_000_000
	MaxTokens        = 1_000_000_000_000 // of a budget
	MaxCharacters    = 1_000_000_000_000 // of a budget
	MaxUSD           = 1_000_000
	MinBoost         = 10
	MaxBoost         = 1_000 // percent
	MaxHalfLife      = 36_500
	maxBoosts        = 16
	maxModels        = 32
	maxSystemChars   = 20_000
	maxHosts         = 32
	maxOrigins       = 32
	maxNameChars     = 100
	maxModelChars    = 128
)

// The models of a tenant that names none.
const (
	DefaultEmbedding = "@cf/baai/bge-m3"
	DefaultChat      = "@cf/zai-org/glm-4.7-flash"
)

// Parse reads a configuration, completes it with defaults and checks it. The error is the first problem, as
// fault.Invalid, code config_invalid.
func Parse(b []byte) (*Config, error) {
	c, problems := Inspect(b)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Inspect is Parse with every problem instead of the first. The configuration is what could be read of it.
func Inspect(b []byte) (*Config, Problems) {
	problems := Shape(b, reflect.TypeFor[Config]())
	var c Config
	// The shape says more than this error, and what does not fit stays zero and gets its default.
	_ = json.Unmarshal(b, &c)
	c.Defaults()
	if len(problems) > 0 && problems[0].Line > 0 {
		return &c, problems
	}
	for _, p := range c.problems() {
		if !slices.ContainsFunc(problems, func(q Problem) bool { return q.Path == p.Path }) {
			problems = append(problems, p)
		}
	}
	problems.Sort()
	return &c, problems
}

// Defaults sets what the configuration leaves open. It may be called again.
func (c *Config) Defaults() {
	setDefault(&c.Pool, string(c.ID))
	setDefault(&c.Auth.Mode, AuthKeys)
	setDefault(&c.Models.Embedding, DefaultEmbedding)
	setDefault(&c.Limits.BodyBytes, 10_000_000)
	setDefault(&c.Limits.DocumentBytes, min(5_000_000, c.Limits.BodyBytes))
	setDefault(&c.Limits.QueryChars, 2_000)
	setDefault(&c.Search.MaxTopK, max(20, min(c.Search.TopK, MaxTopK)))
	setDefault(&c.Search.TopK, min(5, c.Search.MaxTopK))
	setDefault(&c.Search.Shards, 1)
	setDefault(&c.Search.CacheTTLSeconds, DefaultSearchCacheTTL)
	setDefault(&c.Models.Chat, DefaultChat)
	setDefault(&c.Limits.MessageChars, 64_000)
	setDefault(&c.Chat.MaxTokensLimit, max(4_096, min(c.Chat.MaxTokens, MaxAnswerTokens)))
	setDefault(&c.Chat.MaxTokens, min(1_024, c.Chat.MaxTokensLimit))
	setDefault(&c.Sessions.Days, 30)
	setDefault(&c.Sessions.Turns, 200)
	setDefault(&c.Sessions.WindowTokens, 4_000)
	c.Rates.Tenant.defaults(1_200)
	c.Rates.User.defaults(300)
	setDefault(&c.Budgets.TokensPerDay, 2_000_000)
	setDefault(&c.Budgets.TokensPerMonth, max(20_000_000, min(c.Budgets.TokensPerDay, MaxTokens)))
	setDefault(&c.Budgets.CharactersPerDay, 1_000_000)
	setDefault(&c.Budgets.CharactersPerMonth, max(10_000_000, min(c.Budgets.CharactersPerDay, MaxCharacters)))
	setDefault(&c.Budgets.USDPerDay, 10)
	setDefault(&c.Budgets.USDPerMonth, max(100, min(c.Budgets.USDPerDay, MaxUSD)))
	c.sourceDefaults()
	c.answerDefaults()
	c.toolDefaults()
	c.safetyDefaults()
	c.speechDefaults()
}

// defaults lets a tenth of a minute's requests come at once.
func (r *Rate) defaults(perMinute int) {
	setDefault(&r.PerMinute, perMinute)
	setDefault(&r.Burst, max(1, min(r.PerMinute, MaxPerMinute)/10))
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Check reports the first problem of a configuration with its defaults set, as Parse does.
func (c *Config) Check() error {
	problems := c.problems()
	problems.Sort()
	return problems.Err()
}

// problems finds everything that is wrong with the values.
func (c *Config) problems() Problems {
	var ps Problems
	if c.ID == "" {
		ps.add("id", idHint, "is required")
	} else if !isID(string(c.ID)) {
		ps.add("id", idHint, "%.40q is not a tenant id", c.ID)
	}
	if n := len([]rune(strings.TrimSpace(c.Name))); n == 0 {
		ps.add("name", "", "is required")
	} else if n > maxNameChars {
		ps.add("name", "", "is longer than %d characters", maxNameChars)
	}
	if c.Pool != "" && c.Pool != string(c.ID) && !isID(c.Pool) {
		ps.add("pool", idHint, "%.40q is not the name of a pool", c.Pool)
	}
	if c.Auth.Mode != AuthKeys && c.Auth.Mode != AuthOpen {
		ps.add("auth.mode", didYouMean(string(c.Auth.Mode), []AuthMode{AuthKeys, AuthOpen}), "%.40q is not a way in", c.Auth.Mode)
	}
	c.modelProblems(&ps)
	list(&ps, "allowedHosts", c.AllowedHosts, maxHosts, IsHost, "a host name in lower case, without scheme and port")
	list(&ps, "cors.origins", c.CORS.Origins, maxOrigins, isOrigin, "an origin such as https://app.example.com, or *")
	c.limitProblems(&ps)
	c.searchProblems(&ps)
	c.chatProblems(&ps)
	c.answerProblems(&ps)
	c.safetyProblems(&ps)
	c.budgetProblems(&ps)
	c.sourceProblems(&ps)
	c.toolProblems(&ps)
	c.speechProblems(&ps)
	for _, w := range c.Hooks() {
		c.hookProblems(&ps, w)
	}
	return ps
}

// list checks the elements of a list of distinct names.
func list(ps *Problems, path string, names []string, most int, valid func(string) bool, what string) {
	if len(names) > most {
		ps.add(path, "", "has %d elements, more than %d", len(names), most)
	}
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !valid(name):
			ps.add(at, "", "%.80q is not %s", name, what)
		case slices.Contains(names[:i], name):
			ps.add(at, "", "%q appears twice", name)
		}
	}
}

func (c *Config) limitProblems(ps *Problems) {
	l := c.Limits
	between(ps, "limits.bodyBytes", l.BodyBytes, MaxBodyBytes)
	between(ps, "limits.documentBytes", l.DocumentBytes, MaxDocumentBytes)
	between(ps, "limits.queryChars", int64(l.QueryChars), MaxQueryChars)
	between(ps, "limits.messageChars", int64(l.MessageChars), MaxMessageChars)
	if l.DocumentBytes > l.BodyBytes && l.DocumentBytes <= MaxDocumentBytes && l.BodyBytes > 0 {
		ps.add("limits.documentBytes", "raise limits.bodyBytes", "is more than limits.bodyBytes (%d): no request could bring it", l.BodyBytes)
	}
}

func between(ps *Problems, path string, n, most int64) {
	if n < 1 || n > most {
		ps.add(path, "", "%d is not between 1 and %d", n, most)
	}
}

func (c *Config) searchProblems(ps *Problems) {
	s := c.Search
	between(ps, "search.topK", int64(s.TopK), MaxTopK)
	between(ps, "search.maxTopK", int64(s.MaxTopK), MaxTopK)
	if s.TopK > s.MaxTopK && s.TopK <= MaxTopK && s.MaxTopK > 0 {
		ps.add("search.topK", "", "is more than search.maxTopK (%d)", s.MaxTopK)
	}
	between(ps, "search.shards", int64(s.Shards), MaxShards)
	if ttl := s.CacheTTLSeconds; ttl != NoCache && (ttl < MinCacheTTL || ttl > MaxSearchCacheTTL) {
		ps.add("search.cacheTtlSeconds", "-1 is for no cache", "%d is not between %d and %d", ttl, MinCacheTTL, MaxSearchCacheTTL)
	}
	s.boostProblems(ps)
	if len(s.Filterable) > MaxFilterable {
		ps.add("search.filterable", "", "has %d fields, the index holds %d", len(s.Filterable), MaxFilterable)
	}
	for name, typ := range s.Filterable {
		at := join("search.filterable", name)
		if !isField(name) {
			ps.add(at, "a small letter first, then letters, digits and _, 32 at most", "%.40q is not the name of a field", name)
		}
		if typ != FieldString && typ != FieldNumber && typ != FieldBoolean {
			ps.add(at, didYouMean(string(typ), []FieldType{FieldString, FieldNumber, FieldBoolean}), "%.40q is not a type of field", typ)
		}
	}
}

// boostProblems checks what search.boosts says.
func (s Search) boostProblems(ps *Problems) {
	if len(s.Boosts) > maxBoosts {
		ps.add("search.boosts", "", "has %d elements, more than %d", len(s.Boosts), maxBoosts)
	}
	for i, b := range s.Boosts {
		at := fmt.Sprintf("search.boosts[%d]", i)
		if b.Percent < MinBoost || b.Percent > MaxBoost {
			ps.add(at+".percent", "100 changes nothing", "%d is not between %d and %d", b.Percent, MinBoost, MaxBoost)
		}
		if b.HalfLifeDays < 0 || b.HalfLifeDays > MaxHalfLife {
			ps.add(at+".halfLifeDays", "", "%d is not between 1 and %d", b.HalfLifeDays, MaxHalfLife)
		}
		if b.Field != "" && !isField(b.Field) {
			ps.add(at+".field", "a small letter first, then letters, digits and _, 32 at most", "%.40q is not the name of a field", b.Field)
		}
		ways := 0
		for _, said := range []bool{b.Source != "", b.Equals != "", b.HalfLifeDays != 0} {
			if said {
				ways++
			}
		}
		if ways != 1 || b.Source != "" && b.Field != "" || b.Equals != "" && b.Field == "" {
			ps.add(at, "give source, or field and equals, or halfLifeDays, with a field or without", "does not say of which documents")
		}
	}
}

func isID(s string) bool {
	_, err := ParseID(s)
	return err == nil
}

// IsHost reports whether s is a host name in lower case: labels of 63 characters at most, 253 in all. Hyphens stand
// inside labels, several together also.
func IsHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !consistsOf(label, "-", false) {
			return false
		}
	}
	return true
}

// isOrigin reports whether s is "*" or scheme, host and perhaps a port, as browsers send them.
func isOrigin(s string) bool {
	if s == "*" {
		return true
	}
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	host, port, hasPort := strings.Cut(rest, ":")
	if !ok || !IsHost(host) {
		return false
	}
	return !hasPort || port != "" && len(port) <= 5 && strings.Trim(port, "0123456789") == ""
}

// isModel reports whether s has the form of a Workers AI model's name, "@cf/baai/bge-m3", or of one that exists only on the
// offline platform, "@local/script".
func isModel(s string) bool {
	if name, local := strings.CutPrefix(s, "@local/"); local {
		return len(s) <= maxModelChars && consistsOf(name, "._-", true)
	}
	vendor, rest, _ := strings.Cut(s, "/")
	author, name, _ := strings.Cut(rest, "/")
	catalogue, ok := strings.CutPrefix(vendor, "@")
	return ok && len(s) <= maxModelChars && consistsOf(catalogue, "", false) && consistsOf(author, "._-", false) &&
		consistsOf(name, "._-", true)
}

// isField reports whether s is the name of a filterable field.
func isField(s string) bool {
	return len(s) <= 32 && s != "" && s[0] >= 'a' && s[0] <= 'z' && consistsOf(s, "_", true)
}

// consistsOf reports whether s is not empty and has only small letters, digits, the other characters and, where
// capitals are allowed, those.
func consistsOf(s, others string, capitals bool) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (!capitals || c < 'A' || c > 'Z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return s != ""
}
