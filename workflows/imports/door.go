package imports

import (
	"context"
	"io"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// Batch is a stream of documents, a line each.
type Batch struct {
	Body    io.Reader
	MaxLine int64 // bytes
	// Decode makes a draft of a line. The line is its own until the draft is done with. What is wrong with the line is its error.
	Decode func(line []byte) (corpus.Draft, error)
	// Room is asked before a long line is decoded, and of one above 1 MiB for the longest there may be before it is read on. What it
	// returns is called when the line is done. Nil: there is room.
	Room  func(ctx context.Context, bytes int) (release func(), err error)
	Cause events.Cause
}

// How many refused lines of a batch are named one by one. All are counted.
const (
	MaxNamed = 10_000  // in the answer
	MaxKept  = 100_000 // among the problems of the job
)

// Accepted is what became of a batch, or of another request to import.
type Accepted struct {
	Job      job.Job
	Entries  int           // of a batch: documents that were taken
	Refused  int           // lines or addresses that were not
	Problems []job.Problem // of the refused ones, at most MaxNamed
	Replayed bool          // the same had come before, under its idempotency key
}

// What an origin may be.
const (
	MaxURLs      = 1_000
	maxURLsBytes = 512 << 10 // in all, as JSON: the list travels with the order to the flow, and is in a row until that has begun
	maxPrefix    = 900       // an R2 key has 1,024 bytes
)

// Check refuses an origin that is none, or several at once. Of a list of addresses it names those that are none; the others go on.
func (o Origin) Check() (refused []job.Problem, err error) {
	named := 0
	for _, has := range []bool{o.Batch > 0, len(o.URLs) > 0, o.Sitemap != "", o.Prefix != ""} {
		if has {
			named++
		}
	}
	switch {
	case named == 0:
		return nil, fault.Invalidf("urls", "field_required", "one of urls, sitemap and prefix is required")
	case named > 1:
		return nil, fault.Invalidf("urls", "fields_exclusive", "send one of urls, sitemap and prefix")
	case o.Sitemap != "":
		return nil, CheckAddress("sitemap", o.Sitemap, o.Rules)
	case len(o.Prefix) > maxPrefix:
		return nil, fault.Invalidf("prefix", "value_out_of_range", "is longer than %d bytes", maxPrefix)
	case len(o.URLs) > MaxURLs:
		return nil, fault.Invalidf("urls", "value_out_of_range", "%d addresses; at most %d are taken at once", len(o.URLs), MaxURLs).
			WithHint("send the rest as a second import, or all of them as a sitemap")
	}
	size := 0
	for i, address := range o.URLs {
		size += corpus.EncodedLen(address)
		if err := CheckAddress("url", address, o.Rules); err != nil {
			f := fault.As(err)
			refused = append(refused, job.Problem{Stage: string(corpus.StageSubmit), Line: i + 1, Field: f.Field, Code: f.Code, Message: f.Message, Hint: f.Hint})
		}
	}
	if size > maxURLsBytes {
		return nil, fault.Invalidf("urls", "value_out_of_range", "%d bytes of addresses; the limit is %d", size, maxURLsBytes)
	}
	return refused, nil
}
