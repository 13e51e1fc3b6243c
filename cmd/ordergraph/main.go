// Command ordergraph is the whole shop in one program: the GraphQL gateway,
// the services behind it, and the commands to look after them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // a container may have none

	"github.com/alecthomas/kong"

	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/platform/fault"
)

// Exit codes, as the shell sees them.
const (
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // it was asked for wrongly; nothing was done
	exitPartly = 3 // it is done, except for what was reported
)

type cli struct {
	Serve      serveCmd      `cmd:"" help:"Run the shop: all of it, or the services named."`
	Import     importCmd     `cmd:"" help:"Read products from files into the catalogue."`
	User       userCmd       `cmd:"" help:"Look after the people who work here."`
	Dead       deadCmd       `cmd:"" help:"Look after what was given up: messages and facts."`
	Notify     notifyCmd     `cmd:"" help:"Look at what customers are told."`
	Check      checkCmd      `cmd:"" help:"Check that stock, money, orders, parcels and invoices agree."`
	Operations operationsCmd `cmd:"" help:"Look after the operations that clients may send."`
	Data       dataCmd       `cmd:"" help:"Look after the stored documents."`
	Health     healthCmd     `cmd:"" help:"Ask a running process whether it is ready; for container health checks."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

func main() {
	var c cli
	parser := kong.Must(&c,
		kong.Name("ordergraph"),
		kong.Description("The GraphQL backend of a shop. Every flag can be set by the environment variable beside it; NAME_FILE instead of NAME reads the value from a file."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(withVariableAndDefault),
	)
	if err := readSecretFiles(variables(parser.Model.Node)); err != nil {
		fmt.Fprintln(os.Stderr, "ordergraph:", err)
		os.Exit(exitUsage)
	}
	kctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		help := "ordergraph --help"
		if wrong, ok := errors.AsType[*kong.ParseError](err); ok && wrong.Context.Selected() != nil {
			help = "ordergraph " + wrong.Context.Selected().Path() + " --help"
		}
		fmt.Fprintf(os.Stderr, "ordergraph: %v\nTry: %s\n", err, help)
		os.Exit(exitUsage)
	}

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop in order, the second ends at once.
	go func() { <-ctx.Done(); cancel() }()
	kctx.BindTo(ctx, (*context.Context)(nil))
	err = kctx.Run()
	interrupted := ctx.Err() != nil
	cancel()
	if err == nil {
		return
	}
	tell(&c, kctx.Selected(), explain(err, interrupted))
	os.Exit(exitCode(err))
}

// tell writes the last words: for people, or where a server writes its log
// for machines, as a line of that log.
func tell(c *cli, command *kong.Node, words string) {
	if command.Name == "serve" && !c.Serve.forPeople() {
		c.Serve.logger().Error("ended: " + words)
		return
	}
	fmt.Fprintln(os.Stderr, "ordergraph:", words)
}

var (
	// errPartly marks what was done but for some parts.
	errPartly = fault.New(fault.Invalid, "partly", "Some was left out.")
	// errUsage marks what the operator has to say differently.
	errUsage = fault.New(fault.Invalid, "usage", "This cannot be run as it was asked for.")
)

func usage(format string, args ...any) error { return errUsage.Say(format, args...) }

func exitCode(err error) int {
	switch {
	case errors.Is(err, errUsage), errors.Is(err, docstoremongo.ErrURI):
		return exitUsage
	case errors.Is(err, errPartly):
		return exitPartly
	}
	return exitFailed
}

// explain is the error as an operator wants to read it: with everything that
// is wrapped around it, but without the codes that programs go by.
func explain(err error, interrupted bool) string {
	if interrupted && (errors.Is(err, context.Canceled) || fault.KindOf(err) == fault.Canceled) {
		return "Interrupted. What was done stays; run the same again to go on."
	}
	declared, ok := errors.AsType[*fault.Error](err)
	switch {
	case !ok:
		return err.Error()
	case errors.Is(err, errUsage), errors.Is(err, errPartly), errors.Is(err, errFound):
		return declared.Message
	case declared.Kind == fault.Unauthenticated:
		return "The shop's processes do not take this command for one of theirs: set RPC_SECRET to that shop's, or run it with that shop's DATA_DIR."
	}
	text := strings.Replace(err.Error(), declared.Code+": ", "", 1)
	return strings.ReplaceAll(text, ".: ", ": ") // a sentence with its reason behind it
}

// withVariableAndDefault writes behind a flag's help how else it can be set,
// and what it is if it is not.
func withVariableAndDefault(v *kong.Value) string {
	var more []string
	for _, name := range v.Tag.Envs {
		more = append(more, "$"+name)
	}
	if v.HasDefault && v.Default != "" {
		more = append(more, "default "+v.Default)
	}
	if more == nil {
		return v.Help
	}
	return v.Help + " (" + strings.Join(more, ", ") + ")"
}
