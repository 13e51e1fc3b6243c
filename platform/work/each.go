package work

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"
)

// mostErrors is how many errors Each tells of by their words.
const mostErrors = 5

// Each does something about everything that is found, about so many at once,
// and counts them. Trouble with one, a panic included, does not keep it from
// the others; an error of the search ends the search, and the end of ctx too.
// The error is the first few of them, and how many more there were: where a
// service is away, all of thousands fail alike.
func Each[T any](ctx context.Context, found iter.Seq2[T, error], atOnce int, do func(T) error) (int, error) {
	var (
		g    errgroup.Group
		mu   sync.Mutex
		errs []error
		more int
		n    int
	)
	note := func(err error) {
		if err == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if len(errs) < mostErrors {
			errs = append(errs, err)
		} else {
			more++
		}
	}
	g.SetLimit(atOnce)
	for one, err := range found {
		if err != nil {
			note(err)
			break
		}
		if ctx.Err() != nil {
			break
		}
		n++
		g.Go(func() error {
			note(Safely(func() error { return do(one) }))
			return nil
		})
	}
	_ = g.Wait()
	if more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", more))
	}
	return n, errors.Join(errs...)
}
