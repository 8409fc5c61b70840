// Package localvec stands in for Vectorize on a machine with no account and no
// network: the same operations and limits, exact search, one folder of files.
//
// Differences a caller can notice are listed in docs/design/local-ai.md. The
// important one in the other direction: a mutation is visible at once unless a
// delay is set, while the platform takes seconds to minutes.
package localvec
