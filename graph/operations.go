package graph

import (
	"context"
	"errors"
	"math"
	"time"

	"ordergraph/graph/gengql"
	"ordergraph/graph/view"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

var errNoLetters = fault.New(fault.Unavailable, "graph.no_dead_letters", "This server does not know of dead letters.")

func (r *Resolver) listDead(ctx context.Context, first int32, after, service *string) (*view.DeadLetterConnection, error) {
	if r.deadLetters == nil {
		return nil, errNoLetters
	}
	if first < 0 || first > deadletter.MostListed {
		return nil, errInput.Field("first").Say("`first` of dead letters must be from 0 to %d, not %d.", deadletter.MostListed, first)
	}
	page, err := r.deadLetters.List(ctx, caller(ctx), deadletter.Query{Service: text(service), After: text(after), Limit: max(1, int(first))})
	if err != nil {
		return nil, err
	}
	if first == 0 {
		page = deadletter.Page{HasMore: len(page.Letters) > 0, Missing: page.Missing}
	}
	return view.NewDeadLetters(page, after != nil), nil
}

func (r *Resolver) deadServices(ctx context.Context) ([]string, error) {
	if r.deadLetters == nil {
		return nil, errNoLetters
	}
	return r.deadLetters.Services(caller(ctx))
}

// factsWithin is how long services may take to say what they have yet to tell.
const factsWithin = 3 * time.Second

// facts are what services have yet to tell each other about an order, and the
// services that did not say.
func (r *Resolver) facts(ctx context.Context, of *view.Order) (*gengql.OrderFacts, error) {
	if r.deadLetters == nil {
		return nil, errNoLetters
	}
	id, _ := of.Key()
	within, cancel := context.WithTimeout(ctx, factsWithin)
	defer cancel()
	report, err := r.deadLetters.About(within, caller(ctx), id)
	if err != nil {
		return nil, err
	}
	facts := &gengql.OrderFacts{Nodes: make([]gengql.OrderFact, len(report.Facts)), Unavailable: append([]string{}, report.Missing...)}
	for i, f := range report.Facts {
		facts.Nodes[i] = gengql.OrderFact{
			ID: f.ID, Service: f.Service, Type: f.Type, At: f.At, Awaiting: append([]string{}, f.Awaiting...), Dead: append([]string{}, f.Dead...),
			Attempts: int32(min(f.Attempts, math.MaxInt32)),
		}
	}
	return facts, nil
}

// operate does something with a dead letter, and shows what became of it.
func (r *Resolver) operate(ctx context.Context, id string, do func(deadletter.Letters, context.Context, identity.Caller, string) error) (*gengql.DeadLetterPayload, error) {
	if r.deadLetters == nil {
		return nil, errNoLetters
	}
	err := do(r.deadLetters, ctx, caller(ctx), id)
	p := &gengql.DeadLetterPayload{UserErrors: []view.DeadLetterUserError{}}
	switch {
	case err == nil:
		p.DeadLetterID = &id
	case errors.Is(err, deadletter.ErrNotFound):
		code := "NOT_FOUND"
		p.UserErrors = append(p.UserErrors, view.DeadLetterUserError{Code: &code, Field: []string{"id"}, Message: fault.Of(err).Message})
	default:
		return nil, err
	}
	return p, nil
}
