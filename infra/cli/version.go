package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type versionOptions struct {
	JSON   bool
	Stdout io.Writer
}

// versionView is what levada version prints.
type versionView struct {
	Version  string `json:"version"`          // of the module, from its tag or commit
	Commit   string `json:"commit,omitempty"` // empty in a build without version control
	Modified bool   `json:"modified"`         // built from files that were not committed
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersion() *cobra.Command {
	var o versionOptions
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print which commit this program was built from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Stdout = cmd.OutOrStdout()
			return o.run()
		},
	}
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *versionOptions) run() error {
	v := versionView{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if o.JSON {
		return printJSON(o.Stdout, v)
	}
	_, err := fmt.Fprintf(o.Stdout, "levada %s, %s, %s\n", v.Version, v.Go, v.Platform)
	return err
}

// printJSON is how every command prints its result for machines.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printLine is how a command prints one thing of many for machines.
func printLine(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }
