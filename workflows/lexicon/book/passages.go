package book

import (
	"encoding/json"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// passages reads those there are of the places, in any order.
func (b *Book) passages(tx Tx, at []corpus.Place) (found hits, err error) {
	if len(at) > passagesACall {
		return found, fault.Invalidf("", "passages_count", "%d places; %d are allowed", len(at), passagesACall)
	}
	ids := make([]int64, 0, len(at))
	numbers := map[corpus.Generation]int64{}
	for _, p := range at {
		no, known := numbers[p.Generation]
		if !known {
			if no, err = number(tx, p.DocID, p.Generation.Generation); err != nil {
				return found, err
			}
			numbers[p.Generation] = no
		}
		if first, _ := span(no); no > 0 {
			ids = append(ids, first+int64(p.Chunk))
		}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return found, err
	}
	rows, err := tx.Query(`SELECT about, text FROM passages WHERE id IN (SELECT value FROM json_each(?))`, string(list))
	if err != nil {
		return found, err
	}
	for rows.Next() {
		var h hit
		if err := rows.Scan(&h.about, &h.text); err != nil {
			return found, err
		}
		found.all = append(found.all, h)
	}
	return found, nil
}
