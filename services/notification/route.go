package notification

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ordergraph/platform/work"
)

// A route is one provider of a channel, and what is known of its health.
//
// It spares a provider that takes nothing: after five attempts in a row that
// found it unreachable, one at a time is let through, at intervals that grow
// from 1 s to 1 min, until one is answered. A provider that asks for a pause
// gets it. Messages take another route meanwhile or, without one, keep their
// place and lose no attempt.
type route struct {
	name   string // "mail", "mail-2", "sms", …
	mailer Mailer // or texter
	texter Texter
	counts routeCounts

	mu      sync.Mutex
	failed  int       // in a row
	next    time.Time // of the next probe, once it failed too often
	paused  time.Time // until when it asked to be left alone
	probing bool
}

const (
	breakAfter = 5
	probeMost  = time.Minute
	pauseMost  = time.Hour // whatever a provider asks for
	panicked   = "panic"   // a Failure's code
)

// A message is what goes out at an attempt: a letter or a text.
type message struct {
	letter Letter
	text   Text
}

// send hands the message over, and returns the provider's own name for it. An
// error is a *Failure. Nobody knows whether a provider that panics had taken
// the message.
func (r *route) send(ctx context.Context, m message) (ref string, failure *Failure) {
	returned := false
	err := work.Safely(func() (err error) {
		if r.mailer != nil {
			err = r.mailer.Send(ctx, m.letter)
		} else {
			ref, err = r.texter.Send(ctx, m.text)
		}
		returned = true
		return err
	})
	switch {
	case err == nil:
		return ref, nil
	case !returned:
		return "", &Failure{Outcome: Unknown, Code: panicked, Err: err}
	case errors.As(err, &failure):
		return "", failure
	}
	return "", &Failure{Outcome: Unreachable, Err: err}
}

// admit reports whether an attempt may be made. Who is admitted calls done.
func (r *route) admit(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.takes(now) {
		return false
	}
	r.probing = r.failed >= breakAfter
	return true
}

// open reports whether an attempt would be admitted, without admitting one.
func (r *route) open(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takes(now)
}

func (r *route) takes(now time.Time) bool {
	return !now.Before(r.paused) && (r.failed < breakAfter || !r.probing && !now.Before(r.next))
}

