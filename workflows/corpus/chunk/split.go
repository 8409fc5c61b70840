package chunk

import (
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// Options is how large the pieces are.
type Options struct {
	MaxTokens     int // of a piece, by estimate; 0 means DefaultMaxTokens, at least MinTokens
	OverlapTokens int // whole sentences of this size at most are repeated in the next piece; up to half of MaxTokens
}

// Sizes of a piece.
const (
	DefaultMaxTokens = 512
	MinTokens        = 16
)

// Split cuts a text, in a format that is Text. No piece means that there is nothing to read in it. A text that is
// not UTF-8, a content type or sizes that are not supported are fault.Invalid. The pieces are parts of the text where it is: nobody may change it
// as long as they are used.
func Split(text []byte, contentType string, o Options) ([]events.Chunk, error) {
	format, err := corpus.FormatOf(contentType)
	if err != nil {
		return nil, err
	}
	if !format.Text() {
		return nil, fault.Invalidf("contentType", "content_type_unsupported", "%.80q is not text", contentType)
	}
	if err := corpus.CheckText(text); err != nil {
		return nil, err
	}
	if o.MaxTokens == 0 {
		o.MaxTokens = DefaultMaxTokens
	}
	if o.MaxTokens < MinTokens {
		return nil, fault.Invalidf("chunking.maxTokens", "chunking_invalid", "%d is below %d", o.MaxTokens, MinTokens)
	}
	if o.OverlapTokens < 0 || o.OverlapTokens > o.MaxTokens/2 {
		return nil, fault.Invalidf("chunking.overlapTokens", "chunking_invalid", "%d is not between 0 and %d", o.OverlapTokens, o.MaxTokens/2)
	}
	p := newPacker(text, o)
	switch format {
	case corpus.Markdown:
		readMarkdown(p, text)
	case corpus.Code:
		p.code(0, len(text), levelBlock)
	default:
		p.prose(0, len(text), levelBlock)
	}
	return p.finish(), nil
}
