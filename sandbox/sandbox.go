// Package sandbox is the outside world on a laptop: what the shop would reach
// over the internet, each over its real protocol, with nothing to sign up for.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/sandbox/card"
	"ordergraph/sandbox/mail"
)

// Options says which parts of the outside world are played here.
type Options struct {
	Card *card.Options // nil: the shop has a real card processor
	Mail *mail.Options // nil: the shop has a real mail provider
	Log  *slog.Logger
}

// A Sandbox is the outside world as far as it is played here.
type Sandbox struct {
	Card *card.Processor // nil where it is not played
	Mail *mail.Server    // nil where it is not played
}

// New opens the parts over their memories. Serve starts them.
func New(ctx context.Context, o Options) (*Sandbox, error) {
	var s Sandbox
	var err error
	if o.Card != nil {
		options := *o.Card
		if options.Log == nil {
			options.Log = o.Log
		}
		if s.Card, err = card.New(ctx, options); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	if o.Mail != nil {
		options := *o.Mail
		if options.Log == nil {
			options.Log = o.Log
		}
		if s.Mail, err = mail.New(options); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	return &s, nil
}

// Handler answers for all parts over HTTP: what the shop calls, and what
// people look at.
func (s *Sandbox) Handler() http.Handler {
	mux := http.NewServeMux()
	if s.Mail != nil {
		s.Mail.Routes(mux)
	}
	if s.Card != nil {
		mux.Handle("/", s.Card)
	}
	return mux
}

// Serve plays all parts until ctx ends or one of them cannot go on: over HTTP
// on web, and by SMTP on post, which is nil where no mail is taken. Calls in
// flight may then end within 5 s.
func (s *Sandbox) Serve(ctx context.Context, web, post net.Listener) error {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(web); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("sandbox: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		if s.Mail != nil {
			s.Mail.Close() // pages that watch would stay for ever
		}
		last, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		if server.Shutdown(last) != nil {
			_ = server.Close()
		}
		return nil
	})
	if s.Card != nil {
		g.Go(func() error { s.Card.SendEvents(ctx); return nil })
	}
	if s.Mail != nil && post != nil {
		g.Go(func() error { return s.Mail.Serve(ctx, post) })
	}
	return g.Wait()
}
