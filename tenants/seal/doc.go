// Package seal encrypts small secrets so that they can be published where configuration is: with AES-256-GCM under a key that
// only the Workers of a pool have. What a secret belongs to, its context, is authenticated with it: sealed for one tenant and
// name, it opens for no other.
//
// # The same secret gives the same bytes
//
// Nonces are not random. A nonce is the beginning of an HMAC-SHA-256, under a key of its own, of context and secret, so sealing is a
// function: nothing changes, and nothing has to be published again, unless a secret did. It is the idea of SIV (RFC 5297, RFC
// 8452). GCM breaks when two different messages meet under one nonce. Here that takes a collision in 96 bits of HMAC: for a million
// secrets, ever, under one key, the chance is below 2^-56, smaller than that of the random nonces of 96 bits that are allowed for
// 2^32 messages (NIST SP 800-38D, 8.3). The one thing given away is that two sealed texts of the same context are of the same secret,
// to somebody who can read what is published; the content hash is to tell just that. HMAC and encryption use keys that HKDF-SHA-256
// derives from the pool's for each, so that neither says anything about the other.
package seal
