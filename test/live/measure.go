package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// load is what a server is to bear.
type load struct {
	sockets  int
	rate     int           // changes a second, each of one client's own order
	length   time.Duration // how long
	rounds   int           // how often all are told one thing
	profiles string        // where profiles of the gateway go; "": none
}

// result is what came of it.
type result struct {
	before, held, after usage

	open, openCPU time.Duration

	changes, events, folded int64
	missing                 int // clients without their order's newest version
	took, cpu               time.Duration
	delays, lateness        *hdrhistogram.Histogram // µs: until a change was told; how late we made it

	tellAll    []time.Duration // until the last one had it
	tellAllCPU time.Duration   // of one round
}

// warmUp is how many clients come and go first, so that what a server makes
// once is not put down to the connections.
const warmUp = 100

// slack is how many goroutines may come and go for reasons of their own, such
// as connections to Redis.
const slack = 10

// measure puts the load on a server. An error means that it cannot be
// measured, or that a client was told wrong things.
func measure(ctx context.Context, s server, all *orders, l load) (r result, err error) {
	early, err := gather(ctx, s.address(), all, min(warmUp, l.sockets))
	if err != nil {
		return r, fmt.Errorf("warm up: %w", err)
	}
	if err := errors.Join(change(ctx, s, early, load{rate: l.rate, length: time.Second}, &r), told(ctx, s, early, &r)); err != nil {
		early.leave()
		return r, fmt.Errorf("warm up: %w", err)
	}
	early.leave()
	r = result{}
	if r.before, err = quiet(ctx, s); err != nil {
		return r, err
	}

	began, cpu := time.Now(), s.cpu()
	c, err := gather(ctx, s.address(), all, l.sockets)
	if err != nil {
		return r, fmt.Errorf("open: %w", err)
	}
	left := false
	defer func() {
		if !left {
			c.leave()
		}
	}()
	r.open, r.openCPU = time.Since(began), s.cpu()-cpu
	if r.held, err = s.usage(ctx); err != nil {
		return r, err
	}
	profile(ctx, s, l, "open", "heap", 0)
	profile(ctx, s, l, "goroutines", "goroutine", 0)

	cpu = s.cpu()
	profiled := make(chan struct{})
	go func() { profile(ctx, s, l, "changes", "profile", l.length); close(profiled) }()
	err = change(ctx, s, c, l, &r)
	<-profiled
	if err != nil {
		return r, err
	}
	r.cpu = s.cpu() - cpu

	cpu = s.cpu()
	for range l.rounds {
		if err := told(ctx, s, c, &r); err != nil {
			return r, err
		}
	}
	r.tellAllCPU = (s.cpu() - cpu) / time.Duration(max(1, l.rounds))
	slices.Sort(r.tellAll)
	if err := c.err(); err != nil {
		return r, fmt.Errorf("a client: %w", err)
	}

	c.leave()
	left = true
	until := time.Now().Add(patience)
	for {
		if r.after, err = quiet(ctx, s); err != nil || r.after.goroutines <= r.before.goroutines+slack || time.Now().After(until) {
			profile(ctx, s, l, "left", "heap", 0)
			return r, err
		}
	}
}

// quiet is what the server uses when it has come to rest.
func quiet(ctx context.Context, s server) (usage, error) {
	last := usage{goroutines: -1}
	for range 20 {
		u, err := s.usage(ctx)
		if err != nil || u.goroutines == last.goroutines && u.live > last.live-64<<10 {
			return u, err
		}
		last = u
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return u, ctx.Err()
		}
	}
	return last, nil
}

// change makes changes to the clients' own orders at the load's rate, whatever
// the server does, and waits until all have been told.
func change(ctx context.Context, s server, c *crowd, l load, r *result) error {
	c.forget()
	r.lateness = hdrhistogram.New(1, 60_000_000, 3)
	dice := rand.New(rand.NewPCG(1, uint64(len(c.clients))))
	began := time.Now()
	every := time.Second / time.Duration(l.rate)
	for due := began; due.Before(began.Add(l.length)); due = due.Add(every) {
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		_ = r.lateness.RecordValue(max(1, time.Since(due).Microseconds()))
		if err := s.ring(ctx, c.clients[dice.IntN(len(c.clients))].own); err != nil {
			return err
		}
		r.changes++
	}
	r.took = time.Since(began)
	err := settle(ctx, func() bool { return c.missing() == 0 || c.err() != nil })
	if err != nil && !errors.Is(err, errLate) {
		return err
	}
	if err := c.err(); err != nil {
		return fmt.Errorf("a client: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.missing, r.events, r.folded, r.delays = c.missing(), c.events, c.folded, hdrhistogram.Import(c.delays.Export())
	return nil
}

// told tells all clients one thing.
func told(ctx context.Context, s server, c *crowd, r *result) error {
	done := c.expect()
	began := time.Now()
	if err := s.ring(ctx, c.orders.everyones); err != nil {
		return err
	}
	select {
	case <-done:
		r.tellAll = append(r.tellAll, time.Since(began))
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%d clients were not told what all are told: %w", c.behind.Load(), errors.Join(errLate, c.err()))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// profile writes a profile of the gateway to a file of this name, if that was
// asked for.
func profile(ctx context.Context, s server, l load, name, kind string, length time.Duration) {
	if g, ok := s.(*gateway); ok && l.profiles != "" {
		if err := g.profile(ctx, kind, filepath.Join(l.profiles, name+".pprof"), length); err != nil {
			fmt.Fprintln(os.Stderr, "profile:", err)
		}
	}
}
