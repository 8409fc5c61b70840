// Package quota keeps a tenant to its rates and budgets, exactly.
//
// One ledger for each tenant, a Durable Object, gives out permits for requests and reserves money for calls of models,
// whatever makes them: what was not acquired is not done. To save the way to the ledger, an isolate takes more than one
// request needs (a lease), and tells later what was used; the sum of what is leased is never above the limit.
package quota