// done says what came of an attempt that was admitted. tried is false where
// the provider was not called after all; failure is nil where it took the
// message.
func (r *route) done(tried bool, failure *Failure, now time.Time) {
	if tried {
		r.counts.add(failure)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probing = false
	switch {
	case !tried:
	case failure == nil || failure.answered():
		r.failed = 0
	default:
		r.failed++
		if over := r.failed - breakAfter; over >= 0 {
			r.next = now.Add(min(time.Second<<min(over, 6), probeMost))
		}
	}
	if failure != nil && failure.After > 0 {
		if until := now.Add(min(failure.After, pauseMost)); until.After(r.paused) {
			r.paused = until
		}
	}
}

// answered reports whether somebody was there.
func (f *Failure) answered() bool { return f.Outcome != Unreachable && !f.Down && f.Code != panicked }

// Policy is what follows when nobody knows whether a provider took a message.
type Policy string

// The policies.
const (
	// Repeat sends it again, by whichever route: a mail under its one
	// Message-ID, by which mailboxes know it.
	Repeat Policy = "repeat"
	// Lookup asks the provider first, and sends again what it never took. Only
	// for SMS; mail servers cannot be asked.
	Lookup Policy = "lookup"
	// Leave counts it as sent. Who says that it never came gets it by Resend.
	Leave Policy = "leave"
)

// ParsePolicy reads a policy of a channel; "" is the channel's default: Repeat
// for mail, Lookup for SMS.
func ParsePolicy(text string, c Channel) (Policy, error) {
	switch p := Policy(strings.ToLower(strings.TrimSpace(text))); {
	case p == "" && c == SMS:
		return Lookup, nil
	case p == "":
		return Repeat, nil
	case p == Repeat, p == Leave, p == Lookup && c == SMS:
		return p, nil
	}
	if c == SMS {
		return "", fmt.Errorf("%q is not repeat, lookup or leave", text)
	}
	return "", fmt.Errorf("%q is not repeat or leave", text)
}

// A channel is the way that messages of one kind take, with queue, senders and
// providers of its own: one that is stuck holds no other up.
type channel struct {
	name    Channel
	routes  []*route // in order of preference
	unknown Policy
	wake    chan struct{} // something is due
	counts  channelCounts

	mu      sync.Mutex
	senders *senders // nil while nothing is sent
}

func newChannel(name Channel, unknown Policy, routes int, route func(i int) *route) *channel {
	c := &channel{name: name, unknown: unknown, wake: make(chan struct{}, 1)}
	for i := range routes {
		r := route(i)
		r.name = strings.ToLower(string(name))
		if i > 0 {
			r.name += fmt.Sprintf("-%d", i+1)
		}
		c.routes = append(c.routes, r)
	}
	return c
}

// admit is the first route that takes a message now, or nil; avoided only if
// there is no other. Who gets one calls its done.
func (c *channel) admit(avoided string, now time.Time) *route {
	var last *route
	for _, r := range c.routes {
		if r.name == avoided {
			last = r
		} else if r.admit(now) {
			return r
		}
	}
	if last != nil && last.admit(now) {
		return last
	}
	return nil
}

// elsewhere reports whether another route than r takes messages now.
func (c *channel) elsewhere(r *route, now time.Time) bool {
	for _, other := range c.routes {
		if other != r && other.open(now) {
			return true
		}
	}
	return false
}

// takes reports whether there is a route that takes messages now.
func (c *channel) takes(now time.Time) bool {
	for _, r := range c.routes {
		if r.open(now) {
			return true
		}
	}
	return false
}

// route is the route of that name: the first where there is none any more.
func (c *channel) route(name string) *route {
	for _, r := range c.routes {
		if r.name == name {
			return r
		}
	}
	return c.routes[0]
}

func (c *channel) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Figures are what the service has counted since it began, for its operator.
type Figures struct {
	Mail, SMS       ChannelFigures
	MissingLanguage int64 // messages written in English for want of the customer's language
}

// ChannelFigures are those of one channel.
type ChannelFigures struct {
	Sent        int64
	Delivered   int64
	Undelivered int64
	OptedOut    int64
	Dead        int64
	Expired     int64 // messages that waited until they were of no use
	Repeated    int64 // attempts made although an earlier one may have succeeded
	Found       int64 // messages whose answer was lost, and which the provider had taken
	Segments    int64 // that the SMS sent were paid for as
	Routes      []RouteFigures
}

// RouteFigures are the attempts at one provider, by what came of them.
type RouteFigures struct {
	Name        string
	Sent        int64
	Refused     int64
	Deferred    int64 // the provider put them off
	Unreachable int64 // nobody answered
	Unknown     int64 // the answer was lost
	Open        bool  // whether it takes messages now
}

type channelCounts struct {
	sent, delivered, undelivered, optedOut, dead, expired, repeated, found, segments atomic.Int64
}

type routeCounts struct{ sent, refused, deferred, unreachable, unknown atomic.Int64 }

func (c *routeCounts) add(f *Failure) {
	switch {
	case f == nil:
		c.sent.Add(1)
	case f.Outcome == Refused, f.Outcome == Unwanted:
		c.refused.Add(1)
	case f.Outcome == Deferred:
		c.deferred.Add(1)
	case f.Outcome == Unknown:
		c.unknown.Add(1)
	default:
		c.unreachable.Add(1)
	}
}

func (c *channel) figures(now time.Time) ChannelFigures {
	n := &c.counts
	f := ChannelFigures{
		Sent: n.sent.Load(), Delivered: n.delivered.Load(), Undelivered: n.undelivered.Load(), OptedOut: n.optedOut.Load(),
		Dead: n.dead.Load(), Expired: n.expired.Load(), Repeated: n.repeated.Load(), Found: n.found.Load(), Segments: n.segments.Load(),
	}
	for _, r := range c.routes {
		n := &r.counts
		f.Routes = append(f.Routes, RouteFigures{
			Name: r.name, Sent: n.sent.Load(), Refused: n.refused.Load(), Deferred: n.deferred.Load(),
			Unreachable: n.unreachable.Load(), Unknown: n.unknown.Load(), Open: r.open(now),
		})
	}
	return f
}

// Figures are what was counted so far.
func (k *Keeper) Figures() Figures {
	now := k.now()
	return Figures{Mail: k.mail.figures(now), SMS: k.sms.figures(now), MissingLanguage: k.counts.missing.Load()}
}

// channel is that of the name.
func (k *Keeper) channel(name Channel) *channel {
	if name == SMS {
		return k.sms
	}
	return k.mail
}
