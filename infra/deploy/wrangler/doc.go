// Package wrangler writes a pool's table as wrangler's configuration, for people who would rather deploy with Cloudflare's own tool: one
// wrangler.jsonc for each Worker, and the commands around them in the order in which they work.
//
// wrangler has no plan, no drift and no rollback of a whole pool, makes no AI Gateway and publishes no tenants: that is what levada deploy
// is for. Both may take turns: what wrangler deployed is taken over with --adopt, and what it deploys later is drift to a plan.
package wrangler
