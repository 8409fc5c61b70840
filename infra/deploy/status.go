package deploy

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy/account"
)

// Status is what a unit is at the moment.
type Status struct {
	Unit     Unit           `json:"unit"`
	Live     Manifest       `json:"live"`     // of the release that is live; empty before the first
	Releases []string       `json:"releases"` // that are kept
	Workers  []WorkerStatus `json:"workers"`
}

// WorkerStatus is who has a Worker's traffic.
type WorkerStatus struct {
	Script  string    `json:"script"`
	Ours    bool      `json:"ours"` // as its tags say
	Traffic []Traffic `json:"traffic"`
}

// Traffic is the part of a version.
type Traffic struct {
	Version string  `json:"version"`
	Release string  `json:"release,omitempty"` // it was uploaded for
	Percent float64 `json:"percent"`

	Since time.Time `json:"since,omitzero"` // when the traffic was divided so
	By    string    `json:"by,omitempty"`   // who did, as the account says
}

// ReadStatus asks the account. It sends GETs alone.
func ReadStatus(ctx context.Context, a *account.Account, u Unit) (*Status, error) {
	s := &Status{Unit: u, Releases: []string{}, Workers: []WorkerStatus{}}
	names, live, err := Releases(ctx, a, u)
	if err != nil {
		return nil, err
	}
	s.Live, s.Releases = live, append(s.Releases, names...)
	var scripts []*liveScript
	if err := a.Get(ctx, a.Path("workers", "scripts"), &scripts); err != nil {
		return nil, err
	}
	scripts = slices.DeleteFunc(scripts, func(one *liveScript) bool { return !u.owns(one.Name) })
	slices.SortFunc(scripts, func(x, y *liveScript) int { return strings.Compare(x.Name, y.Name) })
	s.Workers = append(s.Workers, make([]WorkerStatus, len(scripts))...)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, one := range scripts {
		group.Go(func() (err error) {
			s.Workers[i], err = one.status(ctx, a, u)
			return err
		})
	}
	return s, group.Wait()
}

func (s *liveScript) status(ctx context.Context, a *account.Account, u Unit) (WorkerStatus, error) {
	at := a.Path("workers", "scripts", s.Name)
	w := WorkerStatus{Script: s.Name, Traffic: []Traffic{}}
	if err := a.Get(ctx, at+"/script-settings", &s.settings); err != nil {
		return w, err
	}
	w.Ours, _ = u.owner(s.settings.Tags)
	now, err := newest(ctx, a, s.Name)
	if err != nil {
		return w, err
	}
	for _, one := range now.Versions {
		var v liveVersion
		if err := a.Get(ctx, at+"/versions/"+one.Version, &v); err != nil {
			return w, err
		}
		w.Traffic = append(w.Traffic, Traffic{Version: one.Version, Release: v.Annotations[annotationTag], Percent: one.Percent, Since: now.Created, By: now.Author})
	}
	return w, nil
}
