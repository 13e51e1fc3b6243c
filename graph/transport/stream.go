package transport

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/platform/identity"
)

// A framing is how the answers of one operation are written one behind the
// other.
type framing struct {
	kind     []string // the Content-Type
	opening  string   // shows that the stream is open
	beat     string   // a sign of life
	before   string   // an answer
	after    string   // an answer
	complete string   // the operation is done
	leaving  string   // we end the stream and the client should come again; nothing where the end itself says so
}

func framingOf(m media) *framing {
	if m == multipart {
		return &parts
	}
	return &events
}

// Why we end an operation before it is done. A cause that is a gqlerror.Error
// is told to the client, followed by the end of the operation.
var (
	errLeaving = errors.New("the process stops")
	errGone    = errors.New("the client is gone or does not read")

	errSessionEnded = &gqlerror.Error{
		Message:    "Your session has ended. Please sign in again.",
		Extensions: map[string]any{"code": "UNAUTHENTICATED"},
	}
	errInternal = &gqlerror.Error{
		Message:    "Something went wrong on our side. It has been noted; please try again.",
		Extensions: map[string]any{"code": "INTERNAL_SERVER_ERROR"},
	}
)

func failed(err *gqlerror.Error) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{err}}
}

// serveStream executes one operation and answers with a stream that belongs to
// it. ctx has no deadline but ends when the client goes away.
func (s *Server) serveStream(ctx context.Context, w http.ResponseWriter, r *http.Request, session identity.Session, op *graphql.OperationContext, m media) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	leave, follow := func() {}, s.o.Sessions.Follow // what is not a subscription is soon done
	if op.Operation.Operation == ast.Subscription {
		leave = func() { end(errLeaving) }
	} else {
		follow = Guests{}.Follow
	}
	visit, refused := s.doors.enter(s.o.Address(r), leave)
	if refused != welcome {
		s.noRoom(w, m, refused)
		return
	}
	defer s.doors.exit(visit)

	f := framingOf(m)
	out := s.openStream(w, f, end)
	defer out.close()
	defer follow(session, func() { end(errSessionEnded) })()
	send := func(response *graphql.Response) { out.answer(f.before, response, f.after) }
	switch cause := s.perform(ctx, end, op, send); {
	case cause == nil:
		out.write(f.complete)
	case errors.Is(cause, errLeaving):
		out.write(f.leaving)
	}
}

// noRoom answers a client that is not let in.
func (s *Server) noRoom(w http.ResponseWriter, accepted media, why refusalAtDoor) {
	w.Header().Set("Retry-After", "5")
	if why == addressFull {
		s.fail(w, accepted, http.StatusTooManyRequests, "THROTTLED", "Your address has "+strconv.Itoa(s.o.Limits.PerAddress)+" connections open, which is the limit. Close one of them, or send several subscriptions over one WebSocket.")
		return
	}
	s.fail(w, accepted, http.StatusServiceUnavailable, "UNAVAILABLE", "There is no room for another connection at the moment. Please try again.")
}

// perform executes an operation and passes each of its answers to send, one
// after the other. It returns nil when the operation is done, an error
// included, and otherwise why its stream ends before that.
func (s *Server) perform(ctx context.Context, end context.CancelCauseFunc, op *graphql.OperationContext, send func(*graphql.Response)) (cause error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.ErrorContext(ctx, "panic in the transport", "panic", p, "stack", string(debug.Stack()))
			send(failed(errInternal))
			cause = nil
		}
	}()
	wake := make(chan struct{}, 1)
	ctx, signal := withSignal(ctx, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	many := op.Operation.Operation == ast.Subscription
	began := func() bool { return false }
	if many {
		began = time.AfterFunc(s.o.Limits.Time, func() { end(s.tooSlow()) }).Stop
		defer began()
	} else {
		limited, cancel := context.WithTimeoutCause(ctx, s.o.Limits.Time, s.tooSlow())
		defer cancel()
		ctx = limited
	}
	next, ctx := s.o.Exec.DispatchOperation(ctx, op)
	for awaits(ctx, signal, wake) {
		response := s.next(ctx, signal, next)
		if response == nil {
			break
		}
		began()
		send(response)
		if !many {
			return nil
		}
	}
	switch cause := context.Cause(ctx); {
	case cause == nil:
		if err := signal.failure(); err != nil {
			send(failed(err))
		}
	default:
		told, ok := errors.AsType[*gqlerror.Error](cause)
		if !ok {
			return cause
		}
		send(failed(told))
	}
	return nil
}

