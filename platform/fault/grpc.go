package fault

import (
	"maps"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const domain = "ordergraph"

var toCode = map[Kind]codes.Code{
	Internal: codes.Internal, Invalid: codes.InvalidArgument, NotFound: codes.NotFound,
	Conflict: codes.FailedPrecondition, Unauthenticated: codes.Unauthenticated,
	PermissionDenied: codes.PermissionDenied, Exhausted: codes.ResourceExhausted,
	Unavailable: codes.Unavailable, DeadlineExceeded: codes.DeadlineExceeded, Canceled: codes.Canceled,
}

var toKind = func() map[codes.Code]Kind {
	m := map[codes.Code]Kind{codes.Aborted: Conflict, codes.AlreadyExists: Conflict, codes.OutOfRange: Invalid}
	for k, c := range toCode {
		m[c] = k
	}
	return m
}()

// ToStatus puts err on the wire. Kind, code, message and details travel; what
// was wrapped around the declared error stays in this process.
func ToStatus(err error) error {
	if err == nil {
		return nil
	}
	e := Of(err)
	st, detailErr := status.New(toCode[e.Kind], e.Message).
		WithDetails(&errdetails.ErrorInfo{Reason: e.Code, Domain: domain, Metadata: e.Details})
	if detailErr != nil {
		return status.Error(toCode[e.Kind], e.Message)
	}
	return st.Err()
}

// FromStatus takes err off the wire. An error that some other program or the
// transport itself raised keeps its kind and becomes "rpc.<kind>".
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	kind, known := toKind[st.Code()]
	if !known {
		kind = Internal
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.Domain == domain {
			return &Error{Kind: kind, Code: info.Reason, Message: st.Message(), Details: maps.Clone(info.Metadata)}
		}
	}
	return &remote{fault: New(kind, "rpc."+kind.String(), sentence[kind]), cause: err}
}

var sentence = map[Kind]string{
	Internal:         errInternal.Message,
	Unavailable:      "A part of the shop cannot be reached right now. Please try again.",
	DeadlineExceeded: errDeadline.Message,
	Canceled:         errCanceled.Message,
	Exhausted:        "Too much at once. Please wait a moment and try again.",
}

// remote keeps a transport's own words for the log, behind a neutral fault.
type remote struct {
	fault *Error
	cause error
}

func (r *remote) Error() string   { return r.fault.Code + ": " + r.cause.Error() }
func (r *remote) Unwrap() []error { return []error{r.fault, r.cause} }
