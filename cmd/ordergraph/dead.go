package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services"
	"ordergraph/services/invoice"
)

type deadCmd struct {
	List   deadListCmd   `cmd:"" help:"List what was given up."`
	Show   deadShowCmd   `cmd:"" help:"Show one dead letter with its history."`
	Replay deadReplayCmd `cmd:"" help:"Try dead letters again, when the cause is gone."`
	Drop   deadDropCmd   `cmd:"" help:"Put dead letters away for good."`
}

// deadConfig is how a command reaches the dead letters.
type deadConfig struct {
	groundConfig
	accountConfig
}

// deadFilter says which of them are meant.
type deadFilter struct {
	Service string `placeholder:"NAME" help:"Only those that this service keeps."`
	Kind    string `placeholder:"KIND" enum:"message,fact,any" default:"any" help:"Only messages to customers, or only facts between services: message, fact or any."`
}

func (f deadFilter) names() []string {
	if f.Service == "" {
		return services.Names()
	}
	return []string{f.Service}
}

func (f deadFilter) query() deadletter.Query {
	q := deadletter.Query{Service: f.Service}
	if f.Kind != "any" {
		q.Kind = deadletter.Kind(f.Kind)
	}
	return q
}

type deadListCmd struct {
	JSON bool `name:"json" help:"Print one JSON object per line, with the whole history."`
	deadFilter
	deadConfig
}

func (deadListCmd) Help() string {
	return "A message dies when no provider takes it, a fact when a listener tries to take it twenty times and fails. Dead letters hold nothing else up. A running shop is used through GRPC_ADDR or the services' addresses; where none runs, the stores themselves."
}

func (c *deadListCmd) Run(ctx context.Context) error {
	return c.with(ctx, c.names(), func(letters deadletter.Letters) error {
		if c.JSON {
			return eachDead(ctx, letters, c.query(), printJSON)
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		n := 0
		err := eachDead(ctx, letters, c.query(), func(l deadletter.Letter) error {
			if n++; n == 1 {
				_, _ = fmt.Fprintln(out, "ID\tWHAT\tABOUT\tFOR\tSINCE\tLAST OUTCOME")
			}
			_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Type, l.Key, l.Listener, moment(l.DeadAt), lastOutcome(l))
			return err
		})
		if err := errors.Join(err, out.Flush()); err != nil {
			return err
		}
		if n == 0 {
			fmt.Println("There are no dead letters.")
		}
		return nil
	})
}

type deadShowCmd struct {
	ID   string `arg:"" help:"Which, as ordergraph dead list names it."`
	JSON bool   `name:"json" help:"Print it as JSON."`
	deadConfig
}

func (c *deadShowCmd) Run(ctx context.Context) error {
	return c.with(ctx, []string{keeperOf(c.ID)}, func(letters deadletter.Letters) error {
		l, err := letters.Get(ctx, identity.Ourselves(), c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(l)
		}
		fmt.Printf("%s\n%s %s about %s, for %s, kept by %s\ndead since %s, after\n", l.ID, l.Kind, l.Type, l.Key, l.Listener, l.Service, moment(l.DeadAt))
		for _, a := range l.Attempts {
			fmt.Printf("  %s  %s\n", moment(a.At), a.Outcome)
		}
		return nil
	})
}

// deadChoice says which dead letters something is done with.
type deadChoice struct {
	IDs []string `arg:"" optional:"" name:"id" help:"Which, as ordergraph dead list names them."`
	All bool     `help:"All of them, or all that --service and --kind name."`
	deadFilter
	deadConfig
}

type deadReplayCmd struct{ deadChoice }

func (deadReplayCmd) Help() string {
	return "Each gets as many attempts as a new one, and dies again if they all fail. The exit code is 3 where some could not be replayed."
}

func (c *deadReplayCmd) Run(ctx context.Context) error {
	return c.each(ctx, nil, "replayed", func(letters deadletter.Letters, id string) error {
		return letters.Replay(ctx, identity.Ourselves(), id)
	})
}

