package tenants_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// While what is published cannot be read, who was known before goes on for a quarter of an hour, and nobody else begins; afterwards what was
// taken away meanwhile is gone.
func TestWhoIsKnownGoesOnWhileTheReaderFails(t *testing.T) {
	down := errors.New("500")
	hung := func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	for name, how := range map[string]func(context.Context, string) error{
		"it fails": func(context.Context, string) error { return down },
		"it hangs": hung,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReader(t, "acme", "globex")
				d := tenants.NewDirectory(r, nil)
				known := func(id tenants.ID) error { _, err := d.Config(t.Context(), id); return err }
				require.NoError(t, known("acme"))
				host := func() error { _, err := d.Host(t.Context(), "nobody.example.com"); return err }
				require.True(t, fault.Is(host(), fault.NotFound))
				read := time.Now()
				r.how = func(ctx context.Context, key string) error {
					if strings.HasSuffix(key, "globex") && name == "it hangs" {
						return down
					}
					return how(ctx, key)
				}
				r.publish(t, "globex") // acme is taken away
				for time.Since(read) < 15*time.Minute {
					began := time.Now()
					require.NoError(t, known("acme"))
					assert.LessOrEqual(t, time.Since(began), time.Second, "nobody waits long for what cannot be read")
					assert.True(t, fault.Is(host(), fault.NotFound), "a name of nobody is still nobody's, and no failure")
					assert.True(t, fault.Is(known("globex"), fault.Unavailable), "who was never read")
					time.Sleep(20 * time.Second)
				}
				assert.LessOrEqual(t, r.count("config/acme"), 32, "asked again now and then")
				time.Sleep(time.Minute)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := d.Config(ctx, "acme")
				assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)

				r.how = nil
				assert.True(t, fault.Is(known("acme"), fault.NotFound), "it answers again, and nothing stale is left")
				assert.NoError(t, known("globex"))
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, "acme")
		d := tenants.NewDirectory(r, &tenants.DirectoryOptions{StaleTTL: -1})
		_, err := d.Config(t.Context(), "acme")
		require.NoError(t, err)
		r.how = func(context.Context, string) error { return down }
		time.Sleep(31 * time.Second)
		_, err = d.Config(t.Context(), "acme")
		assert.True(t, fault.Is(err, fault.Unavailable), "a directory that keeps nothing stale")
	})
}
