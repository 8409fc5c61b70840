package double

import (
	"maps"
	"slices"
)

// The methods of an Account do what somebody does in the dashboard, without asking whether it is wise. They panic when there is no such
// thing, as that is a test's mistake.

// must is what is there.
func must[T any](v T, ok bool, what, name string) T {
	if !ok {
		panic("double: no " + what + " " + name)
	}
	return v
}

func (a *Account) mustScript(name string) *script {
	return must(a.scripts[name], a.scripts[name] != nil, "Worker", name)
}

func (a *Account) mustQueue(name string) *queue {
	q := a.queueNamed(name)
	return must(q, q != nil, "queue", name)
}

// Scripts are the names of the Workers.
func (a *Account) Scripts() []string { return sortedNames(a.scripts) }

// Queues are the names of the queues.
func (a *Account) Queues() []string {
	var names []string
	for _, q := range a.queues {
		names = append(names, q.name)
	}
	slices.Sort(names)
	return names
}

// Settings are those of a Worker.
func (a *Account) Settings(script string) Settings { return a.mustScript(script).settings }

// EditSettings changes what is not in versions.
func (a *Account) EditSettings(script string, edit func(*Settings)) {
	edit(&a.mustScript(script).settings)
}

// Live are the ids of the versions of a Worker that answer, and their percents.
func (a *Account) Live(script string) map[string]float64 {
	all := map[string]float64{}
	for _, sh := range a.mustScript(script).current().Versions {
		all[sh.VersionID] = sh.Percentage
	}
	return all
}

// Versions are the ids of a Worker's versions, the oldest first.
func (a *Account) Versions(script string) []string {
	var ids []string
	for _, v := range a.mustScript(script).versions {
		ids = append(ids, v.id)
	}
	return ids
}

// Deploy has one version of a Worker answer everything.
func (a *Account) Deploy(script, versionID string) {
	s := a.mustScript(script)
	must(s, s.version(versionID) != nil, "version", versionID)
	s.deploy(a.api, []share{{VersionID: versionID, Percentage: 100}}, nil)
}

// AddBinding adds a binding to a Worker, or puts it in place of one of its name: a new version, deployed at once.
func (a *Account) AddBinding(script string, b map[string]any) {
	a.quickEdit(script, func(v *version) {
		v.bindings = append(without(v.bindings, b["name"].(string)), maps.Clone(b))
	})
}

// RemoveBinding takes a binding from a Worker: a new version, deployed at once.
func (a *Account) RemoveBinding(script, name string) {
	a.quickEdit(script, func(v *version) { v.bindings = without(v.bindings, name) })
}

// EditCode changes a Worker's code: a new version, deployed at once.
func (a *Account) EditCode(script string) {
	a.quickEdit(script, func(v *version) { v.etag = a.api.id(64) })
}

func without(all []binding, name string) []binding {
	return slices.DeleteFunc(slices.Clone(all), func(b binding) bool { return b.text("name") == name })
}

func (a *Account) quickEdit(script string, edit func(*version)) {
	s := a.mustScript(script)
	next := *s.latest()
	next.id, next.created, next.annotations = a.api.uuid(), a.api.now(), map[string]string{"workers/triggered_by": "upload"}
	edit(&next)
	s.add(&next)
	s.deploy(a.api, []share{{VersionID: next.id, Percentage: 100}}, nil)
}

// HasSecret reports whether the newest version of a Worker has a secret with this text. It is the only way to ask.
func (a *Account) HasSecret(script, name, text string) bool {
	return slices.ContainsFunc(a.mustScript(script).latest().bindings, func(b binding) bool {
		return b.text("type") == "secret_text" && b.text("name") == name && b.text("text") == text
	})
}

// SetSchedules sets the crons of a Worker.
func (a *Account) SetSchedules(script string, crons ...string) {
	s := a.mustScript(script)
	var next []cron
	for _, text := range crons {
		next = append(next, s.cron(text, a.api))
	}
	s.crons = next
}

// SetSubdomain turns a Worker's host at workers.dev on or off.
func (a *Account) SetSubdomain(script string, enabled bool) {
	a.mustScript(script).subdomain.Enabled = enabled
}

// DeleteScript deletes a Worker, whatever needs it.
func (a *Account) DeleteScript(name string) { a.removeScript(a.mustScript(name)) }

// EditQueue changes a queue's settings.
func (a *Account) EditQueue(name string, edit func(*QueueSettings)) {
	edit(&a.mustQueue(name).settings)
}

// DeleteQueue deletes a queue, whatever needs it.
func (a *Account) DeleteQueue(name string) { a.removeQueue(a.mustQueue(name)) }

// EditConsumer changes how a queue's messages are handed over.
func (a *Account) EditConsumer(queue string, edit func(*ConsumerSettings)) {
	q := a.mustQueue(queue)
	must(q, len(q.consumers) > 0, "consumer of queue", queue)
	edit(&q.consumers[0].Settings)
}

// DeleteConsumer leaves a queue without anybody who gets its messages.
func (a *Account) DeleteConsumer(queue string) { a.mustQueue(queue).consumers = nil }

// DeleteNamespace deletes a namespace of KV and all in it.
func (a *Account) DeleteNamespace(title string) {
	n := a.namespaceTitled(title)
	must(n, n != nil, "namespace", title)
	a.namespaces = slices.DeleteFunc(a.namespaces, func(o *namespace) bool { return o == n })
}

// DeleteBucket deletes a bucket of R2.
func (a *Account) DeleteBucket(name string) { remove(a.buckets, "bucket", name) }

// FillBucket puts something into a bucket, which is not deleted by the API then.
func (a *Account) FillBucket(name string) {
	b, ok := a.buckets[name]
	b = must(b, ok, "bucket", name)
	b.full = true
	a.buckets[name] = b
}

// DeleteIndex deletes an index of Vectorize.
func (a *Account) DeleteIndex(name string) { remove(a.indexes, "index", name) }

// DeleteWorkflow deletes a Workflow.
func (a *Account) DeleteWorkflow(name string) { remove(a.workflows, "Workflow", name) }

// DeleteGateway deletes an AI Gateway.
func (a *Account) DeleteGateway(id string) { remove(a.gateways, "gateway", id) }

// EditGateway changes an AI Gateway, by the names of the API's fields.
func (a *Account) EditGateway(id string, edit func(map[string]any)) {
	edit(must(a.gateways[id], a.gateways[id] != nil, "gateway", id))
}

// DeleteDomain takes a custom domain from its Worker.
func (a *Account) DeleteDomain(host string) { remove(a.domains, "domain", host) }

func remove[V any](m map[string]V, what, name string) {
	_, ok := m[name]
	must(name, ok, what, name)
	delete(m, name)
}
