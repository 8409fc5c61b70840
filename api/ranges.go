package api

import (
	"net/http"
	"strconv"
	"strings"
)

// refuseNothing has the last 0 bytes of something refused as any range outside of it is (RFC 9110, 14.1.2): net/http answers them, with a Content-Range that
// ends before it begins.
func refuseNothing(r *http.Request, size int64) {
	unit, list, found := strings.Cut(r.Header.Get("Range"), "=")
	if !found {
		return
	}
	ranges := strings.Split(list, ",")
	for i, of := range ranges {
		if last, ok := strings.CutPrefix(strings.TrimSpace(of), "-"); ok && last != "" && strings.Trim(last, "0") == "" {
			ranges[i] = strconv.FormatInt(size, 10) + "-"
		}
	}
	r.Header.Set("Range", unit+"="+strings.Join(ranges, ","))
}
