package double

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

// API is Cloudflare's API below /client/v4/, as an http.Handler. Safe for concurrent use.
type API struct {
	// DocumentedOnly takes away the endpoints that no document of the API has and that wrangler calls all the same.
	DocumentedOnly bool

	// MaxPage is the most that a page of a list has, whatever is asked for; 0 is as many as are asked for.
	MaxPage int

	// Lag is how many visits of a Worker after a deployment still meet the one before: it takes seconds to be everywhere.
	Lag int

	// Analytics answers queries of Analytics Engine with rows. Without it there are none. It must not call the API.
	Analytics func(account, query string) []map[string]any

	mux *http.ServeMux

	mu       sync.Mutex
	made     int // ids
	ticks    int // seconds since the epoch of the double
	accounts map[string]*Account
	tokens   map[string]Token
	zones    []*zone
	faults   []*Fault
	requests []Request
	watch    func(Request)
	sick     func(script, versionID, tag string) int
}

// New returns an API without accounts.
func New() *API {
	a := &API{mux: http.NewServeMux(), accounts: map[string]*Account{}, tokens: map[string]Token{}}
	for _, r := range routes() {
		a.mux.HandleFunc(r.pattern, func(w http.ResponseWriter, q *http.Request) { a.serve(w, q, r) })
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, q *http.Request) { a.serve(w, q, route{handle: unrouted}) })
	return a
}

// Root is below what the API is on its host.
const Root = "/client/v4"

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.StripPrefix(Root, a.mux).ServeHTTP(w, r)
}

// routes are all that the API has.
func routes() []route {
	return slices.Concat(tokenRoutes(), accountRoutes(), scriptRoutes(), versionRoutes(), deploymentRoutes(), secretRoutes(), objectRoutes(), queueRoutes(), consumerRoutes(),
		kvRoutes(), valueRoutes(), bucketRoutes(), vectorizeRoutes(), gatewayRoutes(), workflowRoutes(), zoneRoutes(), domainRoutes(), assetRoutes(), wranglerRoutes())
}

var accountID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Account adds an account; its subdomain of workers.dev is its name. What is in it is seen and changed by Edit.
func (a *API) Account(id, name string) *Account {
	if !accountID.MatchString(id) {
		panic(fmt.Sprintf("double: account %q: an id is 32 hexadecimal digits", id))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.accounts[id] = newAccount(a, id, name)
	return a.accounts[id]
}

// Edit does what somebody does in the dashboard, while nothing else happens.
func (a *API) Edit(accountID string, edit func(*Account)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acct := a.accounts[accountID]
	if acct == nil {
		panic("double: no account " + accountID)
	}
	edit(acct)
}

// KV is a copy of what a namespace of KV holds; nil when there is no such namespace.
func (a *API) KV(accountID, title string) map[string]string {
	var all map[string]string
	a.Edit(accountID, func(acct *Account) {
		if n := acct.namespaceTitled(title); n != nil {
			all = map[string]string{}
			for key, v := range n.values {
				all[key] = string(v.value)
			}
		}
	})
	return all
}

// epoch is the double's first second. It is later than any date that a Worker asks for.
var epoch = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// now is another second each time. The lock is held.
func (a *API) now() string {
	a.ticks++
	return epoch.Add(time.Duration(a.ticks) * time.Second).Format(time.RFC3339)
}

// id is the next id of n hexadecimal digits, up to 64. The lock is held.
func (a *API) id(n int) string {
	a.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "id %d", a.made))
	return hex.EncodeToString(sum[:])[:n]
}

// uuid is the next id in the form of a UUID. The lock is held.
func (a *API) uuid() string {
	h := a.id(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}
