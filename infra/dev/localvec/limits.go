package localvec

import (
	"fmt"
	"net/http"
)

// Limits of the platform: https://developers.cloudflare.com/vectorize/platform/limits/
const (
	maxDimensions    = 1536
	maxBatch         = 1000
	maxIDBytes       = 64
	maxNamespace     = 64
	maxMetadataBytes = 10 << 10
	maxProperties    = 10
	maxFilterBytes   = 2048 // exclusive
	maxIndexedBytes  = 64
	maxTopK          = 100
	maxTopKWithData  = 50
	defaultTopK      = 5
	maxGet           = 20
	maxDelete        = 100
)

// Codes of the platform's refusals. Those marked were seen in real error messages;
// the platform publishes no list, so the others are ours and only their texts help.
const (
	codeQueryDimensions = 40006 // seen
	codeTooMany         = 40007 // seen for getByIds and deleteByIds
	codeLongID          = 40008 // seen
	codeLongNamespace   = 40009
	codeDimensions      = 40012 // seen
	codeMetadata        = 40016 // seen for the size
	codeUnreadable      = 40023 // seen
	codeTopK            = 40025 // seen
	codeQueryUnreadable = 40026 // seen
	codeFilter          = 40027
	codeNoVector        = 40028
	codeNoIndex         = 3000
	codeDown            = 10001
)

// refusal is an error of the platform, which its binding throws as
// "VECTOR_QUERY_ERROR (code = 40025): text".
type refusal struct {
	status, code int
	text         string
}

func (r *refusal) Error() string { return fmt.Sprintf("code = %d: %s", r.code, r.text) }

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

func checkID(id string) error {
	switch {
	case id == "":
		return refuse(codeLongID, "id is empty")
	case len(id) > maxIDBytes:
		return refuse(codeLongID, "id too long; max is %d bytes, got %d bytes", maxIDBytes, len(id))
	}
	return nil
}

func checkIDs(ids []string, most int) error {
	if len(ids) > most {
		return refuse(codeTooMany, "too many ids in payload; max id count is %d, got %d", most, len(ids))
	}
	for _, id := range ids {
		if err := checkID(id); err != nil {
			return err
		}
	}
	return nil
}

func checkNamespace(name string) error {
	if len(name) > maxNamespace {
		return refuse(codeLongNamespace, "namespace too long; max is %d bytes, got %d bytes", maxNamespace, len(name))
	}
	return nil
}
