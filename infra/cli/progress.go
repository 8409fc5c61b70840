package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"levada.dev/workflows/job"
)

// isTerminal reports whether somebody is looking at what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := behind(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// meter draws how far a job has come. The zero value draws nothing.
type meter struct {
	bar          *progressbar.ProgressBar
	total        int
	begun, drawn time.Time
	brief        bool // without the rate and the times
}

// meter is one where somebody is looking. A total of 0 is one that is not known yet.
func (v view) meter(what string, total int) *meter {
	if !isTerminal(v.Stderr) {
		return &meter{}
	}
	return newMeter(v.Stderr, what, total, widthOf(v.Stderr))
}

// besideBar is how much stands beside a bar: the state, what failed, how fast it goes, how much is done, and the times.
const besideBar = 64

// newMeter is one on a terminal of a width; where there is no room for all of it, the rate and the times are not there.
func newMeter(w io.Writer, what string, total, width int) *meter {
	most := total
	if total == 0 {
		most = -1 // a spinner
	}
	room := width - besideBar
	return &meter{total: total, begun: time.Now(), brief: room <= 0, bar: progressbar.NewOptions(most,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetSpinnerChangeInterval(0), // turns when something has changed
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(min(max(room, 1), 30)),
		progressbar.OptionSetPredictTime(room > 0),
		progressbar.OptionSetElapsedTime(room > 0),
	)}
}

// redraw is how long a state is shown at least. The bar's own throttle would drop one of the three calls that make a state.
const redraw = 100 * time.Millisecond

// show draws the state of a job.
func (m *meter) show(j job.Job) {
	if m.bar == nil || time.Since(m.drawn) < redraw && !j.State.Final() {
		return
	}
	m.drawn = time.Now()
	n := j.Counts
	if n.Total > m.total {
		m.total = n.Total
		m.bar.ChangeMax(m.total)
	}
	what := string(j.State)
	if n.Failed > 0 {
		what += fmt.Sprintf(", %d failed", n.Failed)
	}
	ended := min(n.Done+n.Failed+n.Cancelled, m.total)
	if rate := float64(ended) / time.Since(m.begun).Seconds(); rate >= 1 && !m.brief {
		what += fmt.Sprintf(", %.0f/s", rate)
	}
	_ = m.bar.Set(ended) // fails where the terminal does
	m.bar.Describe(what)
}

// count draws how many of a total are done.
func (m *meter) count(done, total int) {
	if m.bar == nil || time.Since(m.drawn) < redraw && done < total {
		return
	}
	m.drawn = time.Now()
	if total > m.total {
		m.total = total
		m.bar.ChangeMax(total)
	}
	_ = m.bar.Set(min(done, m.total)) // fails where the terminal does
}

// clear takes the bar away, so that what is said next stands at the beginning of a line.
func (m *meter) clear() {
	if m.bar != nil {
		_ = m.bar.Clear()
	}
}
