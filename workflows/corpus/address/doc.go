// Package address says which addresses of the web documents may be fetched from.
//
// A tenant names addresses, pages redirect to others, and sitemaps name more: none of them is trusted. An address has to be
// one of the web (http or https, a usual port, no credentials) with a public host: not one of this machine, of a private
// network, of the link or of a cloud's metadata service, in whatever notation its number is written. A tenant's
// configuration may narrow that to some hosts, and, outside of production, open it to private networks.
//
// What a name resolves to is not seen here. Workers resolve names in Cloudflare's network, which does not reach private
// ones, and a Worker's fetch to an address of a private network ends as an error of Cloudflare
// (https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/#considerations). The local platform's workerd has this machine's
// network, so there a name that resolves into it is followed.
package address
