package graph

import (
	"context"
	"errors"

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
		page = deadletter.Page{HasMore: len(page.Letters) > 0}
	}
	return view.NewDeadLetters(page, after != nil), nil
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
