package double

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// bucket is a bucket of R2. What is in it the double does not know.
type bucket struct {
	Name         string `json:"name"`
	Created      string `json:"creation_date"`
	Location     string `json:"location"`
	Class        string `json:"storage_class"`
	Jurisdiction string `json:"jurisdiction"`
	full         bool
}

const (
	groupR2      = "Workers R2 Storage"
	codeNoBucket = 10006
)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

func bucketRoutes() []route {
	const buckets = "/accounts/{account}/r2/buckets"
	const one = buckets + "/{bucket}"
	return []route{
		{pattern: "GET " + buckets, group: groupR2, handle: listBuckets},
		{pattern: "POST " + buckets, group: groupR2, handle: postBucket},
		{pattern: "GET " + one, group: groupR2, handle: onBucket(func(_ *call, b bucket) (any, error) { return b, nil })},
		{pattern: "DELETE " + one, group: groupR2, handle: onBucket(func(c *call, b bucket) (any, error) {
			if b.full {
				return nil, refuse(http.StatusConflict, 10008, "The bucket you tried to delete is not empty.")
			}
			delete(c.account.buckets, b.Name)
			return map[string]any{}, nil
		})},
	}
}

// jurisdiction is whose bucket is meant: each has names of its own.
func (c *call) jurisdiction() string {
	if j := c.Header.Get("cf-r2-jurisdiction"); j != "" {
		return j
	}
	return "default"
}

func onBucket(do func(*call, bucket) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		b, ok := c.account.buckets[c.PathValue("bucket")]
		if !ok || b.Jurisdiction != c.jurisdiction() {
			return nil, refuse(http.StatusNotFound, codeNoBucket, "The specified bucket does not exist.")
		}
		return do(c, b)
	}
}

// listBuckets pages by cursor, not by number. The cursor is the API's own: the last name, coded; the last page has none.
func listBuckets(c *call) (any, error) {
	limit, err := c.number("per_page", 20, 1, 1000)
	if err != nil {
		return nil, err
	}
	if c.api.MaxPage > 0 {
		limit = min(limit, c.api.MaxPage)
	}
	q := c.URL.Query()
	after, err := base64.URLEncoding.DecodeString(q.Get("cursor"))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, codeRequest, "The cursor is not one of the API.")
	}
	down := q.Get("direction") == "desc"
	switch {
	case !slices.Contains([]string{"", "name"}, q.Get("order")):
		return nil, refuse(http.StatusBadRequest, codeRequest, "order has to be name, is %q", q.Get("order"))
	case !slices.Contains([]string{"", "asc", "desc"}, q.Get("direction")):
		return nil, refuse(http.StatusBadRequest, codeRequest, "direction has to be asc or desc, is %q", q.Get("direction"))
	case q.Has("page"):
		return nil, refuse(http.StatusBadRequest, codeRequest, "Buckets are paged by cursor, not by page.")
	}
	behind := func(name, mark string) bool { return mark == "" || down && name < mark || !down && name > mark }
	all := slices.DeleteFunc(sorted(c.account.buckets), func(b bucket) bool {
		return b.Jurisdiction != c.jurisdiction() || !behind(b.Name, string(after)) || !behind(b.Name, q.Get("start_after")) || !strings.Contains(b.Name, q.Get("name_contains"))
	})
	if down {
		slices.Reverse(all)
	}
	info := map[string]any{"per_page": limit}
	if len(all) > limit {
		all = all[:limit]
		info["cursor"] = base64.URLEncoding.EncodeToString([]byte(all[limit-1].Name))
	}
	return page{map[string]any{"buckets": all}, info}, nil
}

func postBucket(c *call) (any, error) {
	given, err := decode[struct {
		Name     string `json:"name"`
		Location string `json:"locationHint"`
		Class    string `json:"storageClass"`
	}](c)
	if err != nil {
		return nil, err
	}
	locations := []string{"", "apac", "eeur", "enam", "weur", "wnam", "oc"}
	switch {
	case !bucketName.MatchString(given.Name):
		return nil, refuse(http.StatusBadRequest, 10005, "The specified bucket name is not valid: %q", given.Name)
	case !slices.Contains(locations, strings.ToLower(given.Location)):
		return nil, refuse(http.StatusBadRequest, codeRequest, "locationHint %q is not known.", given.Location)
	case given.Class != "" && given.Class != "Standard" && given.Class != "InfrequentAccess":
		return nil, refuse(http.StatusBadRequest, codeRequest, "storageClass %q is not known.", given.Class)
	case !slices.Contains([]string{"default", "eu", "us", "fedramp"}, c.jurisdiction()):
		return nil, refuse(http.StatusBadRequest, codeRequest, "cf-r2-jurisdiction %q is not known.", c.jurisdiction())
	}
	if _, ok := c.account.buckets[given.Name]; ok {
		return nil, refuse(http.StatusConflict, 10004, "The bucket you tried to create already exists, and you own it.")
	}
	b := bucket{Name: given.Name, Created: c.api.now(), Location: "weur", Class: "Standard", Jurisdiction: c.jurisdiction()}
	if given.Class != "" {
		b.Class = given.Class
	}
	if given.Location != "" {
		b.Location = strings.ToLower(given.Location)
	}
	c.account.buckets[b.Name] = b
	return b, nil
}
