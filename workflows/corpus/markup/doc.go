// Package markup reads XML of strangers: parts of office documents, sitemaps.
//
// A decoder of encoding/xml holds each token whole, and the elements that are open one by one. What was packed may be a gigabyte of either, behind
// a few kilobytes. A Decoder here hands out tokens as they stand, with a limit to all of them and to each, so that what is in memory is what
// the caller keeps.
package markup
