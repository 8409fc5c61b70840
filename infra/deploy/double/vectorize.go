package double

import (
	"net/http"
	"regexp"
	"slices"
)

// index is an index of Vectorize. Its shape is fixed.
type index struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Config      indexConfig `json:"config"`
	Created     string      `json:"created_on"`
	Modified    string      `json:"modified_on"`
	metadata    []property
}

type indexConfig struct {
	Dimensions int    `json:"dimensions,omitempty"`
	Metric     string `json:"metric,omitempty"`
	Preset     string `json:"preset,omitempty"`
}

// property is a field of the metadata that queries may filter on.
type property struct {
	Name string `json:"propertyName"`
	Type string `json:"indexType"`
}

const (
	groupVectorize = "Vectorize"

	maxDimensions = 1536
	maxProperties = 10
	codeVectorize = 1002
)

var (
	indexName = regexp.MustCompile(`^[a-z]([a-z0-9_-]{0,62}[a-z0-9])?$`)
	metrics   = []string{"cosine", "euclidean", "dot-product"}
	presets   = map[string]indexConfig{
		"@cf/baai/bge-small-en-v1.5":     {Dimensions: 384, Metric: "cosine"},
		"@cf/baai/bge-base-en-v1.5":      {Dimensions: 768, Metric: "cosine"},
		"@cf/baai/bge-large-en-v1.5":     {Dimensions: 1024, Metric: "cosine"},
		"openai/text-embedding-ada-002":  {Dimensions: 1536, Metric: "cosine"},
		"cohere/embed-multilingual-v2.0": {Dimensions: 768, Metric: "cosine"},
	}
)

func vectorizeRoutes() []route {
	const indexes = "/accounts/{account}/vectorize/v2/indexes"
	const one = indexes + "/{index}"
	return []route{
		{pattern: "GET " + indexes, group: groupVectorize, handle: func(c *call) (any, error) { return sorted(c.account.indexes), nil }},
		{pattern: "POST " + indexes, group: groupVectorize, handle: postIndex},
		{pattern: "GET " + one, group: groupVectorize, handle: onIndex(func(_ *call, x *index) (any, error) { return x, nil })},
		{pattern: "DELETE " + one, group: groupVectorize, handle: onIndex(func(c *call, x *index) (any, error) {
			delete(c.account.indexes, x.Name)
			return nil, nil
		})},
		{pattern: "GET " + one + "/info", group: groupVectorize, handle: onIndex(func(_ *call, x *index) (any, error) {
			return map[string]any{"dimensions": x.Config.Dimensions, "vectorCount": 0, "processedUpToDatetime": nil, "processedUpToMutation": nil}, nil
		})},
		{pattern: "GET " + one + "/metadata_index/list", group: groupVectorize, handle: onIndex(func(_ *call, x *index) (any, error) {
			return map[string]any{"metadataIndexes": append([]property{}, x.metadata...)}, nil
		})},
		{pattern: "POST " + one + "/metadata_index/create", group: groupVectorize, handle: onIndex(postProperty)},
		{pattern: "POST " + one + "/metadata_index/delete", group: groupVectorize, handle: onIndex(deleteProperty)},
	}
}

// onIndex answers 410 for an index that is not there, as the API does.
func onIndex(do func(*call, *index) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		if x := c.account.indexes[c.PathValue("index")]; x != nil {
			return do(c, x)
		}
		return nil, refuse(http.StatusGone, 3000, "vectorize.index_not_found")
	}
}

func postIndex(c *call) (any, error) {
	given, err := decode[struct {
		Name        string      `json:"name"`
		Description string      `json:"description"`
		Config      indexConfig `json:"config"`
	}](c)
	if err != nil {
		return nil, err
	}
	x := &index{Name: given.Name, Description: given.Description, Config: given.Config}
	if p := x.Config.Preset; p != "" {
		if _, ok := presets[p]; !ok || x.Config != (indexConfig{Preset: p}) {
			return nil, refuse(http.StatusBadRequest, codeVectorize, "vectorize.index_config: the preset %q is not known, or is not alone", p)
		}
		x.Config = presets[p]
	}
	switch {
	case !indexName.MatchString(x.Name):
		return nil, refuse(http.StatusBadRequest, codeVectorize, "vectorize.index_name: %q is not valid: lower-case letters, digits, _ and -, up to 64", x.Name)
	case x.Config.Dimensions < 1 || x.Config.Dimensions > maxDimensions:
		return nil, refuse(http.StatusBadRequest, codeVectorize, "vectorize.index_config: dimensions have to be 1 to %d, are %d", maxDimensions, x.Config.Dimensions)
	case !slices.Contains(metrics, x.Config.Metric):
		return nil, refuse(http.StatusBadRequest, codeVectorize, "vectorize.index_config: the metric %q is not known", x.Config.Metric)
	case c.account.indexes[x.Name] != nil:
		return nil, refuse(http.StatusConflict, 3002, "vectorize.index.duplicate_name - an index %q is there", x.Name)
	}
	x.Created = c.api.now()
	x.Modified = x.Created
	c.account.indexes[x.Name] = x
	return x, nil
}

func postProperty(c *call, x *index) (any, error) {
	p, err := decode[property](c)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Name == "" || len(p.Name) > 512:
		return nil, refuse(http.StatusBadRequest, codeVectorize, "vectorize.metadata_index: propertyName has 1 to 512 bytes")
	case !slices.Contains([]string{"string", "number", "boolean"}, p.Type):
		return nil, refuse(http.StatusBadRequest, codeVectorize, "vectorize.metadata_index: indexType %q is not known", p.Type)
	case slices.ContainsFunc(x.metadata, func(o property) bool { return o.Name == p.Name }):
		return nil, refuse(http.StatusConflict, 3006, "vectorize.metadata_index: %q is indexed already", p.Name)
	case len(x.metadata) == maxProperties:
		return nil, refuse(http.StatusBadRequest, 40015, "vectorize.metadata_index: an index has at most %d", maxProperties)
	}
	x.metadata = append(x.metadata, p)
	return map[string]string{"mutationId": c.api.uuid()}, nil
}

func deleteProperty(c *call, x *index) (any, error) {
	given, err := decode[struct {
		Name string `json:"propertyName"`
	}](c)
	if err != nil {
		return nil, err
	}
	before := len(x.metadata)
	x.metadata = slices.DeleteFunc(x.metadata, func(p property) bool { return p.Name == given.Name })
	if len(x.metadata) == before {
		return nil, refuse(http.StatusNotFound, 3007, "vectorize.metadata_index: %q is not indexed", given.Name)
	}
	return map[string]string{"mutationId": c.api.uuid()}, nil
}
