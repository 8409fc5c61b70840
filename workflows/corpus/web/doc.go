// Package web fetches documents: a corpus.Fetcher over whatever sends one request.
//
// Every address is checked before it is asked, those that a server redirects to as well (package address). Only GET is sent,
// with nothing of the tenant in it: no cookies, no credentials, no referrer. robots.txt is not asked: what is fetched is a
// single document that the tenant names, as a browser would, not a site that is crawled.
package web
