package double

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// cron is a schedule of a Worker.
type cron struct {
	Cron     string `json:"cron"`
	Created  string `json:"created_on"`
	Modified string `json:"modified_on"`
}

func (s *script) schedules() any {
	return map[string]any{"schedules": append([]cron{}, s.crons...)}
}

const maxCrons = 250 // of an account

// putSchedules sets all schedules of a Worker. One that was there stays as it is.
func putSchedules(c *call, s *script) (any, error) {
	given, err := decode[[]struct {
		Cron     string `json:"cron"`
		Created  string `json:"created_on"`
		Modified string `json:"modified_on"`
	}](c)
	if err != nil {
		return nil, err
	}
	var next []cron
	seen := map[string]bool{}
	for _, g := range given {
		if !validCron(g.Cron) {
			return nil, refuse(http.StatusBadRequest, 10100, "invalid cron string %q", g.Cron)
		}
		if seen[g.Cron] {
			return nil, refuse(http.StatusBadRequest, 10100, "the cron string %q is there twice", g.Cron)
		}
		seen[g.Cron] = true
		next = append(next, s.cron(g.Cron, c.api))
	}
	total := len(next)
	for _, other := range c.account.scripts {
		if other != s {
			total += len(other.crons)
		}
	}
	if total > maxCrons {
		return nil, refuse(http.StatusBadRequest, 10072, "You have exceeded the limit of %d cron triggers.", maxCrons)
	}
	s.crons = next
	return s.schedules(), nil
}

func (s *script) cron(text string, api *API) cron {
	for _, c := range s.crons {
		if c.Cron == text {
			return c
		}
	}
	now := api.now()
	return cron{Cron: text, Created: now, Modified: now}
}

var (
	months   = names("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	weekdays = names("SUN MON TUE WED THU FRI SAT")

	// fields are those of an expression: minute, hour, day of the month, month, day of the week, of which Sunday is the first.
	// https://developers.cloudflare.com/workers/configuration/cron-triggers/
	fields = []struct {
		low, high int
		names     map[string]int
		special   *regexp.Regexp
	}{
		{0, 59, nil, nil},
		{0, 23, nil, nil},
		{1, 31, nil, regexp.MustCompile(`^(L|LW|L-\d{1,2}|\d{1,2}W)$`)},
		{1, 12, months, nil},
		{1, 7, weekdays, regexp.MustCompile(`^(L|[1-7]L|[1-7]#[1-5]|(SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$`)},
	}
)

func names(list string) map[string]int {
	m := map[string]int{}
	for i, name := range strings.Fields(list) {
		m[name] = i + 1
	}
	return m
}

func validCron(text string) bool {
	parts := strings.Split(text, " ")
	if len(parts) != len(fields) {
		return false
	}
	for i, f := range fields {
		for item := range strings.SplitSeq(strings.ToUpper(parts[i]), ",") {
			if f.special != nil && f.special.MatchString(item) {
				continue
			}
			if !validRange(item, f.low, f.high, f.names) {
				return false
			}
		}
	}
	return true
}

// validRange takes "*", "5", "1-5", each also with "/2".
func validRange(item string, low, high int, names map[string]int) bool {
	number := func(s string) (int, bool) {
		if n, ok := names[s]; ok {
			return n, true
		}
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= low && n <= high
	}
	item, step, stepped := strings.Cut(item, "/")
	if stepped {
		if n, err := strconv.Atoi(step); err != nil || n < 1 || n > high {
			return false
		}
	}
	if item == "*" {
		return true
	}
	from, to, ranged := strings.Cut(item, "-")
	a, ok := number(from)
	if !ranged || !ok {
		return ok
	}
	b, ok := number(to)
	return ok && a <= b
}
