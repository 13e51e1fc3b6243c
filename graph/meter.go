package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
)

// A meter measures how long operations take, by their type. What they are
// called is clients' text, and no label.
type meter struct {
	took map[ast.Operation][2]prometheus.Observer // done, and with errors
}

// newMeter measures for the registry.
func newMeter(to prometheus.Registerer) meter {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "ordergraph_graphql_operation_duration_seconds", Help: "How long queries and mutations took to execute.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"operation", "outcome"})
	to.MustRegister(took)
	m := meter{map[ast.Operation][2]prometheus.Observer{}}
	for _, operation := range []ast.Operation{ast.Query, ast.Mutation} {
		m.took[operation] = [2]prometheus.Observer{
			took.WithLabelValues(string(operation), "done"), took.WithLabelValues(string(operation), "errors"),
		}
	}
	return m
}

// ExtensionName is for gqlgen.
func (meter) ExtensionName() string { return "Meter" }

// Validate is for gqlgen.
func (meter) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse measures one operation; subscriptions go on for as long
// as somebody watches, and are not measured.
func (m meter) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	op := graphql.GetOperationContext(ctx).Operation
	if op == nil {
		return next(ctx)
	}
	took, ok := m.took[op.Operation]
	if !ok {
		return next(ctx)
	}
	began := time.Now()
	resp := next(ctx)
	outcome := 0
	if resp != nil && len(resp.Errors) > 0 {
		outcome = 1
	}
	took[outcome].Observe(time.Since(began).Seconds())
	return resp
}
