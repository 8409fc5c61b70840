// Package double is the part of Cloudflare's API that a deployment uses, in memory, so that deployments are tested without an account: strict
// where the API is, with the same shapes, and with the failures that a test asks for.
//
//	api := double.New()
//	api.Account("0123456789abcdef0123456789abcdef", "acme")
//	api.Token("secret", double.Token{Accounts: []string{"0123456789abcdef0123456789abcdef"}})
//	server := httptest.NewServer(api)      // the API is at server.URL + "/client/v4/"
//	site := httptest.NewServer(api.Site()) // what the deployed Workers answer
//
// It refuses what the API is known to refuse, and, where it is not known, what a good deployment need not do: a queue is deleted when nothing
// is bound to it any more. Codes of errors are the API's as far as they are in its documents or in wrangler; a deployment should look at
// the status. Ids and times are the same in each run that asks for the same things in the same order.
//
// The API's own description of its paths is at https://developers.cloudflare.com/api/, and the shapes are those of its client
// for TypeScript, 7.3.0. What only wrangler calls is in wrangler.go; API.DocumentedOnly takes that away.
package double
