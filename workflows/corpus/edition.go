package corpus

import "time"

// Edition names what searches of a tenant show, as long as that does not change. What was found in one edition may be shown again in it.
type Edition struct {
	// Number grows with every change: a generation becomes searchable, a document that is shown is submitted anew (which is when its title and
	// metadata change), gets a title or is deleted, everything is erased. It is the time of the change in Unix milliseconds, or one more than the
	// last; 0 where there never was anything to show. It comes back at no time, also after everything was erased.
	Number int64 `json:"n,omitempty"`
	// Space is the embedding space that searches are to use; "" is that of the tenant's configured model.
	Space string `json:"space,omitempty"`
}

// Settled reports whether the last change was longer ago than an index takes to show what it has acknowledged.
func (e Edition) Settled(now time.Time) bool { return now.Sub(time.UnixMilli(e.Number)) >= Settling }

// Settling is how long a write to the index of vectors may take to be seen: seconds as a rule
// (https://developers.cloudflare.com/vectorize/best-practices/insert-vectors/), and more of it than that is taken for settled here.
const Settling = 2 * time.Minute
