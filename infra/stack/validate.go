package stack

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// What names look like. They are compiled where they are used: Workers read names in this package and validate nothing, and a compiled
// pattern beside them would link regexp into each, 150 KiB of it.
const (
	resourceName = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	envName      = `^[A-Z][A-Z0-9_]*$`
	datasetName  = `^[a-z][a-z0-9_]*$`
	className    = `^[A-Z][A-Za-z0-9]*$`
	date         = `^\d{4}-\d{2}-\d{2}$`
)

// Validate returns every fault of the table at once, joined, or nil. A value
// outside a limit of Cloudflare is reported with the limit and its page.
func (s *Stack) Validate() error {
	v := &validation{stack: s}
	v.names()
	for _, w := range s.Workers {
		v.worker(w)
	}
	for _, q := range s.Queues {
		v.queue(q)
	}
	v.exports()
	v.stores()
	return errors.Join(v.faults...)
}

type validation struct {
	stack  *Stack
	faults []error
}

func (v *validation) fault(format string, args ...any) {
	v.faults = append(v.faults, fmt.Errorf(format, args...))
}

func (v *validation) within(what string, value, least, most int, page string) {
	if value < least || value > most {
		v.fault("%s is %d, allowed are %d to %d: %s", what, value, least, most, page)
	}
}

func (v *validation) matches(what, name, pattern string) {
	if !regexp.MustCompile(pattern).MatchString(name) {
		v.fault("%s %q does not match %s", what, name, pattern)
	}
}

// names refuses two resources of one kind with the same name.
func (v *validation) names() {
	s := v.stack
	unique(v, "worker", s.Workers, func(w Worker) string { return string(w.Role) })
	unique(v, "queue", s.Queues, func(q Queue) string { return q.Name })
	unique(v, "durable object class", s.Objects, func(o Object) string { return o.Class })
	unique(v, "workflow", s.Workflows, func(w Workflow) string { return w.Name })
	unique(v, "workflow class", s.Workflows, func(w Workflow) string { return w.Class })
	unique(v, "kv namespace", s.Namespaces, func(n Namespace) string { return n.Name })
	unique(v, "r2 bucket", s.Buckets, func(b Bucket) string { return b.Name })
	unique(v, "vectorize index", s.Indexes, func(i Index) string { return i.Name })
	if public := filter(s.Workers, func(w Worker) bool { return w.Public }); len(public) > 1 {
		v.fault("%d workers are public, allowed is one", len(public))
	}
}

func unique[T any](v *validation, kind string, all []T, name func(T) string) {
	seen := map[string]bool{}
	for _, x := range all {
		n := name(x)
		if seen[n] {
			v.fault("%s %q is there twice", kind, n)
		}
		seen[n] = true
	}
}

func (v *validation) worker(w Worker) {
	what := fmt.Sprintf("worker %q: ", w.Role)
	v.matches(what+"role", string(w.Role), resourceName)
	v.matches(what+"compatibility_date", w.CompatibilityDate, date)
	v.within(what+"memory_mib", w.MemoryMiB, 1, maxMemoryMiB, workerLimits)
	v.within(what+"cpu_ms", w.CPUMillis, 0, maxCPUMillis, workerLimits)
	v.within(what+"budget_kib", w.BudgetKiB, 1, maxModuleMiB<<10, workerLimits)
	if len(w.Crons) > maxCrons {
		v.fault("%s%d crons, allowed are %d: %s", what, len(w.Crons), maxCrons, workerLimits)
	}
	names := map[string]bool{}
	for _, b := range w.Bindings {
		if names[b.Name] {
			v.fault("%sbinding %q is there twice", what, b.Name)
		}
		names[b.Name] = true
		v.matches(what+"binding", b.Name, envName)
		v.binding(what, b)
	}
	for name, value := range w.Vars {
		if names[name] {
			v.fault("%svar %q has the name of a binding", what, name)
		}
		v.matches(what+"var", name, envName)
		if len(value) > maxVarBytes {
			v.fault("%svar %q has %d bytes, allowed are %d: %s", what, name, len(value), maxVarBytes, workerLimits)
		}
		names[name] = true
	}
	for _, name := range w.Secrets {
		if names[name] {
			v.fault("%ssecret %q has the name of a binding, a var or another secret", what, name)
		}
		names[name] = true
		v.matches(what+"secret", name, envName)
	}
	v.assets(what, w)
}

// binding refuses a binding to something the table does not hold.
func (v *validation) binding(what string, b Binding) {
	s := v.stack
	var found bool
	switch b.Kind {
	case KV:
		found = has(s.Namespaces, func(n Namespace) bool { return n.Name == b.Target })
	case R2:
		found = has(s.Buckets, func(r Bucket) bool { return r.Name == b.Target })
	case Producer:
		found = has(s.Queues, func(q Queue) bool { return q.Name == b.Target })
	case Class:
		found = has(s.Objects, func(o Object) bool { return o.Class == b.Target })
	case Flow:
		found = has(s.Workflows, func(w Workflow) bool { return w.Name == b.Target })
	case Vectorize:
		found = has(s.Indexes, func(i Index) bool { return i.Name == b.Target })
	case Service:
		_, found = s.Worker(Role(b.Target))
	case GatewayID:
		found = s.Gateway.Name != "" && s.Gateway.Name == b.Target
	case Analytics:
		v.matches(what+"dataset", b.Target, datasetName)
		return
	case AI, Version:
		if b.Target != "" {
			v.fault("%sbinding %q: %s has no target, here it is %q", what, b.Name, b.Kind, b.Target)
		}
		return
	default:
		v.fault("%sbinding %q has the unknown type %q", what, b.Name, b.Kind)
		return
	}
	if !found {
		v.fault("%sbinding %q: there is no %s %q", what, b.Name, b.Kind, b.Target)
	}
}

func has[T any](all []T, is func(T) bool) bool { return len(filter(all, is)) > 0 }

func (v *validation) queue(q Queue) {
	what := fmt.Sprintf("queue %q: ", q.Name)
	v.matches(what+"name", q.Name, resourceName)
	v.within(what+"length of the name", len(q.Name), 1, maxQueueName, queueLimits)
	if q.Retention != 0 {
		v.seconds(what+"message_retention_period", q.Retention, minKeepSeconds, maxKeepSeconds, queueLimits)
	}
	if q.Consumer == "" {
		if !v.stack.TakesDeadLetters(q.Name) {
			v.fault("%sno consumer, and it is nobody's dead-letter queue: its messages would only pile up", what)
		}
		return
	}
	if _, ok := v.stack.Worker(q.Consumer); !ok {
		v.fault("%sthere is no worker %q to consume it", what, q.Consumer)
	}
	v.within(what+"max_batch_size", q.MaxBatchSize, 1, maxBatchSize, queueLimits)
	v.within(what+"max_retries", q.MaxRetries, 0, maxRetries, queueLimits)
	v.within(what+"max_concurrency", q.MaxConcurrency, 0, maxConcurrency, queueLimits)
	v.seconds(what+"max_wait_time", q.MaxWaitTime, 0, maxWaitSeconds, queueLimits)
	v.seconds(what+"retry_delay", q.RetryDelay, 0, maxDelaySeconds, queueConsumers)
	if q.DeadLetter == q.Name {
		v.fault("%sit is its own dead-letter queue", what)
	} else if q.DeadLetter != "" && !has(v.stack.Queues, func(o Queue) bool { return o.Name == q.DeadLetter }) {
		v.fault("%sthere is no dead-letter queue %q", what, q.DeadLetter)
	}
}

func (v *validation) seconds(what string, d time.Duration, least, most int, page string) {
	if d%time.Second != 0 {
		v.fault("%s is %s, allowed are whole seconds: %s", what, d, page)
	}
	v.within(what+" in seconds", int(d/time.Second), least, most, page)
}

