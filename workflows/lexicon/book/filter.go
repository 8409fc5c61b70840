package book

import (
	"encoding/json"
	"strings"

	"levada.dev/workflows/lexicon"
)

// condition is a filter as SQL over the row p of a passage, with its values.
func condition(cs []lexicon.Condition) (sql string, args []any, err error) {
	var all []string
	for _, c := range cs {
		field := `json_extract(p.fields, ?)`
		path := `$."` + c.Field + `"`
		switch c.Operator {
		case "$eq", "$ne":
			all = append(all, field+map[string]string{"$eq": " IS ?", "$ne": " IS NOT ?"}[c.Operator])
			args = append(args, path, c.Values[0])
		case "$in", "$nin":
			list, err := json.Marshal(c.Values)
			if err != nil {
				return "", nil, err
			}
			in := `coalesce(` + field + ` IN (SELECT value FROM json_each(?)), 0)`
			if c.Operator == "$nin" {
				in = "NOT " + in
			}
			all, args = append(all, in), append(args, path, string(list))
		default: // a number is below every text for SQLite, so the kinds have to be the same
			kind := `typeof(` + field + `) <> 'text'`
			if _, text := c.Values[0].(string); text {
				kind = field + ` >= 's'`
			}
			operator := map[string]string{"$lt": " < ?", "$lte": " <= ?", "$gt": " > ?", "$gte": " >= ?"}[c.Operator]
			all = append(all, kind+" AND "+field+operator)
			args = append(args, path, path, c.Values[0])
		}
	}
	return strings.Join(all, " AND "), args, nil
}

// documents are those that a filter names by their whole ids; nil when it names none.
func documents(cs []lexicon.Condition) []string {
	for _, c := range cs {
		if c.Field == "docId" && (c.Operator == "$eq" || c.Operator == "$in") {
			if docs := lexicon.Whole(c.Values); docs != nil {
				return docs
			}
		}
	}
	return nil
}
