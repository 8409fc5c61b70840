package deploy

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy/account"
)

// liveScript is a Worker as the account has it.
type liveScript struct {
	Name         string   `json:"id"`
	MigrationTag string   `json:"migration_tag"` // the list of scripts alone has it
	Tags         []string `json:"tags"`

	settings   liveSettings
	deployment []share
	deployed   liveVersion // the one that has the most traffic
	crons      []string
	dev        devAddress
}

// liveSettings are those that no version has.
type liveSettings struct {
	Observability any      `json:"observability"`
	Tags          []string `json:"tags"`
}

// share is which part of the traffic a version has.
type share struct {
	Version string  `json:"version_id"`
	Percent float64 `json:"percentage"`
}

// liveVersion is a version as it was uploaded. The settings of a Worker are not asked: they are those of the newest version, which need not
// have any traffic.
type liveVersion struct {
	ID          string            `json:"id"`
	Annotations map[string]string `json:"annotations"`
	Resources   struct {
		Bindings []map[string]any `json:"bindings"`
		Runtime  struct {
			CompatibilityDate  string   `json:"compatibility_date"`
			CompatibilityFlags []string `json:"compatibility_flags"`
			Limits             *limits  `json:"limits"`
		} `json:"script_runtime"`
	} `json:"resources"`
}

// made says from what the version was made: its spec and the fingerprint of its secrets.
func (v *liveVersion) made() (spec, secrets string) {
	fields := strings.Fields(v.Annotations[annotationMessage])
	return tag(fields, "spec"), tag(fields, "secrets")
}

const (
	annotationTag     = "workers/tag"
	annotationMessage = "workers/message"
)

type devAddress struct {
	Enabled  bool `json:"enabled"`
	Previews bool `json:"previews_enabled"`
}

// read fills in what the list of scripts does not say.
func (s *liveScript) read(ctx context.Context, a *account.Account) error {
	at := func(parts ...string) string {
		return a.Path(append([]string{"workers", "scripts", s.Name}, parts...)...)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := a.Get(ctx, at("script-settings"), &s.settings)
		s.Tags = s.settings.Tags
		return err
	})
	group.Go(func() error {
		var err error
		if s.deployment, err = shares(ctx, a, s.Name); err != nil || len(s.deployment) == 0 {
			return err
		}
		return a.Get(ctx, at("versions", mostOf(s.deployment)), &s.deployed)
	})
	group.Go(func() error {
		var list struct{ Schedules []struct{ Cron string } }
		err := a.Get(ctx, at("schedules"), &list)
		for _, one := range list.Schedules {
			s.crons = append(s.crons, one.Cron)
		}
		slices.Sort(s.crons)
		return err
	})
	group.Go(func() error { return a.Get(ctx, at("subdomain"), &s.dev) })
	return group.Wait()
}

// shares is how the traffic of a Worker is divided; a Worker that was never deployed has none.
func shares(ctx context.Context, a *account.Account, script string) ([]share, error) {
	now, err := newest(ctx, a, script)
	return now.Versions, err
}

// deployment is who divided the traffic of a Worker, when, and how.
type deployment struct {
	Created  time.Time `json:"created_on"`
	Author   string    `json:"author_email"`
	Versions []share   `json:"versions"`
}

// newest is the deployment that is in force; the zero one when there was none.
func newest(ctx context.Context, a *account.Account, script string) (deployment, error) {
	var list struct{ Deployments []deployment }
	err := a.Get(ctx, a.Path("workers", "scripts", script, "deployments"), &list)
	if account.IsStatus(err, http.StatusNotFound) || err == nil && len(list.Deployments) == 0 {
		return deployment{}, nil
	}
	if err != nil {
		return deployment{}, err
	}
	return list.Deployments[0], nil
}

// mostOf is the version that has the most traffic.
func mostOf(all []share) string {
	return slices.MaxFunc(all, func(x, y share) int { return int(x.Percent - y.Percent) }).Version
}

// stable is the version to go back to: the one that the last finished deployment noted, while it has traffic, else the one with the most.
func (s *liveScript) stable() string {
	noted := tag(s.Tags, "version")
	if slices.ContainsFunc(s.deployment, func(x share) bool { return x.Version == noted }) {
		return noted
	}
	return mostOf(s.deployment)
}

// serves says what has the traffic.
func (s *liveScript) serves() string {
	switch len(s.deployment) {
	case 0:
		return "no version"
	case 1:
		return fmt.Sprintf("version %.8s", s.deployment[0].Version)
	}
	return fmt.Sprintf("traffic divided between %d versions", len(s.deployment))
}

// whole reports whether one version has all the traffic, and which.
func (s *liveScript) whole() (version string, ok bool) {
	if len(s.deployment) != 1 {
		return "", false
	}
	return s.deployment[0].Version, true
}