// awaits waits until there is something to receive, if the source can tell. It
// reports whether the operation goes on.
func awaits(ctx context.Context, signal *Signal, wake <-chan struct{}) bool {
	for signal.hasSource() && !signal.ready() {
		select {
		case <-wake:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// next is the operation's next answer. If the source has said that something
// waits, it may take as long as a query.
func (s *Server) next(ctx context.Context, signal *Signal, next graphql.ResponseHandler) *graphql.Response {
	ctx = s.o.Refresh(ctx)
	if signal.hasSource() {
		limited, cancel := context.WithTimeout(ctx, s.o.Limits.Time)
		defer cancel()
		ctx = limited
	}
	return next(ctx)
}

func (s *Server) tooSlow() *gqlerror.Error {
	return &gqlerror.Error{
		Message:    "This took longer than " + s.o.Limits.Time.String() + ", the limit for one operation.",
		Extensions: map[string]any{"code": "TIMEOUT"},
	}
}

// A stream is an answer that goes on. A client that does not take what is
// written within Limits.SendWithin is dropped; nobody else waits for it.
type stream struct {
	control *http.ResponseController
	w       http.ResponseWriter
	limits  Limits
	beat    string
	end     context.CancelCauseFunc

	mu     sync.Mutex
	pulse  *time.Timer
	closed bool
	broken bool
}

// openStream begins to answer, without the deadlines that the server has for
// other answers. end is called when the client cannot be reached any more.
func (s *Server) openStream(w http.ResponseWriter, f *framing, end context.CancelCauseFunc) *stream {
	t := &stream{control: http.NewResponseController(w), w: w, limits: s.o.Limits, beat: f.beat, end: end}
	header := w.Header()
	header["Content-Type"] = f.kind
	header["Cache-Control"] = []string{"no-store, no-transform"}
	header["X-Accel-Buffering"] = []string{"no"} // proxies pass on each event at once
	header["X-Content-Type-Options"] = noSniff
	_ = t.control.SetReadDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	t.mu.Lock()
	t.pulse = time.AfterFunc(t.limits.KeepAlive, func() { t.write(t.beat) })
	t.mu.Unlock()
	t.write(f.opening)
	return t
}

// answer writes a response with what stands around it.
func (t *stream) answer(before string, response *graphql.Response, after string) {
	b := buffers.Get().(*bytes.Buffer)
	defer giveBack(b)
	b.WriteString(before)
	begin := b.Len()
	envelope(b, response)
	b.Write(response.Data)
	b.WriteByte('}')
	oneLine(b.Bytes()[begin:])
	b.WriteString(after)
	t.send(b.Bytes())
}

// oneLine makes JSON one line. Line breaks within its strings are escaped, so
// that those it has are mere space.
func oneLine(text []byte) {
	for i, c := range text {
		if c == '\n' || c == '\r' {
			text[i] = ' '
		}
	}
}

func (t *stream) write(text string) {
	if text != "" {
		t.send([]byte(text))
	}
}

func (t *stream) send(frame []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.broken {
		return
	}
	_ = t.control.SetWriteDeadline(time.Now().Add(t.limits.SendWithin))
	_, err := t.w.Write(frame)
	if err == nil {
		err = t.control.Flush()
	}
	if err != nil {
		t.broken = true
		t.pulse.Stop()
		t.end(errGone)
		return
	}
	_ = t.control.SetWriteDeadline(time.Time{})
	t.pulse.Reset(t.limits.KeepAlive)
}

// close is called before the handler returns: from then on nothing is written.
func (t *stream) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.pulse.Stop()
	if !t.broken { // the end of the answer is written yet
		_ = t.control.SetWriteDeadline(time.Now().Add(t.limits.SendWithin))
	}
}
