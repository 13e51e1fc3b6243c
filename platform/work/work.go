// Package work keeps what a service does in the background going, whatever
// happens to it.
//
// A panic in a goroutine ends the whole process unless that goroutine recovers.
// So every goroutine of ours that runs more than a few lines runs them in Keep
// or Safely.
package work

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// A Part is work that goes on until its context ends. Returning nil ends it
// earlier, unless it is done in rounds.
type Part struct {
	Name string // for the log
	Run  func(context.Context) error
	// Every is how often Run is a round that is made again, on average; 0: Run
	// goes on by itself.
	Every time.Duration
}

// The first pause after a failure, and the longest.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 15 * time.Second
	// healthy is how long a part must have run for its next failure to count as its first.
	healthy = time.Minute
	// soon is within what a part makes its first round, however rare they are:
	// after a crash there may be something to put right.
	soon = time.Minute
)

// Keep runs the parts side by side until all have ended. One that fails or
// panics is logged, with the place of a panic, and starts again after a pause
// that grows from 0.2 s to 15 s; the others do not notice.
func Keep(ctx context.Context, log *slog.Logger, parts ...Part) {
	var all sync.WaitGroup
	for _, p := range parts {
		all.Go(func() { p.keep(ctx, log) })
	}
	all.Wait()
}

func (p Part) keep(ctx context.Context, log *slog.Logger) {
	for failed := 0; ; failed++ {
		began := time.Now()
		err := Safely(func() error { return p.run(ctx, log) })
		if err == nil || ctx.Err() != nil {
			return
		}
		if time.Since(began) > healthy {
			failed = 0
		}
		pause := BackOff(firstPause, lastPause, failed)
		log.ErrorContext(ctx, "worker ended; it starts again", "worker", p.Name, "error", err, "after", pause)
		if Pause(ctx, pause); ctx.Err() != nil {
			return
		}
	}
}

// run makes round after round, where there are rounds. They are spread, so that
// several copies do not work at the same moment. Of failures in a row the log
// has the first, the second, the fourth, the eighth and so on.
func (p Part) run(ctx context.Context, log *slog.Logger) error {
	if p.Every <= 0 {
		return p.Run(ctx)
	}
	failed := 0
	for wait := rand.N(min(p.Every, soon)); ; wait = Spread(p.Every) {
		if Pause(ctx, wait); ctx.Err() != nil {
			return ctx.Err()
		}
		err := p.Run(ctx)
		switch {
		case err == nil:
			if failed > 0 {
				log.InfoContext(ctx, "rounds of work succeed again", "worker", p.Name, "failed", failed)
			}
			failed = 0
		case ctx.Err() == nil:
			if failed++; failed&(failed-1) == 0 {
				log.WarnContext(ctx, "a round of work did not succeed; the next one follows", "worker", p.Name, "failed", failed, "error", err)
			}
		}
	}
}

// Safely does something, and makes a panic in it an error with its place.
func Safely(do func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return do()
}
