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
	"ordergraph/sandbox/carrier"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/page"
	"ordergraph/sandbox/twilio"
)

// CarrierPath is where the carrier answers; the others have the paths that
// their clients know.
const CarrierPath = "/carrier"

// Options says which parts of the outside world are played here. What is nil
// is not: there the shop has a real one.
type Options struct {
	Card    *card.Options
	Carrier *carrier.Options
	Mail    *mail.Options
	Twilio  *twilio.Options
	Log     *slog.Logger // for parts without one of their own
}

// A Sandbox is the outside world as far as it is played here; the rest is nil.
type Sandbox struct {
	Card    *card.Processor
	Carrier *carrier.Carrier
	Mail    *mail.Server
	Twilio  *twilio.Server
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
	if o.Carrier != nil {
		options := *o.Carrier
		if options.Log == nil {
			options.Log = o.Log
		}
		if s.Carrier, err = carrier.New(ctx, options); err != nil {
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
	if o.Twilio != nil {
		options := *o.Twilio
		if options.Log == nil {
			options.Log = o.Log
		}
		if s.Twilio, err = twilio.New(options); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	return &s, nil
}

// Handler answers for all parts over HTTP: what the shop calls, and what
// people look at. Pages of other origins cannot post to it.
func (s *Sandbox) Handler() http.Handler {
	mux := http.NewServeMux()
	page.Parts{Phone: s.Twilio != nil, Mailbox: s.Mail != nil, Cards: s.Card != nil}.Routes(mux)
	if s.Mail != nil {
		s.Mail.Routes(mux)
	}
	if s.Twilio != nil {
		s.Twilio.Routes(mux)
	}
	if s.Carrier != nil {
		mux.Handle(CarrierPath+"/", http.StripPrefix(CarrierPath, s.Carrier))
	}
	if s.Card != nil {
		mux.Handle("/", s.Card)
	}
	return http.NewCrossOriginProtection().Handler(mux)
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
		if s.Twilio != nil {
			s.Twilio.Close()
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
	if s.Carrier != nil {
		g.Go(func() error { return s.Carrier.Run(ctx) })
	}
	if s.Twilio != nil {
		g.Go(func() error { return s.Twilio.Run(ctx) })
	}
	if s.Mail != nil && post != nil {
		g.Go(func() error { return s.Mail.Serve(ctx, post) })
	}
	return g.Wait()
}
