package openai

import "strings"

// AppendModel appends a model. Nobody knows when it was made, so that is 0; who made it is the first part of its name
// after the provider's.
func AppendModel(b []byte, id string) []byte {
	b = appendString(append(b, `{"id":`...), id)
	b = appendString(append(b, `,"object":"model","created":0,"owned_by":`...), owner(id))
	return append(b, '}')
}

func owner(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) == 3 {
		return parts[1]
	}
	return "levada"
}

// AppendModels appends a list of models.
func AppendModels(b []byte, ids []string) []byte {
	b = append(b, `{"object":"list","data":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendModel(b, id)
	}
	return append(b, "]}"...)
}
