package double

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
)

// queue is one queue and who reads it.
type queue struct {
	id, name, created, modified string
	settings                    QueueSettings
	consumers                   []*consumer
}

// QueueSettings are those of a queue, in seconds.
type QueueSettings struct {
	DeliveryDelay   int  `json:"delivery_delay"`
	DeliveryPaused  bool `json:"delivery_paused"`
	RetentionPeriod int  `json:"message_retention_period"`
}

// queueEdit is what is asked of a queue.
type queueEdit struct {
	Name         string `json:"queue_name"`
	Jurisdiction string `json:"jurisdiction"`
	Settings     *struct {
		DeliveryDelay   *int  `json:"delivery_delay"`
		DeliveryPaused  *bool `json:"delivery_paused"`
		RetentionPeriod *int  `json:"message_retention_period"`
	} `json:"settings"`
}

const (
	groupQueues = "Queues"

	codeNoQueue  = 11000
	codeQueue    = 11003 // a value that is out of range
	maxDelay     = 86_400
	minRetention = 60
	maxRetention = 1_209_600
)

var (
	queueName     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	queueDefaults = QueueSettings{RetentionPeriod: 345_600}
)

func queueRoutes() []route {
	const queues = "/accounts/{account}/queues"
	const one = queues + "/{queue}"
	return []route{
		{pattern: "GET " + queues, group: groupQueues, handle: listQueues},
		{pattern: "POST " + queues, group: groupQueues, handle: postQueue},
		{pattern: "GET " + one, group: groupQueues, handle: onQueue(func(c *call, q *queue) (any, error) { return q.view(c.account), nil })},
		{pattern: "PUT " + one, group: groupQueues, handle: onQueue(func(c *call, q *queue) (any, error) { return editQueue(c, q, queueDefaults) })},
		{pattern: "PATCH " + one, group: groupQueues, handle: onQueue(func(c *call, q *queue) (any, error) { return editQueue(c, q, q.settings) })},
		{pattern: "DELETE " + one, group: groupQueues, handle: onQueue(deleteQueue)},
	}
}

func onQueue(do func(*call, *queue) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		for _, q := range c.account.queues {
			if q.id == c.PathValue("queue") {
				return do(c, q)
			}
		}
		return nil, refuse(http.StatusNotFound, codeNoQueue, "Queue %q does not exist.", c.PathValue("queue"))
	}
}

func (a *Account) queueNamed(name string) *queue {
	for _, q := range a.queues {
		if q.name == name {
			return q
		}
	}
	return nil
}

// view has the Workers that may send to the queue, and those that get of it.
func (q *queue) view(a *Account) map[string]any {
	producers := []map[string]string{}
	for _, s := range a.producers(q) {
		producers = append(producers, map[string]string{"type": "worker", "script": s.name})
	}
	consumers := append([]*consumer{}, q.consumers...)
	return map[string]any{
		"queue_id": q.id, "queue_name": q.name, "created_on": q.created, "modified_on": q.modified, "settings": q.settings,
		"producers": producers, "producers_total_count": len(producers), "consumers": consumers, "consumers_total_count": len(consumers),
	}
}

// producers are the Workers of which a live version is bound to a queue.
func (a *Account) producers(q *queue) []*script {
	var all []*script
	for _, s := range sorted(a.scripts) {
		if slices.ContainsFunc(s.live(), func(v *version) bool {
			return slices.ContainsFunc(v.bindings, func(b binding) bool { return b.text("queue_name") == q.name })
		}) {
			all = append(all, s)
		}
	}
	return all
}

func listQueues(c *call) (any, error) {
	names := c.URL.Query()["name"]
	all := []map[string]any{}
	for _, q := range c.account.queues {
		if len(names) == 0 || slices.Contains(names, q.name) {
			all = append(all, q.view(c.account))
		}
	}
	return pagedBy(c, all, 100)
}

func postQueue(c *call) (any, error) {
	edit, err := decode[queueEdit](c)
	if err != nil {
		return nil, err
	}
	q := &queue{id: c.api.id(32), settings: queueDefaults}
	if err := q.edit(c.account, edit); err != nil {
		return nil, err
	}
	q.created = c.api.now()
	q.modified = q.created
	c.account.queues = append(c.account.queues, q)
	return q.view(c.account), nil
}

// editQueue sets what the body names, and the rest to usual: what it was, or the defaults.
func editQueue(c *call, q *queue, usual QueueSettings) (any, error) {
	edit, err := decode[queueEdit](c)
	if err != nil {
		return nil, err
	}
	next := *q
	next.settings = usual
	if edit.Name == "" {
		edit.Name = q.name
	}
	if edit.Name != q.name && len(c.account.producers(q)) > 0 {
		return nil, refuse(http.StatusBadRequest, codeQueue, "Queue %q cannot get another name while a Worker is bound to it.", q.name)
	}
	if err := next.edit(c.account, edit); err != nil {
		return nil, err
	}
	next.modified = c.api.now()
	*q = next
	return q.view(c.account), nil
}

func (q *queue) edit(a *Account, e queueEdit) error {
	if !queueName.MatchString(e.Name) {
		return refuse(http.StatusBadRequest, codeQueue, "Queue name %q is not valid: lower-case letters, digits and -, up to 63.", e.Name)
	}
	if other := a.queueNamed(e.Name); other != nil && other.id != q.id {
		return refuse(http.StatusConflict, 11009, "Queue name '%s' is already taken. Please use a different name and try again.", e.Name)
	}
	q.name = e.Name
	if s := e.Settings; s != nil {
		set(&q.settings.DeliveryDelay, s.DeliveryDelay)
		set(&q.settings.DeliveryPaused, s.DeliveryPaused)
		set(&q.settings.RetentionPeriod, s.RetentionPeriod)
	}
	if err := within("delivery_delay", q.settings.DeliveryDelay, 0, maxDelay); err != nil {
		return err
	}
	return within("message_retention_period", q.settings.RetentionPeriod, minRetention, maxRetention)
}

// set sets what is given.
func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

func within(name string, value, low, high int) error {
	if value < low || value > high {
		return refuse(http.StatusBadRequest, codeQueue, "%s has to be %d to %d, is %d.", name, low, high, value)
	}
	return nil
}

// deleteQueue refuses while something needs the queue.
func deleteQueue(c *call, q *queue) (any, error) {
	if by := c.account.needs(q); by != "" {
		return nil, refuse(http.StatusBadRequest, 11005, "Queue %q cannot be deleted: %s.", q.name, by)
	}
	c.account.removeQueue(q)
	return nil, nil
}

func (a *Account) needs(q *queue) string {
	if of := a.producers(q); len(of) > 0 {
		return fmt.Sprintf("the Worker %s is bound to it", of[0].name)
	}
	if len(q.consumers) > 0 {
		return "it has a consumer"
	}
	for _, other := range a.queues {
		for _, c := range other.consumers {
			if c.DeadLetter == q.name {
				return fmt.Sprintf("it gets the dead letters of the queue %s", other.name)
			}
		}
	}
	return ""
}

func (a *Account) removeQueue(q *queue) {
	a.queues = slices.DeleteFunc(a.queues, func(other *queue) bool { return other == q })
}
