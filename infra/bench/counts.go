package bench

import (
	"context"
	"strings"

	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// Counts are what a platform did that Cloudflare would charge for.
type Counts struct {
	ObjectCalls   int `json:"objectCalls"`
	Rows          int `json:"rowsWritten"` // of all objects: ledger, audit trail, money
	Puts          int `json:"r2Puts"`
	ModelCalls    int `json:"modelCalls"`
	Messages      int `json:"messages"`
	AuditMessages int `json:"auditMessages"` // of Messages
	Sends         int `json:"sends"`         // calls that brought messages
	Batches       int `json:"batches"`       // in which they were delivered
}

// count reads the meters of the whole platform. What Miniflare's own Workflows write is not in them.
func count(ctx context.Context, l *local.Local) (c Counts, err error) {
	for _, w := range l.Stack.Workers {
		m, err := l.Meter(ctx, w.Role)
		if err != nil {
			return c, err
		}
		c.ObjectCalls += m.Operations["object.call"]
		c.Rows += m.RowsWritten
		c.Puts += m.Operations["r2.put"]
		c.ModelCalls += m.Operations["ai.run"]
	}
	for _, q := range l.Stack.Queues {
		t, err := l.Queue(q.Name).Traffic(ctx)
		if err != nil {
			return c, err
		}
		c.Messages += t.Sent
		c.Sends += t.Sends
		c.Batches += t.Batches
		if strings.TrimSuffix(q.Name, stack.DeadLetter) == "audit" {
			c.AuditMessages += t.Sent
		}
	}
	return c, nil
}

func (c Counts) plus(d Counts) Counts {
	return Counts{
		c.ObjectCalls + d.ObjectCalls, c.Rows + d.Rows, c.Puts + d.Puts, c.ModelCalls + d.ModelCalls,
		c.Messages + d.Messages, c.AuditMessages + d.AuditMessages, c.Sends + d.Sends, c.Batches + d.Batches,
	}
}

func (c Counts) minus(d Counts) Counts {
	return c.plus(Counts{-d.ObjectCalls, -d.Rows, -d.Puts, -d.ModelCalls, -d.Messages, -d.AuditMessages, -d.Sends, -d.Batches})
}
