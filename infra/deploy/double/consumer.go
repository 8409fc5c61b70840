package double

import (
	"net/http"
	"slices"
)

// consumer is who gets a queue's messages. Its Worker is told under two names: one is the document's, the other is what wrangler reads.
type consumer struct {
	ID         string           `json:"consumer_id"`
	Created    string           `json:"created_on"`
	Type       string           `json:"type"`
	Queue      string           `json:"queue_name"`
	Script     string           `json:"script,omitempty"`
	ScriptName string           `json:"script_name,omitempty"`
	DeadLetter string           `json:"dead_letter_queue,omitempty"`
	Settings   ConsumerSettings `json:"settings"`
}

// ConsumerSettings are how messages are handed over.
type ConsumerSettings struct {
	BatchSize         int  `json:"batch_size"`
	MaxRetries        int  `json:"max_retries"`
	MaxWaitMillis     int  `json:"max_wait_time_ms"`
	RetryDelay        int  `json:"retry_delay"` // seconds
	MaxConcurrency    *int `json:"max_concurrency,omitempty"`
	VisibilityTimeout int  `json:"visibility_timeout_ms,omitempty"`
}

type consumerEdit struct {
	Type       string `json:"type"`
	Script     string `json:"script_name"`
	DeadLetter string `json:"dead_letter_queue"`
	Settings   struct {
		BatchSize         *int `json:"batch_size"`
		MaxRetries        *int `json:"max_retries"`
		MaxWaitMillis     *int `json:"max_wait_time_ms"`
		RetryDelay        *int `json:"retry_delay"`
		MaxConcurrency    *int `json:"max_concurrency"`
		VisibilityTimeout *int `json:"visibility_timeout_ms"`
	} `json:"settings"`
}

const (
	worker   = "worker"
	httpPull = "http_pull"

	maxBatch       = 100
	maxRetries     = 100
	maxWaitMillis  = 60_000
	maxConcurrency = 250
	maxVisibility  = 43_200_000
)

func consumerRoutes() []route {
	const consumers = "/accounts/{account}/queues/{queue}/consumers"
	const one = consumers + "/{consumer}"
	return []route{
		{pattern: "GET " + consumers, group: groupQueues, handle: onQueue(func(_ *call, q *queue) (any, error) { return append([]*consumer{}, q.consumers...), nil })},
		{pattern: "POST " + consumers, group: groupQueues, handle: onQueue(postConsumer)},
		{pattern: "GET " + one, group: groupQueues, handle: onConsumer(func(_ *call, _ *queue, c *consumer) (any, error) { return c, nil })},
		{pattern: "PUT " + one, group: groupQueues, handle: onConsumer(putConsumer)},
		{pattern: "DELETE " + one, group: groupQueues, handle: onConsumer(func(_ *call, q *queue, gone *consumer) (any, error) {
			q.consumers = slices.DeleteFunc(q.consumers, func(other *consumer) bool { return other == gone })
			return nil, nil
		})},
	}
}

func onConsumer(do func(*call, *queue, *consumer) (any, error)) func(*call) (any, error) {
	return onQueue(func(c *call, q *queue) (any, error) {
		for _, consumer := range q.consumers {
			if consumer.ID == c.PathValue("consumer") {
				return do(c, q, consumer)
			}
		}
		return nil, refuse(http.StatusNotFound, 11001, "Queue consumer %q does not exist.", c.PathValue("consumer"))
	})
}

func postConsumer(c *call, q *queue) (any, error) {
	next, err := newConsumer(c, q)
	if err != nil {
		return nil, err
	}
	if len(q.consumers) > 0 {
		return nil, refuse(http.StatusBadRequest, 11004, "Queue %q already has a consumer.", q.name)
	}
	next.ID, next.Created = c.api.id(32), c.api.now()
	q.consumers = append(q.consumers, next)
	return next, nil
}

// putConsumer sets a consumer whole: what the body does not name gets its default.
func putConsumer(c *call, q *queue, old *consumer) (any, error) {
	next, err := newConsumer(c, q)
	if err != nil {
		return nil, err
	}
	next.ID, next.Created = old.ID, old.Created
	*old = *next
	return old, nil
}

func newConsumer(c *call, q *queue) (*consumer, error) {
	e, err := decode[consumerEdit](c)
	if err != nil {
		return nil, err
	}
	n := &consumer{Type: e.Type, Queue: q.name, DeadLetter: e.DeadLetter, Settings: ConsumerSettings{BatchSize: 10, MaxRetries: 3, MaxWaitMillis: 5000}}
	switch e.Type {
	case worker:
		if c.account.scripts[e.Script] == nil {
			return nil, refuse(http.StatusNotFound, codeNoScript, "The Worker %q does not exist.", e.Script)
		}
		n.Script, n.ScriptName = e.Script, e.Script
	case httpPull:
		if e.Script != "" || e.Settings.MaxConcurrency != nil || e.Settings.MaxWaitMillis != nil {
			return nil, refuse(http.StatusBadRequest, codeQueue, "A consumer that pulls has no Worker, no concurrency and no waiting time.")
		}
	default:
		return nil, refuse(http.StatusBadRequest, codeQueue, "A consumer's type is worker or http_pull, not %q.", e.Type)
	}
	if d := e.DeadLetter; d != "" && c.account.queueNamed(d) == nil {
		return nil, refuse(http.StatusNotFound, codeNoQueue, "Dead letter queue %q does not exist.", d)
	} else if d == q.name {
		return nil, refuse(http.StatusBadRequest, codeQueue, "Queue %q cannot be its own dead letter queue.", d)
	}
	set(&n.Settings.BatchSize, e.Settings.BatchSize)
	set(&n.Settings.MaxRetries, e.Settings.MaxRetries)
	set(&n.Settings.MaxWaitMillis, e.Settings.MaxWaitMillis)
	set(&n.Settings.RetryDelay, e.Settings.RetryDelay)
	set(&n.Settings.VisibilityTimeout, e.Settings.VisibilityTimeout)
	n.Settings.MaxConcurrency = e.Settings.MaxConcurrency
	return n, n.Settings.check()
}

func (s ConsumerSettings) check() error {
	concurrency := 1
	set(&concurrency, s.MaxConcurrency)
	for _, f := range []struct {
		name             string
		value, low, high int
	}{
		{"batch_size", s.BatchSize, 1, maxBatch},
		{"max_retries", s.MaxRetries, 0, maxRetries},
		{"max_wait_time_ms", s.MaxWaitMillis, 0, maxWaitMillis},
		{"retry_delay", s.RetryDelay, 0, maxDelay},
		{"max_concurrency", concurrency, 1, maxConcurrency},
		{"visibility_timeout_ms", s.VisibilityTimeout, 0, maxVisibility},
	} {
		if err := within(f.name, f.value, f.low, f.high); err != nil {
			return err
		}
	}
	return nil
}
