// Package sandbox is the outside world on a laptop: what the shop would reach
// over the internet, each over its real protocol, with nothing to sign up for.
package sandbox

import (
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"ordergraph/sandbox/card"
)

// Options says which parts of the outside world are played here.
type Options struct {
	Card *card.Options // nil: the shop has a real card processor
	Log  *slog.Logger
}

// A Sandbox is the outside world as far as it is played here.
type Sandbox struct {
	Card *card.Processor // nil where it is not played
}

// New opens the parts over their memories. Run starts them.
func New(ctx context.Context, o Options) (*Sandbox, error) {
	var s Sandbox
	if o.Card != nil {
		options := *o.Card
		if options.Log == nil {
			options.Log = o.Log
		}
		var err error
		if s.Card, err = card.New(ctx, options); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	return &s, nil
}

// Run plays all parts until ctx ends or one of them cannot go on.
func (s *Sandbox) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if s.Card != nil {
		g.Go(func() error { return s.Card.Run(ctx) })
	}
	return g.Wait()
}
