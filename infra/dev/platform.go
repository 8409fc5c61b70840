package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"levada.dev/infra/build"
	"levada.dev/infra/dev/localai"
	"levada.dev/infra/dev/localvec"
	"levada.dev/infra/stack"
)

// Options says what to run and where.
type Options struct {
	Root  string      // the checkout
	State string      // the folder that keeps everything; made if it is not there
	Stack stack.Stack // what to run
	Port  int         // of the public Worker; 0 for a free one

	// Build is where the Workers are built: below State unless it is set. Platforms that share it share the work.
	Build string
	// Vars are text variables that every Worker gets.
	Vars map[string]string
	// Secrets are the values of the secrets that the stack's Workers name.
	Secrets map[string]string
	// Seed fills the platform before it is called ready.
	Seed func(ctx context.Context, p *Platform) error
	// Progress is told what is being done. It may be nil.
	Progress func(what string)
	// Logs gets what the Workers log, one line of JSON each. Nil drops it.
	Logs io.Writer
	// Lexical leaves the encoder out of the local embeddings, to measure everything else.
	Lexical bool
	// WaitDivisor shortens how long a queue waits for a batch to fill: production's seconds are for a lone developer's
	// document what they are not for a stream of them. Default DefaultWaitDivisor; 1 is production.
	WaitDivisor int
	// RetryDivisor shortens how long a queue waits before it delivers a message again, so that minutes of attempts are seconds of a test.
	// Default 1, which is production.
	RetryDivisor int
}

// DefaultWaitDivisor makes production's second 100 milliseconds.
const DefaultWaitDivisor = 10

// Platform is a running platform. It is safe for concurrent use.
type Platform struct {
	URL string // of the public Worker

	options  Options
	standins *standins
	child    *child
	config   config
	lock     *os.File // held while anything uses the state folder
	reloads  sync.Mutex
	stopped  sync.Once
	quiet    context.CancelFunc // ends the schedules
	crons    sync.WaitGroup
}

// Start builds the Workers and starts everything. When it returns the platform has been seeded and answers on URL.
func Start(ctx context.Context, o Options) (*Platform, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(o.State, 0o755); err != nil {
		return nil, err
	}
	if err := o.Stack.Validate(); err != nil {
		return nil, fmt.Errorf("the stack's table: %w", err)
	}
	lock, err := lockState(ctx, o.State)
	if err != nil {
		return nil, err
	}
	p := &Platform{options: o, lock: lock}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (o Options) withDefaults() Options {
	if o.Build == "" {
		o.Build = filepath.Join(o.State, "build")
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	if o.WaitDivisor == 0 {
		o.WaitDivisor = DefaultWaitDivisor
	}
	if o.RetryDivisor == 0 {
		o.RetryDivisor = 1
	}
	return o
}

func (p *Platform) start(ctx context.Context) error {
	o := p.options
	if _, err := p.build(ctx, nil); err != nil {
		return err
	}
	o.Progress("starting the stand-ins for Workers AI and Vectorize")
	var err error
	if p.standins, err = serveStandins(o); err != nil {
		return err
	}
	p.config, err = configure(o.Stack, site{
		build: o.Build, state: o.State, port: o.Port, vars: o.Vars, secrets: o.Secrets, waitDivisor: o.WaitDivisor, retryDivisor: o.RetryDivisor,
		standins: filepath.Join(o.Root, "infra", "dev", "standins"),
		broker:   filepath.Join(o.Root, "infra", "dev", "broker"),
		control:  filepath.Join(o.Root, "infra", "dev", "control"),
		ai:       p.standins.aiAddress, vectors: p.standins.vecAddr,
	})
	if err != nil {
		return err
	}
	o.Progress("starting workerd")
	if p.child, err = spawn(o.Root, o.Logs, p.lock); err != nil {
		return err
	}
	var started struct{ URL string }
	if err := p.child.ask(ctx, "start", p.config, &started); err != nil {
		return err
	}
	p.URL = started.URL
	if o.Seed != nil {
		o.Progress("publishing the tenants")
		if err := o.Seed(ctx, p); err != nil {
			return err
		}
	}
	schedules, err := triggers(o.Stack)
	if err != nil {
		return err
	}
	if len(schedules) > 0 {
		running, quiet := context.WithCancel(context.Background())
		p.quiet = quiet
		p.crons.Go(func() { keepTime(running, schedules, p.fire) })
	}
	return nil
}

// build builds roles, all of them if none is named.
func (p *Platform) build(ctx context.Context, roles []stack.Role) ([]build.Built, error) {
	o := p.options
	return build.Roles(ctx, build.Options{
		Root: o.Root, Out: o.Build, Stack: o.Stack, Roles: roles,
		Progress: func(role, step string) { o.Progress(step + " " + role) },
	})
}

// Rebuild builds roles again and, if anything changed, lets the platform go on with them. State and address stay;
// requests under way are cut off. After a compile error the platform runs on as it was.
func (p *Platform) Rebuild(ctx context.Context, roles []stack.Role) (changed bool, err error) {
	p.reloads.Lock()
	defer p.reloads.Unlock()
	built, err := p.build(ctx, roles)
	if err != nil {
		return false, err
	}
	for _, b := range built {
		changed = changed || b.Changed
	}
	if !changed {
		return false, nil
	}
	return true, p.child.ask(ctx, "reload", nil, nil)
}

// KV is a namespace of a Worker by its binding.
func (p *Platform) KV(role stack.Role, binding string) KV {
	return KV{child: p.child, worker: string(role), binding: binding}
}

// Vectors is the stand-in of Vectorize.
func (p *Platform) Vectors() *localvec.Store { return p.standins.vectors }

// Models is the stand-in of Workers AI.
func (p *Platform) Models() *localai.Server { return p.standins.ai }

// PID is the process that holds workerd.
func (p *Platform) PID() int { return p.child.cmd.Process.Pid }

// Gone is closed when the platform's process has ended, by Stop or by itself.
func (p *Platform) Gone() <-chan struct{} { return p.child.gone }

// Stop ends everything in order and waits for it.
func (p *Platform) Stop() (err error) {
	p.stopped.Do(func() {
		if p.quiet != nil {
			p.quiet()
			p.crons.Wait()
		}
		if p.child != nil {
			p.child.stop()
		}
		if p.standins != nil {
			err = p.standins.close()
		}
		err = errors.Join(err, p.lock.Close())
	})
	return err
}

// Kill ends workerd in the middle of whatever it does, as a crash would, and then the rest.
func (p *Platform) Kill() error {
	p.child.kill()
	return p.Stop()
}

// GatewayURL is where the gateway's log can be read: GET <url>/gateways/<id>/logs.
func (p *Platform) GatewayURL() string { return "http://" + p.standins.aiAddress }

// VectorsURL is where the vector index can be asked.
func (p *Platform) VectorsURL() string { return "http://" + p.standins.vecAddr }
