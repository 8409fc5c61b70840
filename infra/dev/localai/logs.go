package localai

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The log over HTTP, in the shape of Cloudflare's REST API:
// https://developers.cloudflare.com/api/resources/ai_gateway/subresources/logs/

func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, s.journal.list(r.PathValue("id")))
}

func (s *Server) ungated(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, s.journal.list(""))
}

func (s *Server) log(w http.ResponseWriter, r *http.Request) {
	log, found := s.journal.find(r.PathValue("id"), r.PathValue("log"))
	if !found {
		respondError(w, http.StatusNotFound, 7002, "Log Not Found")
		return
	}
	respond(w, map[string]any{"result": log})
}

func (s *Server) patch(w http.ResponseWriter, r *http.Request) {
	var p Patch
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&p); err != nil {
		respondError(w, http.StatusBadRequest, 7001, "the body is not a patch: "+err.Error())
		return
	}
	if len(p.Metadata) > maxMetadata {
		respondError(w, http.StatusBadRequest, 7001, fmt.Sprintf("metadata takes %d entries, got %d", maxMetadata, len(p.Metadata)))
		return
	}
	gateway, id := r.PathValue("id"), r.PathValue("log")
	if _, found := s.journal.find(gateway, id); !found {
		respondError(w, http.StatusNotFound, 7002, "Log Not Found")
		return
	}
	if err := s.journal.write(line{Gateway: gateway, ID: id, Patch: &p}); err != nil {
		respondError(w, http.StatusInternalServerError, 7000, err.Error())
		return
	}
	respond(w, map[string]any{"result": map[string]any{}})
}

func (s *Server) url(w http.ResponseWriter, r *http.Request) {
	url := "http://" + r.Host + "/v1/local/" + r.PathValue("id")
	if name := r.PathValue("name"); name != "universal" {
		url += "/" + name
	}
	respond(w, map[string]any{"result": map[string]any{"url": url}})
}

// filter is one element of the query parameter filters.
type filter struct {
	Key      string `json:"key"`
	Operator string `json:"operator"`
	Value    []any  `json:"value"`
}

const maxPage = 50

// page answers one page of logs, newest first, after the query's filters.
func (s *Server) page(w http.ResponseWriter, r *http.Request, logs []Log) {
	query := r.URL.Query()
	number, size := 1, 20
	for name, to := range map[string]*int{"page": &number, "per_page": &size} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				respondError(w, http.StatusBadRequest, 7001, name+" must be a positive number")
				return
			}
			*to = n
		}
	}
	if size > maxPage {
		respondError(w, http.StatusBadRequest, 7001, fmt.Sprintf("per_page is at most %d", maxPage))
		return
	}
	var filters []filter
	if text := query.Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			respondError(w, http.StatusBadRequest, 7001, "filters is not a list of {key, operator, value}: "+err.Error())
			return
		}
	}
	kept, err := keep(logs, filters)
	if err != nil {
		respondError(w, http.StatusBadRequest, 7001, err.Error())
		return
	}
	slices.SortStableFunc(kept, func(a, b Log) int { return cmp.Compare(b.ID, a.ID) })
	from := min((number-1)*size, len(kept))
	result := kept[from:min(from+size, len(kept))]
	respond(w, map[string]any{
		"result":      result,
		"result_info": map[string]any{"page": number, "per_page": size, "count": len(result), "total_count": len(kept)},
	})
}

// keep answers the logs that pass every filter.
func keep(logs []Log, filters []filter) ([]Log, error) {
	kept := []Log{}
	for _, log := range logs {
		pass := true
		for i, f := range filters {
			// A metadata.value belongs to the metadata.key before it.
			key := ""
			if f.Key == "metadata.value" && i > 0 && filters[i-1].Key == "metadata.key" {
				key = fmt.Sprint(filters[i-1].Value...)
			}
			ok, err := f.passes(log, key)
			if err != nil {
				return nil, err
			}
			pass = pass && ok
		}
		if pass {
			kept = append(kept, log)
		}
	}
	return kept, nil
}

// passes says whether any of the log's values under the key fits. For neq, all must.
func (f filter) passes(log Log, metadataKey string) (bool, error) {
	values, err := log.values(f.Key, metadataKey)
	if err != nil {
		return false, err
	}
	if f.Operator == "neq" {
		equal, err := filter{f.Key, "eq", f.Value}.passes(log, metadataKey)
		return !equal, err
	}
	for _, have := range values {
		for _, want := range f.Value {
			fits := false
			switch f.Operator {
			case "eq":
				fits = fmt.Sprint(have) == fmt.Sprint(want)
			case "contains":
				fits = strings.Contains(fmt.Sprint(have), fmt.Sprint(want))
			case "lt", "gt":
				h, _ := strconv.ParseFloat(fmt.Sprint(have), 64)
				n, isNumber := want.(float64)
				if !isNumber {
					return false, fmt.Errorf("filter %s %s takes a number", f.Key, f.Operator)
				}
				fits = f.Operator == "lt" && h < n || f.Operator == "gt" && h > n
			default:
				return false, fmt.Errorf("filter operator %q is not one of eq, neq, contains, lt, gt", f.Operator)
			}
			if fits {
				return true, nil
			}
		}
	}
	return false, nil
}

func (l Log) values(key, metadataKey string) ([]any, error) {
	switch key {
	case "id":
		return []any{l.ID}, nil
	case "provider":
		return []any{l.Provider}, nil
	case "model":
		return []any{l.Model}, nil
	case "model_type":
		return []any{l.ModelType}, nil
	case "success":
		return []any{l.Success}, nil
	case "cached":
		return []any{l.Cached}, nil
	case "status_code":
		return []any{l.StatusCode}, nil
	case "duration":
		return []any{l.Duration}, nil
	case "tokens_in":
		return []any{l.TokensIn}, nil
	case "tokens_out":
		return []any{l.TokensOut}, nil
	case "tokens":
		return []any{l.TokensIn + l.TokensOut}, nil
	case "cost":
		return []any{l.Cost}, nil
	case "event_id":
		return []any{l.EventID}, nil
	case "metadata.key", "metadata.value":
		var out []any
		for k, v := range l.Metadata {
			switch {
			case key == "metadata.key":
				out = append(out, k)
			case metadataKey == "" || metadataKey == k:
				out = append(out, v)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("filter key %q does not exist", key)
}

func respond(w http.ResponseWriter, v map[string]any) {
	v["success"], v["errors"], v["messages"] = true, []any{}, []any{}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func respondError(w http.ResponseWriter, status, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{
		"result": nil, "success": false, "messages": []any{},
		"errors": []any{map[string]any{"code": code, "message": text}},
	})
}
