package builtin

import (
	"context"
	"strings"
	"unicode/utf8"

	"levada.dev/workflows/corpus/chunk"
	"levada.dev/workflows/prose"
)

// cutUp divides a document into chunks of so many characters at most. The platform's chunker goes by tokens, so it is asked for as many as that many
// characters are here; what is longer still, because its words are, is cut again, smaller.
func cutUp(ctx context.Context, content string, chars int) ([]prose.Span, error) {
	c := cutter{content: content, form: "text/plain", chars: chars}
	if isMarkdown(content) {
		c.form = "text/markdown"
	}
	err := c.cut(ctx, prose.Span{To: len(content)}, tokensOf(content, chars))
	return c.out, err
}

// tokensOf is about how many tokens a part of a text has, of so many characters.
func tokensOf(content string, chars int) int {
	all := utf8.RuneCountInString(content)
	return max(chunk.MinTokens, int(int64(chars)*int64(chunk.Tokens([]byte(content)))/int64(max(1, all))))
}

type cutter struct {
	content, form string
	chars         int
	out           []prose.Span
}

func (c *cutter) cut(ctx context.Context, of prose.Span, tokens int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	chunks, err := chunk.Split([]byte(of.Of(c.content)), c.form, chunk.Options{MaxTokens: tokens})
	if err != nil {
		return err
	}
	for _, x := range chunks {
		span := prose.Span{From: of.From + x.Start, To: of.From + x.End}
		switch {
		case utf8.RuneCountInString(x.Text) <= c.chars:
			c.out = append(c.out, span)
		case tokens > chunk.MinTokens:
			if err := c.cut(ctx, span, max(chunk.MinTokens, tokens*2/3)); err != nil {
				return err
			}
		default:
			c.force(span)
		}
	}
	return nil
}

// force cuts what the smallest number of tokens is too long for.
func (c *cutter) force(of prose.Span) {
	for of.From < of.To {
		rest := of.Of(c.content)
		piece := prose.Shorten(rest, c.chars)
		if strings.TrimSpace(piece) != "" {
			c.out = append(c.out, prose.Span{From: of.From, To: of.From + len(piece)})
		}
		of.From += max(1, len(piece))
	}
}

// isMarkdown reports whether a line of a document is a heading or a fence as Markdown has them.
func isMarkdown(content string) bool {
	for line := range strings.Lines(content) {
		if strings.HasPrefix(line, "```") {
			return true
		}
		if title := strings.TrimLeft(line, "#"); title != line && len(line)-len(title) <= 6 && strings.HasPrefix(title, " ") {
			return true
		}
	}
	return false
}
