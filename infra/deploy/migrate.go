package deploy

import (
	"strconv"
	"strings"

	"levada.dev/infra/stack"
)

// The n-th class of Durable Objects of a Worker comes with the migration tag "vn". Classes are only ever added, at the end.

// migrate are the migrations from a tag to all classes; nil when there are none.
func migrate(classes []stack.Object, tag string) *migrations {
	have := reached(tag)
	if have >= len(classes) {
		return nil
	}
	m := &migrations{OldTag: tag, NewTag: "v" + strconv.Itoa(len(classes))}
	for _, c := range classes[have:] {
		m.Steps = append(m.Steps, migrationStep{NewSQLiteClasses: []string{c.Class}})
	}
	return m
}

// reached is how many classes a tag says there are.
func reached(tag string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(tag, "v"))
	if err != nil {
		return 0
	}
	return n
}
