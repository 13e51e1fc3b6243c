package transport_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/graph/transport"
)

// witness is an extension that counts what is asked of it, and sees what the
// executor has of an operation.
type witness struct {
	mu    sync.Mutex
	times map[string]int
	seen  []string // by each response
}

func (w *witness) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times[what]++
}

func (*witness) ExtensionName() string                   { return "witness" }
func (*witness) Validate(graphql.ExecutableSchema) error { return nil }

func (w *witness) MutateOperationParameters(ctx context.Context, _ *graphql.RawParams) *gqlerror.Error {
	w.count("parameters")
	graphql.GetOperationContext(ctx).Stats.SetExtension("witness", "paid")
	return nil
}

func (w *witness) MutateOperationContext(context.Context, *graphql.OperationContext) *gqlerror.Error {
	w.count("checks")
	return nil
}

func (w *witness) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	w.count("operations")
	return next(ctx)
}

func (w *witness) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	op := graphql.GetOperationContext(ctx)
	w.count("responses")
	w.mu.Lock()
	w.seen = append(w.seen, fmt.Sprint(op.OperationName, " ", op.Variables, " ", op.Stats.GetExtension("witness"), " ", op.RawQuery))
	w.mu.Unlock()
	return next(ctx)
}

// An operation is read, checked and paid for once, and executed for each event.
func TestEachEventIsExecutedAnew(t *testing.T) {
	w := &witness{times: map[string]int{}}
	h := openSockets(t, func(o *transport.Options) { o.Exec.(*executor.Executor).Use(w) })
	p := h.greet(t)
	const query = `subscription W($t: String!) { now: watch(topic: $t) }`
	p.send(fmt.Sprintf(`{"id":"1","type":"subscribe","payload":{"query":%q,"operationName":"W","variables":{"t":"news"}}}`, query))
	h.watchers(t, "news", 1)
	for _, event := range []string{"a", "b", "c"} {
		h.publish("news", event)
		p.want(`{"id":"1","type":"next","payload":{"data":{"now":"` + event + `"}}}`)
	}
	h.shut("news", &gqlerror.Error{Message: "It is over."})
	p.wantError("1", "It is over.")
	h.watchers(t, "news", 0)

	w.mu.Lock()
	defer w.mu.Unlock()
	want := map[string]int{"parameters": 1, "checks": 1, "operations": 1 + 4, "responses": 4} // the end is executed, too
	if !reflect.DeepEqual(w.times, want) {
		t.Errorf("called %v, want %v", w.times, want)
	}
	for _, seen := range w.seen {
		if want := "W map[t:news] paid " + query; seen != want {
			t.Errorf("an event is executed as\n%s, want\n%s", seen, want)
		}
	}
}

// Whatever the executor puts into an operation is there for each event.
func TestAnewKeepsEverything(t *testing.T) {
	o := &graphql.OperationContext{}
	fields := reflect.ValueOf(o).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i); {
		case !fields.Type().Field(i).IsExported():
		case f.Kind() == reflect.String:
			f.SetString("x")
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		case f.Kind() == reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case f.Kind() == reflect.Func:
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { return nil }))
		}
	}
	o.Stats.SetExtension("x", 1)
	o.Operation.Position = &ast.Position{Src: &ast.Source{Input: "x"}}
	kept := reflect.ValueOf(transport.Anew(o)).Elem()
	for i := range kept.NumField() {
		if f := kept.Type().Field(i); f.IsExported() && kept.Field(i).IsZero() {
			t.Errorf("%s is lost", f.Name)
		}
	}
}