type deadDropCmd struct {
	Yes bool `short:"y" help:"Do not ask."`
	deadChoice
}

func (deadDropCmd) Help() string {
	return "Nobody tries them again: the message is not sent, the listener never takes the fact. The exit code is 3 where some could not be dropped."
}

func (c *deadDropCmd) Run(ctx context.Context) error {
	ask := func(n int) error {
		if c.Yes {
			return nil
		}
		return confirm(ctx, os.Stdin, fmt.Sprintf("Drop %d dead letters for good?", n))
	}
	return c.each(ctx, ask, "dropped", func(letters deadletter.Letters, id string) error {
		return letters.Drop(ctx, identity.Ourselves(), id)
	})
}

// each does something with all that were chosen, after asking how many may.
func (c *deadChoice) each(ctx context.Context, ask func(n int) error, done string, do func(deadletter.Letters, string) error) error {
	switch {
	case c.All && len(c.IDs) > 0:
		return usage("Give either ids or --all")
	case !c.All && len(c.IDs) == 0:
		return usage("Give the ids of dead letters, or --all")
	case !c.All && (c.Service != "" || c.Kind != "any"):
		return usage("--service and --kind go with --all")
	}
	names := c.names()
	if !c.All {
		names = nil
		for _, id := range c.IDs {
			names = append(names, keeperOf(id))
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	return c.with(ctx, names, func(letters deadletter.Letters) error {
		ids := c.IDs
		if c.All {
			// All at first: what dies again meanwhile is not tried for ever.
			err := eachDead(ctx, letters, c.query(), func(l deadletter.Letter) error { ids = append(ids, l.ID); return nil })
			if err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			fmt.Println("There are no dead letters.")
			return nil
		}
		if ask != nil {
			if err := ask(len(ids)); err != nil {
				return err
			}
		}
		bar, good := newBar(len(ids), done), 0
		defer func() { _ = bar.Finish() }()
		for _, id := range ids {
			switch err := do(letters, id); {
			case errors.Is(err, deadletter.ErrNotFound):
				_ = bar.Clear()
				fmt.Fprintf(os.Stderr, "%s is not dead, or does not exist\n", id)
			case err != nil:
				return fmt.Errorf("%d of %d %s, and then %s: %w", good, len(ids), done, id, err)
			default:
				good++
			}
			_ = bar.Add(1)
		}
		_ = bar.Finish()
		fmt.Printf("%d %s\n", good, done)
		if good < len(ids) {
			return errPartly.Say("%d of %d could not be %s.", len(ids)-good, len(ids), done)
		}
		return nil
	})
}

// keeperOf is the service that keeps the dead letter of this id.
func keeperOf(id string) string {
	service, _, _ := strings.Cut(id, "/")
	return service
}

// with does something with the dead letters that the services keep: those of
// the shop that runs, or those in the stores.
func (c *deadConfig) with(ctx context.Context, names []string, do func(deadletter.Letters) error) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := services.Check(names); err != nil {
		return usage("%v; the id of a dead letter begins with one of them", err)
	}
	h, done, err := c.connect(ctx, names, c.open)
	if err != nil {
		return err
	}
	letters, err := services.Letters(h, names)
	if err == nil {
		err = do(letters)
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind == fault.Invalid && !errors.Is(err, errPartly) {
		err = usage("%s", e.Message)
	}
	return errors.Join(err, done())
}

func (c *deadConfig) check() error {
	if err := c.groundConfig.check(); err != nil {
		return err
	}
	var wrong complaints
	c.accountConfig.check(&wrong)
	return wrong.err()
}

// nowhere is the address of what is not called.
const nowhere = "http://127.0.0.1:9"

// open gives all services on their stores, without anything that they do in
// the background: what is replayed here is done when the shop runs again. So
// nobody outside is called, and it does not matter who that would be.
func (c *deadConfig) open(ctx context.Context, h *host.Host, names []string) (done func() error, err error) {
	if c.MongoURI == "" {
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(c.DataDir, name)); err != nil {
				return nil, usage("No shop runs at GRPC_ADDR=%s, and DATA_DIR=%s holds none: say where it is", c.GRPCAddr, c.DataDir)
			}
		}
	}
	client, err := c.redis(ctx, h, c.commandLogger())
	if err != nil {
		return nil, err
	}
	ground := c.ground(h, c.commandLogger(), client)
	ground.Settings.Account = services.AccountSettings{Issuer: "ordergraph", KeySecret: c.KeySecret, PasswordCost: c.PasswordCost}
	ground.Settings.Stripe = services.StripeSettings{SecretKey: demoStripeKey, URL: nowhere}
	ground.Settings.Carrier = services.CarrierSettings{URL: nowhere, Secret: demoCarrierSecret}
	ground.Settings.Seller = invoice.Seller{Name: demoSeller[0], Address: demoSeller[1], City: demoSeller[0], Country: c.Country, TaxID: demoSeller[2]}
	ground.Settings.Mail = services.MailSettings{URL: "smtp://127.0.0.1:9", From: "shop@ordergraph.localhost", PublicURL: nowhere}
	if err := services.Start(ctx, ground, services.Names()); err != nil {
		return nil, err
	}
	return h.Close, nil
}

