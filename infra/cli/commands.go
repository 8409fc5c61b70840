package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type commandsOptions struct {
	Commands []Command
	JSON     bool
	Stdout   io.Writer
}

// Command is one command as its help describes it, for what is made from the
// command line: the schemas of infra/nx, and checks of documents.
type Command struct {
	Name    string `json:"name"` // the words after levada: "new tenant"
	Use     string `json:"use"`  // with the arguments
	Short   string `json:"short"`
	Long    string `json:"long,omitempty"`
	Example string `json:"example,omitempty"`
	Flags   []Flag `json:"flags"` // by name, with those that every command has
}

// Flag is a flag of a command.
type Flag struct {
	Name     string `json:"name"`
	Type     string `json:"type"`    // as the help names it: string, int, bool, duration, stringSlice, ...
	Default  string `json:"default"` // as the command line would give it; a list is in brackets
	Usage    string `json:"usage"`
	Required bool   `json:"required"` // the command refuses to run without it
	Global   bool   `json:"global"`   // every command has it
}

func newCommands() *cobra.Command {
	var o commandsOptions
	cmd := &cobra.Command{
		Use:   "commands",
		Short: "List every command; with --json also their flags, for tools",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Commands, o.Stdout = describe(cmd.Root()), cmd.OutOrStdout()
			return o.run()
		},
	}
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *commandsOptions) run() error {
	if o.JSON {
		return printJSON(o.Stdout, o.Commands)
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"command", "does"})
	for _, c := range o.Commands {
		t.AppendRow(table.Row{c.Use, c.Short})
	}
	_, err := fmt.Fprintln(o.Stdout, t.Render())
	return err
}

// describe lists the commands below cmd that do something, in the order of their names.
func describe(cmd *cobra.Command) (all []Command) {
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "completion" { // cobra's own
			continue
		}
		if c.Runnable() {
			_, name, _ := strings.Cut(c.CommandPath(), " ")
			all = append(all, Command{
				Name: name, Use: c.UseLine(), Short: c.Short, Long: c.Long, Example: c.Example, Flags: flags(c),
			})
		}
		all = append(all, describe(c)...)
	}
	return all
}

func flags(cmd *cobra.Command) []Flag {
	all := []Flag{}
	add := func(global bool) func(*pflag.Flag) {
		return func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" {
				all = append(all, Flag{
					Name: f.Name, Type: f.Value.Type(), Default: f.DefValue, Usage: f.Usage,
					Required: f.Annotations[cobra.BashCompOneRequiredFlag] != nil, Global: global,
				})
			}
		}
	}
	cmd.NonInheritedFlags().VisitAll(add(false))
	cmd.InheritedFlags().VisitAll(add(true))
	return all
}