// exports refuses classes of Workers that are not there, and two classes of one
// Worker with the same name.
func (v *validation) exports() {
	exported := map[string]bool{}
	export := func(kind, class string, role Role) {
		v.matches(kind, class, className)
		if _, ok := v.stack.Worker(role); !ok {
			v.fault("%s %q: there is no worker %q to export it", kind, class, role)
		}
		key := string(role) + "/" + class
		if exported[key] {
			v.fault("%s %q: worker %q exports that name already", kind, class, role)
		}
		exported[key] = true
	}
	for _, o := range v.stack.Objects {
		export("durable object class", o.Class, o.Role)
	}
	for _, w := range v.stack.Workflows {
		v.matches("workflow", w.Name, resourceName)
		v.within(fmt.Sprintf("workflow %q: length of the name", w.Name), len(w.Name), 1, maxWorkflowName, flowLimits)
		export("workflow class", w.Class, w.Role)
	}
}

func (v *validation) stores() {
	for _, n := range v.stack.Namespaces {
		v.matches("kv namespace", n.Name, resourceName)
	}
	for _, b := range v.stack.Buckets {
		v.matches("r2 bucket", b.Name, resourceName)
		v.within(fmt.Sprintf("r2 bucket %q: length of the name", b.Name), len(b.Name), minBucketName, maxBucketName, bucketNames)
	}
	for _, i := range v.stack.Indexes {
		v.index(i)
	}
	if g := v.stack.Gateway; g.Name != "" {
		v.matches("ai gateway", g.Name, resourceName)
		v.within("ai gateway: length of the name", len(g.Name), 1, maxGatewayName, gatewayLimits)
		v.within("ai gateway: number of spend limits", len(g.Spend), 0, maxSpendRules, gatewayLimits)
	}
	o := v.stack.Observability
	v.within("observability: logs in percent", o.Logs, 0, 100, workerLimits)
	v.within("observability: traces in percent", o.Traces, 0, 100, workerLimits)
	if o.LogsTo != "" && o.Logs == 0 || o.TracesTo != "" && o.Traces == 0 {
		v.fault("observability: there is a destination, and nothing to export")
	}
	v.public()
}

// public refuses addresses that nobody could answer at.
func (v *validation) public() {
	s := v.stack
	if (len(s.Domains) > 0 || len(s.Routes) > 0 || s.WorkersDev) && !has(s.Workers, func(w Worker) bool { return w.Public }) {
		v.fault("there are addresses, and no worker is public")
	}
	unique(v, "custom domain", s.Domains, func(d string) string { return d })
	unique(v, "route", s.Routes, func(r Route) string { return r.Pattern })
	for _, r := range s.Routes {
		host, _, _ := strings.Cut(r.Pattern, "/")
		if host = strings.TrimPrefix(host, "*."); r.Zone == "" || host != r.Zone && !strings.HasSuffix(host, "."+r.Zone) && host != "*"+r.Zone {
			v.fault("route %q is not in the zone %q", r.Pattern, r.Zone)
		}
	}
}

func (v *validation) index(i Index) {
	what := fmt.Sprintf("vectorize index %q: ", i.Name)
	v.matches(what+"name", i.Name, resourceName)
	v.within(what+"length of the name", len(i.Name), 1, maxIndexName, vectorLimits)
	v.within(what+"dimensions", i.Dimensions, 1, maxDimensions, vectorLimits)
	v.within(what+"number of metadata indexes", len(i.Metadata), 0, maxMetadataIndex, vectorLimits)
	if i.Metric != "cosine" && i.Metric != "euclidean" && i.Metric != "dot-product" {
		v.fault("%smetric %q is none of cosine, euclidean, dot-product", what, i.Metric)
	}
	for _, p := range i.Metadata {
		if p.Type != "string" && p.Type != "number" && p.Type != "boolean" {
			v.fault("%smetadata index %q: type %q is none of string, number, boolean", what, p.Name, p.Type)
		}
	}
}
