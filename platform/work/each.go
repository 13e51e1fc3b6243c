package work

import (
	"context"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Each does something about everything that is found, about so many at once,
// and counts them. Trouble with one, a panic included, does not keep it from
// the others; an error of the search ends the search, and the end of ctx too.
// The error is all of them.
func Each[T any](ctx context.Context, found iter.Seq2[T, error], atOnce int, do func(T) error) (int, error) {
	var (
		g    errgroup.Group
		mu   sync.Mutex
		errs []error
		n    int
	)
	note := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
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
	return n, errors.Join(errs...)
}
