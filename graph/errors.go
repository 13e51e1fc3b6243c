package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/telemetry"
)

var (
	errInput = fault.New(fault.Invalid, "graph.input", "This request is not valid.")
	errSetUp = fault.New(fault.Internal, "graph.set_up", "Something went wrong on our side. It has been noted; please try again.")
	errPanic = fault.New(fault.Internal, "graph.panic", "Something went wrong on our side. It has been noted; please try again.")
)

// codes are what extensions.code can say of an error that came out of a
// resolver; beside them there are GRAPHQL_PARSE_FAILED and
// GRAPHQL_VALIDATION_FAILED.
var codes = map[fault.Kind]string{
	fault.Internal:         "INTERNAL_SERVER_ERROR",
	fault.Invalid:          "BAD_USER_INPUT",
	fault.NotFound:         "NOT_FOUND",
	fault.Conflict:         "CONFLICT",
	fault.Unauthenticated:  "UNAUTHENTICATED",
	fault.PermissionDenied: "FORBIDDEN",
	fault.Exhausted:        "THROTTLED",
	fault.Unavailable:      "UNAVAILABLE",
	fault.DeadlineExceeded: "TIMEOUT",
	fault.Canceled:         "CANCELED",
}

// presenter is the one place where errors become what clients see: a code for
// programs, a neutral sentence for people, and, for what is our own fault, a
// reference to the log, where the whole story stands once.
type presenter struct{ log *slog.Logger }

func (p presenter) present(ctx context.Context, err error) *gqlerror.Error {
	if err == nil {
		return nil
	}
	shown := &gqlerror.Error{Extensions: map[string]any{}}
	if g, ok := errors.AsType[*gqlerror.Error](err); ok {
		shown.Path, shown.Locations = g.Path, g.Locations
		if code, ok := g.Extensions["code"].(string); ok && g.Err == nil {
			// The document itself is at fault, and the sentence was
			// written for its author.
			shown.Message, shown.Extensions = g.Message, g.Extensions
			shown.Extensions["code"] = code
			return shown
		}
	}
	if shown.Path == nil && graphql.HasOperationContext(ctx) {
		shown.Path = graphql.GetPath(ctx)
	}

	cause := err
	if g, ok := errors.AsType[*gqlerror.Error](err); ok && g.Err != nil {
		cause = g.Err // without the path, so that a mishap of many fields is one
	}
	e := fault.Of(asInput(cause))
	shown.Message = e.Message
	shown.Extensions["code"] = codes[e.Kind]
	shown.Extensions["reason"] = e.Code
	if field := e.Details["field"]; field != "" {
		shown.Extensions["field"] = field
	}
	switch e.Kind {
	case fault.Internal, fault.Unavailable, fault.DeadlineExceeded:
		shown.Extensions["reference"] = telemetry.RequestID(ctx)
		if !errors.Is(err, errPanic) && requestOf(ctx).first(cause.Error()) {
			level := slog.LevelWarn
			if e.Kind == fault.Internal {
				level = slog.LevelError
			}
			p.log.Log(ctx, level, "operation failed", "path", shown.Path.String(), "reason", e.Code, "error", cause)
		}
	}
	return shown
}

// asInput tells the library's errors about arguments, which are plain, from
// defects of ours.
func asInput(err error) error {
	if _, ok := errors.AsType[*graphql.IntegerError](err); ok {
		return errInput.Say("This number is too large: an Int has 32 bits.")
	}
	if _, ok := errors.AsType[*strconv.NumError](err); ok {
		return errInput.Say("This is not a whole number of 32 bits.")
	}
	if errors.Is(err, host.ErrStranger) {
		return errSetUp // or the customer would be told to sign in, and nobody else anything
	}
	return err
}

// recover is for what must not happen: a panic in a resolver.
func (p presenter) recover(ctx context.Context, cause any) error {
	if requestOf(ctx).first(fmt.Sprint("panic: ", cause)) {
		path := ""
		if graphql.HasOperationContext(ctx) {
			path = graphql.GetPath(ctx).String()
		}
		p.log.ErrorContext(ctx, "panic in a resolver", "path", path, "panic", cause, "stack", string(debug.Stack()))
	}
	return &gqlerror.Error{Message: errPanic.Message, Err: errPanic}
}

// refuse is an error about the operation as a whole, before it is executed.
func refuse(field, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, codes[fault.Invalid])
	if field != "" {
		err.Extensions["field"] = field
	}
	return err
}
