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
// earlier.
type Part struct {
	Name string // for the log
	Run  func(context.Context) error
}

// The first pause after a failure, and the longest.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 15 * time.Second
	// healthy is how long a part must have run for its next failure to count as its first.
	healthy = time.Minute
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
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := time.Now()
		err := Safely(func() error { return p.Run(ctx) })
		if err == nil || ctx.Err() != nil {
			return
		}
		if time.Since(began) > healthy {
			pause = firstPause
		}
		log.ErrorContext(ctx, "worker ended; it starts again", "worker", p.Name, "error", err, "after", pause)
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
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
