package dev

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/infra/stack"
)

// Cron runs the scheduled handler of a Worker, as if the time of the schedule had come.
func (p *Platform) Cron(ctx context.Context, role stack.Role, schedule string, at time.Time) error {
	return p.child.ask(ctx, "cron", map[string]any{"worker": string(role), "schedule": schedule, "at": at.UnixMilli()}, nil)
}

// trigger is a schedule of a Worker.
type trigger struct {
	role stack.Role
	text string
	when schedule
}

// triggers reads the crons of the stack.
func triggers(s stack.Stack) (all []trigger, err error) {
	for _, w := range s.Workers {
		for _, text := range w.Crons {
			when, err := parseSchedule(text)
			if err != nil {
				return nil, fmt.Errorf("worker %s: cron %q: %w", w.Role, text, err)
			}
			all = append(all, trigger{w.Role, text, when})
		}
	}
	return all, nil
}

// fire runs a scheduled handler. What fails is logged, and comes again.
func (p *Platform) fire(ctx context.Context, t trigger) {
	if err := p.Cron(ctx, t.role, t.text, time.Now()); err != nil && ctx.Err() == nil {
		fmt.Fprintf(p.options.Logs, "error: cron %s of %s: %v\n", t.text, t.role, err)
	}
}

// keepTime fires triggers when their time comes, in UTC as Cloudflare does, until the context ends: Miniflare runs no schedule by itself.
func keepTime(ctx context.Context, all []trigger, fire func(context.Context, trigger)) {
	for {
		now := time.Now()
		next := now.Truncate(time.Minute).Add(time.Minute)
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		for _, t := range all {
			if t.when.has(next.UTC()) {
				fire(ctx, t)
			}
		}
	}
}

// schedule is a cron expression: minute, hour, day of the month, month, day of the week. Days match as in cron: when both are given, one of the two
// is enough. https://developers.cloudflare.com/workers/configuration/cron-triggers/
type schedule struct {
	fields         [5]map[int]bool
	anyDay, anyDOW bool
}

var fieldRanges = [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {1, 7}} // Cloudflare counts days of the week from 1, a Sunday

// parseSchedule reads the forms *, */n, n, n-m and lists of them. Names of months and days, and L, W and #, are not read.
func parseSchedule(text string) (s schedule, err error) {
	words := strings.Fields(text)
	if len(words) != len(s.fields) {
		return s, fmt.Errorf("has %d fields, and a schedule five", len(words))
	}
	for i, word := range words {
		s.fields[i] = map[int]bool{}
		for part := range strings.SplitSeq(word, ",") {
			if err := s.add(i, part); err != nil {
				return s, err
			}
		}
	}
	s.anyDay, s.anyDOW = words[2] == "*", words[4] == "*"
	return s, nil
}

func (s *schedule) add(field int, part string) error {
	low, high := fieldRanges[field][0], fieldRanges[field][1]
	from, to, step := low, high, 1
	span, every, stepped := strings.Cut(part, "/")
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no step", part)
		}
		step = n
	}
	if span != "*" {
		first, last, ranged := strings.Cut(span, "-")
		n, err := strconv.Atoi(first)
		if err != nil {
			return fmt.Errorf("%q is not read here", part)
		}
		from, to = n, n
		if ranged {
			if to, err = strconv.Atoi(last); err != nil {
				return fmt.Errorf("%q is not read here", part)
			}
		} else if stepped {
			to = high
		}
	}
	if from < low || to > high || from > to {
		return fmt.Errorf("%q is not within %d and %d", part, low, high)
	}
	for n := from; n <= to; n += step {
		s.fields[field][n] = true
	}
	return nil
}

// has reports whether the schedule has the minute.
func (s schedule) has(t time.Time) bool {
	day, dow := s.fields[2][t.Day()], s.fields[4][int(t.Weekday())+1]
	days := day && dow
	if !s.anyDay && !s.anyDOW {
		days = day || dow
	}
	return s.fields[0][t.Minute()] && s.fields[1][t.Hour()] && s.fields[3][int(t.Month())] && days
}
