package stack

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrder(t *testing.T) {
	class, flow := Binding{Name: "BOOK", Kind: Class, Target: "Book"}, Binding{Name: "RUN", Kind: Flow, Target: "run"}
	to := func(role Role) Binding { return Binding{Name: "TO", Kind: Service, Target: string(role)} }
	for name, c := range map[string]struct {
		workers []Worker
		want    []Role
		err     string
	}{
		"nothing is bound":       {[]Worker{{Role: "a"}, {Role: "b"}}, []Role{"a", "b"}, ""},
		"a class and a Workflow": {[]Worker{{Role: "a", Bindings: []Binding{flow, class}}, {Role: "books"}, {Role: "flows", Bindings: []Binding{class}}}, []Role{"books", "flows", "a"}, ""},
		"one's own":              {[]Worker{{Role: "books", Bindings: []Binding{class}}, {Role: "flows"}}, []Role{"books", "flows"}, ""},
		"a chain":                {[]Worker{{Role: "a", Bindings: []Binding{to("b")}}, {Role: "b", Bindings: []Binding{to("c")}}, {Role: "c"}}, []Role{"c", "b", "a"}, ""},
		"a circle":               {[]Worker{{Role: "a", Bindings: []Binding{to("b")}}, {Role: "b", Bindings: []Binding{to("c")}}, {Role: "c", Bindings: []Binding{to("a")}}}, nil, "a -> b -> c -> a bind each other in a circle"},
		"what no Worker has":     {[]Worker{{Role: "a", Bindings: []Binding{{Name: "AI", Kind: AI}, {Name: "Q", Kind: Producer, Target: "a"}}}}, []Role{"a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Stack{Workers: c.workers, Objects: []Object{{Class: "Book", Role: "books"}}, Workflows: []Workflow{{Name: "run", Class: "Run", Role: "flows"}}}
			ordered, err := s.Order()
			if c.err != "" {
				assert.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			var roles []Role
			for _, w := range ordered {
				roles = append(roles, w.Role)
			}
			assert.Equal(t, c.want, roles)
		})
	}
}

func TestTakesDeadLetters(t *testing.T) {
	s := Stack{Queues: []Queue{{Name: "work", DeadLetter: "work-dlq"}, {Name: "work-dlq"}}}
	assert.True(t, s.TakesDeadLetters("work-dlq"))
	assert.False(t, s.TakesDeadLetters("work"))
	assert.False(t, s.TakesDeadLetters(""), "none is no queue")
}