// eachDead reads dead letters to the end, and names the services that could not
// be asked for theirs.
func eachDead(ctx context.Context, letters deadletter.Letters, q deadletter.Query, do func(deadletter.Letter) error) error {
	var missing []string
	for {
		page, err := letters.List(ctx, identity.Ourselves(), q)
		if err != nil {
			return err
		}
		for _, service := range page.Missing {
			if !slices.Contains(missing, service) {
				missing = append(missing, service)
				fmt.Fprintf(os.Stderr, "%s could not be asked: what it gave up is missing here\n", service)
			}
		}
		for _, l := range page.Letters {
			if err := do(l); err != nil {
				return err
			}
		}
		if !page.HasMore || len(page.Cursors) == 0 {
			return nil
		}
		q.After = page.Cursors[len(page.Cursors)-1]
	}
}

func printJSON(l deadletter.Letter) error {
	type attempt struct {
		At      time.Time `json:"at"`
		Outcome string    `json:"outcome"`
	}
	shown := struct {
		ID       string          `json:"id"`
		Service  string          `json:"service"`
		Kind     deadletter.Kind `json:"kind"`
		Type     string          `json:"type"`
		Key      string          `json:"key"`
		Listener string          `json:"listener"`
		DeadAt   time.Time       `json:"deadAt"`
		Attempts []attempt       `json:"attempts"`
	}{l.ID, l.Service, l.Kind, l.Type, l.Key, l.Listener, l.DeadAt, []attempt{}}
	for _, a := range l.Attempts {
		shown.Attempts = append(shown.Attempts, attempt(a))
	}
	return json.NewEncoder(os.Stdout).Encode(shown)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func lastOutcome(l deadletter.Letter) string {
	if len(l.Attempts) == 0 {
		return ""
	}
	return l.Attempts[len(l.Attempts)-1].Outcome
}

// confirm asks a person, and is nil for a yes.
func confirm(ctx context.Context, in *os.File, question string) error {
	if !term.IsTerminal(int(in.Fd())) {
		return usage("There is no terminal to ask on: add --yes")
	}
	_, _ = fmt.Fprint(os.Stderr, question, " [y/N] ")
	answered := make(chan string, 1)
	go func() { // ends with the process if not before: a read cannot be called off
		line, _ := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
		answered <- line
	}()
	select {
	case answer := <-answered:
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
			return nil
		}
		return usage("Nothing was done")
	case <-ctx.Done():
		return ctx.Err()
	}
}
