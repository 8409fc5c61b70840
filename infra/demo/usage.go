package demo

import (
	"context"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"levada.dev/infra/client"
)

// usage shows the account. An isolate tells the ledger what it has settled within seconds, so it waits until the turns of
// this conversation are booked, and what was spoken.
func (s Show) usage(ctx context.Context, turns, spoken int64) error {
	return until(ctx, "the ledger has not booked the conversation", func(ctx context.Context) (bool, error) {
		u, err := s.Owner.Usage(ctx)
		if err != nil || u.Calls("chat") < turns || u.Calls("speech") < spoken {
			return false, err
		}
		fmt.Fprintf(s.Out, "\nWhat tenant %s has used this month:\n", s.Owner.Tenant())
		account(s.Out, u)
		return true, nil
	})
}

func account(out io.Writer, u client.Usage) {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.SuppressEmptyColumns() // where nothing was spoken
	t.AppendHeader(table.Row{"day", "for", "model", "calls", "tokens in", "tokens out", "characters", "neurons", "cost"})
	var columns []table.ColumnConfig
	for n := 4; n <= 9; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	var sum client.UsageLine
	for _, l := range u.Lines {
		t.AppendRow(table.Row{l.Day, what(l), l.Model, l.Calls, l.Prompt, l.Completion, some(l.Chars), neurons(l.Neurons), client.Dollars(l.Nanos)})
		sum.Calls += l.Calls
		sum.Prompt += l.Prompt
		sum.Completion += l.Completion
		sum.Chars += l.Chars
		sum.Neurons += l.Neurons
		sum.Nanos += l.Nanos
	}
	t.AppendFooter(table.Row{"", "", "", sum.Calls, sum.Prompt, sum.Completion, some(sum.Chars), neurons(sum.Neurons), client.Dollars(sum.Nanos)})
	t.Render()
	for _, b := range u.Budgets {
		spent, limit := fmt.Sprint(b.Spent), fmt.Sprint(b.Limit)
		if b.Unit == "nanoUSD" {
			spent, limit = client.Dollars(b.Spent), client.Dollars(b.Limit)
		}
		fmt.Fprintf(out, "  %s of %s %s this %s\n", spent, limit, unit(b.Unit), b.Period)
	}
}

// what is what a line's calls were for: "chat", "search: rerank".
func what(l client.UsageLine) string {
	if l.Purpose == "" || l.Purpose == l.Capability {
		return l.Capability
	}
	return l.Capability + ": " + l.Purpose
}

// neurons are the provider's unit, of which 10,000 a day are free.
func neurons(n float64) string { return fmt.Sprintf("%.2f", n) }

// some is a number unless it is none.
func some(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func unit(u string) string {
	if u == "nanoUSD" {
		return "spent"
	}
	return u
}
