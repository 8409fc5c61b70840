package deploy

import (
	"context"
	"fmt"
	"strings"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// readWell reads the releases that the deployed versions were uploaded for, where they are other than the live release has.
func (l *live) readWell(ctx context.Context, a *account.Account, d *Desired) error {
	l.well = map[string]Manifest{}
	for _, w := range d.Stack.Workers {
		s := l.scripts[d.Unit.Script(w.Role)]
		if s == nil || s.deployed.ID == l.manifest.Workers[w.Role].ID || !s.deployed.ours() {
			continue
		}
		release := s.deployed.Annotations[annotationTag]
		if _, known := l.well[release]; known || CheckRelease(release) != nil {
			continue
		}
		var m Manifest
		if _, err := readKey(ctx, a, l.namespaces[d.Unit.Name(tenantsNamespace)], releaseKey(release), &m); err != nil {
			return err
		}
		l.well[release] = m
	}
	return nil
}

// ours reports whether a deployment of ours has uploaded a version.
func (v *liveVersion) ours() bool {
	return strings.HasPrefix(v.Annotations[annotationMessage], versionMark)
}

// versionMark is what the messages of our versions begin with.
const versionMark = "levada spec="

// unfinished reports whether what a Worker has is what a deployment of ours left that nobody noted. What is of a noted release, or was never
// ours, somebody has put there: it may be better than what was noted last.
func (l *live) unfinished(j *job) bool {
	s := j.live
	if len(s.deployment) == 0 || s.deployed.ID == l.manifest.Workers[j.role].ID || !s.deployed.ours() {
		return false
	}
	return l.well[s.deployed.Annotations[annotationTag]].Workers[j.role].ID != s.deployed.ID
}

// elsewhere says that a Worker has another version than the live release.
func (p *planner) elsewhere(role stack.Role, s *liveScript) []string {
	noted := p.live.manifest.Workers[role].ID
	if version, whole := s.whole(); !whole || noted == "" || version == noted {
		return nil
	}
	return []string{fmt.Sprintf("version %.8s is deployed, release %s has %.8s", s.deployed.ID, p.live.manifest.Release, noted)}
}
