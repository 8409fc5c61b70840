package tenants

import "unicode/utf8"

func (c *Config) modelProblems(ps *Problems) {
	m := c.Models
	if !isModel(m.Embedding) {
		ps.add("models.embedding", "such as "+DefaultEmbedding, "%.40q is not the name of a model", m.Embedding)
	}
	if !isModel(m.Chat) {
		ps.add("models.chat", "such as "+DefaultChat, "%.40q is not the name of a model", m.Chat)
	}
	list(ps, "models.chatAllowed", m.ChatAllowed, maxModels, isModel, "the name of a model")
	list(ps, "models.chatFallback", m.ChatFallback, maxModels, isModel, "the name of a model")
}

func (c *Config) chatProblems(ps *Problems) {
	between(ps, "chat.maxTokens", int64(c.Chat.MaxTokens), MaxAnswerTokens)
	between(ps, "chat.maxTokensLimit", int64(c.Chat.MaxTokensLimit), MaxAnswerTokens)
	if c.Chat.MaxTokens > c.Chat.MaxTokensLimit && c.Chat.MaxTokens <= MaxAnswerTokens && c.Chat.MaxTokensLimit > 0 {
		ps.add("chat.maxTokens", "", "is more than chat.maxTokensLimit (%d)", c.Chat.MaxTokensLimit)
	}
	if n := utf8.RuneCountInString(c.Chat.System); n > maxSystemChars {
		ps.add("chat.system", "", "is %d characters long, above %d", n, maxSystemChars)
	}
	if ttl := c.Chat.CacheTTLSeconds; ttl != 0 && (ttl < MinCacheTTL || ttl > MaxCacheTTL) {
		ps.add("chat.cacheTtlSeconds", "leave it out for no cache", "%d is not between %d and %d", ttl, MinCacheTTL, MaxCacheTTL)
	}
	between(ps, "sessions.days", int64(c.Sessions.Days), MaxSessionDays)
	between(ps, "sessions.turns", int64(c.Sessions.Turns), MaxSessionTurns)
	between(ps, "sessions.windowTokens", int64(c.Sessions.WindowTokens), MaxWindowTokens)
}

func (c *Config) budgetProblems(ps *Problems) {
	c.Rates.Tenant.problems(ps, "rates.tenant")
	c.Rates.User.problems(ps, "rates.user")
	b := c.Budgets
	between(ps, "budgets.tokensPerDay", b.TokensPerDay, MaxTokens)
	between(ps, "budgets.tokensPerMonth", b.TokensPerMonth, MaxTokens)
	between(ps, "budgets.charactersPerDay", b.CharactersPerDay, MaxCharacters)
	between(ps, "budgets.charactersPerMonth", b.CharactersPerMonth, MaxCharacters)
	between(ps, "budgets.usdPerDay", b.USDPerDay, MaxUSD)
	between(ps, "budgets.usdPerMonth", b.USDPerMonth, MaxUSD)
}

func (r Rate) problems(ps *Problems, path string) {
	between(ps, path+".perMinute", int64(r.PerMinute), MaxPerMinute)
	between(ps, path+".burst", int64(r.Burst), MaxPerMinute)
}
