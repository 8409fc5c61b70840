// Package address says which addresses of the web documents may be fetched from.
//
// A tenant names addresses, pages redirect to others, and sitemaps name more: none of them is trusted. An address has to be
// one of the web (http or https, a usual port, no credentials) with a public host: not one of this machine, of a private
// network, of the link or of a cloud's metadata service, in whatever notation its number is written. A tenant's
// configuration may narrow that to some hosts, and, outside of production, open it to private networks.
//
// What a name resolves to is not seen here. Workers resolve names in Cloudflare's network, from which a private network is reached
// by a binding of its own only; it is documented for connect() that private addresses are refused
// (https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/#troubleshooting), and not for fetch(). The local platform's
// workerd has this machine's network, so there a name that resolves into it is followed.
package address
