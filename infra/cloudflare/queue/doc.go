// Package queue is the binding of Cloudflare Queues: a producer for each queue binding
// and the consumer of the Worker.
//
// A message body is bytes, as a rule a JSON document, and arrives as the same bytes.
// Delivery is at least once and in no order; a message is at most 128 KB, a batch 100
// messages or 256 KB (https://developers.cloudflare.com/queues/platform/limits/).
package queue
