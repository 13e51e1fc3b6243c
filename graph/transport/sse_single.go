package transport

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"ordergraph/platform/identity"
	"ordergraph/platform/telemetry"
)

// streamToken is the header that names the stream a request belongs to; as
// EventSource cannot send headers, the parameter `token` does too.
const streamToken = "X-GraphQL-Event-Stream-Token"

// streamMethods are what a shared stream is dealt with by.
const streamMethods = "GET, POST, PUT, DELETE, OPTIONS"

// maxOperationID is how long a client's name for an operation may be, in bytes.
const maxOperationID = 128

// Streams serves event streams that many operations share, graphql-sse's
// single connection mode: PUT reserves a stream and answers with its token,
// GET with the token opens it, POST with the token begins an operation that
// the client names in `extensions.operationId`, and DELETE ends one. Requests
// without a token are answered as ServeHTTP does.
//
// A stream lives in this process: behind a load balancer all its requests must
// come to the same one. Streams of one operation, and sockets, need no such
// care.
//
// The token is a secret of whoever reserved the stream: it is all that opening
// the stream and ending operations take, since EventSource can show nothing
// else. Operations are executed as who sends them, which must be who reserved
// the stream. A reservation counts as an open connection; it is void when it
// is not opened within Limits.InitWithin, and when its stream has ended.
func (s *Server) Streams() http.Handler {
	return &sharedStreams{s: s, byToken: map[string]*sharedStream{}}
}

type sharedStreams struct {
	s *Server

	mu      sync.Mutex
	byToken map[string]*sharedStream
}

// A sharedStream is a reservation and, later, the stream.
type sharedStream struct {
	token      string
	session    identity.Session
	ctx        context.Context // of its operations
	end        context.CancelCauseFunc
	expire     *time.Timer
	visit      *visit
	unfollow   func()
	opened     chan struct{} // closed once out is set
	out        *stream
	operations sync.WaitGroup

	mu      sync.Mutex
	state   streamState
	leaving bool
	running map[string]*sharedOperation
}

type streamState int

const (
	streamReserved streamState = iota
	streamOpen
	streamEnded
)

type sharedOperation struct {
	end  context.CancelCauseFunc
	long bool // a subscription
}

// Why a shared stream or an operation on it ends.
var (
	errNotOpened = errors.New("the stream was not opened in time")
	errStopped   = errors.New("the client ended the operation")
)

func (a *sharedStreams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get(streamToken)
	if token == "" && r.URL.RawQuery != "" {
		token = r.URL.Query().Get("token")
	}
	if token == "" && (r.Method == http.MethodGet || r.Method == http.MethodPost) {
		a.s.ServeHTTP(w, r)
		return
	}
	ctx := telemetry.WithRequestID(r.Context(), identify(w, r))
	a.s.openTo(w, r)
	want := negotiate(r.Header["Accept"])
	accepted := want.refusal()
	defer a.s.recovered(ctx, w, accepted)

	var shared *sharedStream
	switch r.Method {
	case http.MethodOptions:
		preflight(w, r, streamMethods)
		return
	case http.MethodPut:
		a.reserve(ctx, w, r, accepted)
		return
	case http.MethodGet, http.MethodPost, http.MethodDelete:
		a.mu.Lock()
		shared = a.byToken[token]
		a.mu.Unlock()
		if shared == nil {
			a.unknown(w, accepted)
			return
		}
	default:
		w.Header().Set("Allow", streamMethods)
		a.s.fail(w, accepted, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Use PUT to reserve a stream, GET to open it, POST to begin an operation on it, DELETE to end one.")
		return
	}
	switch {
	case r.Method == http.MethodDelete:
		a.stop(w, r, accepted, shared)
	case r.Method == http.MethodGet && want.stream == eventStream:
		a.open(ctx, w, accepted, shared)
	case want.answer == none:
		a.s.fail(w, accepted, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "What is wrong with an operation is said in application/graphql-response+json or application/json.")
	default:
		a.begin(ctx, w, r, accepted, shared)
	}
}

func (a *sharedStreams) unknown(w http.ResponseWriter, accepted media) {
	a.s.fail(w, accepted, http.StatusNotFound, "NOT_FOUND", "There is no such stream, or it has ended. Reserve one with PUT.")
}

// reserve makes a reservation and answers with its token.
func (a *sharedStreams) reserve(ctx context.Context, w http.ResponseWriter, r *http.Request, accepted media) {
	short, cancel := context.WithTimeout(ctx, a.s.o.Limits.Time)
	defer cancel()
	session, err := a.s.o.Sessions.Open(short, r, bearer(r))
	if err != nil {
		a.s.turnAway(w, accepted, err)
		return
	}
	shared := &sharedStream{token: rand.Text(), session: session, opened: make(chan struct{}), running: map[string]*sharedOperation{}}
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	shared.ctx, shared.end = life, end
	visit, refused := a.s.doors.enter(a.s.o.Address(r), shared.leave)
	if refused != welcome {
		shared.end(nil)
		a.s.noRoom(w, accepted, refused)
		return
	}
	shared.visit = visit
	shared.unfollow = a.s.o.Sessions.Follow(session, func() { shared.end(errSessionEnded) })
	shared.expire = time.AfterFunc(a.s.o.Limits.InitWithin, shared.expired)
	a.mu.Lock()
	a.byToken[shared.token] = shared
	a.mu.Unlock()
	context.AfterFunc(life, func() {
		if shared.enter(streamReserved, streamEnded) {
			a.drop(shared)
		}
	})

	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header["X-Content-Type-Options"] = noSniff
	header["Cache-Control"] = noStore
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, shared.token)
}

// enter changes the state, if it is what it is thought to be.
func (t *sharedStream) enter(from, to streamState) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != from {
		return false
	}
	t.state = to
	return true
}

// expired ends a stream that was not opened in time.
func (t *sharedStream) expired() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == streamReserved {
		t.end(errNotOpened)
	}
}

// drop forgets a stream that has ended.
func (a *sharedStreams) drop(t *sharedStream) {
	a.mu.Lock()
	delete(a.byToken, t.token)
	a.mu.Unlock()
	t.expire.Stop()
	t.unfollow()
	a.s.doors.exit(t.visit)
}

// leave ends the stream as soon as what is not a subscription is done.
func (t *sharedStream) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving = true
	waits := false
	for _, op := range t.running {
		if op.long {
			op.end(errLeaving)
		} else {
			waits = true
		}
	}
	if !waits {
		t.end(errLeaving)
	}
}

// open answers with the stream.
func (a *sharedStreams) open(ctx context.Context, w http.ResponseWriter, accepted media, t *sharedStream) {
	if !t.enter(streamReserved, streamOpen) {
		a.s.fail(w, accepted, http.StatusConflict, "CONFLICT", "This stream is open already: only one connection can have it. Reserve another one with PUT.")
		return
	}
	defer a.drop(t)
	defer context.AfterFunc(ctx, func() { t.end(errGone) })()
	out := a.s.openStream(w, &events, t.end)
	defer out.close()
	t.out = out
	close(t.opened)
	<-t.ctx.Done()
	t.enter(streamOpen, streamEnded)
	t.operations.Wait()
}

// begin starts an operation whose answers go to the stream, and says that it
// was accepted. On a stream that is reserved only, it waits until that is open.
func (a *sharedStreams) begin(ctx context.Context, w http.ResponseWriter, r *http.Request, accepted media, t *sharedStream) {
	short, cancel := context.WithTimeout(ctx, a.s.o.Limits.Time)
	defer cancel()
	session, err := a.s.o.Sessions.Open(short, r, bearer(r))
	if err != nil {
		a.s.turnAway(w, accepted, err)
		return
	}
	if session.ID != t.session.ID || session.Caller.CustomerID != t.session.Caller.CustomerID {
		a.s.fail(w, accepted, http.StatusForbidden, "FORBIDDEN", "This stream was reserved by somebody else. Reserve one with PUT, as who you are now.")
		return
	}
	params, refused := a.s.read(w, r)
	if refused != nil {
		if a.s.wasted(short, w, r, accepted) {
			return
		}
		a.s.fail(w, accepted, refused.status, refused.code, refused.message)
		return
	}
	id, _ := params.Extensions["operationId"].(string)
	if id == "" || len(id) > maxOperationID {
		a.s.fail(w, accepted, http.StatusBadRequest, "BAD_REQUEST", "Name the operation in `extensions.operationId`: a string of 1 to "+strconv.Itoa(maxOperationID)+" bytes, unique on its stream.")
		return
	}
	params.Headers = r.Header
	short = a.s.operationContext(short, r, session)
	op, errs := a.s.o.Exec.CreateOperationContext(short, params)
	if len(errs) > 0 {
		refusal := a.s.o.Exec.DispatchError(graphql.WithOperationContext(short, op), errs)
		if retryAfter(errs) > 0 {
			a.s.refuse(w, accepted, refusal)
			return
		}
		a.s.answer(w, accepted, http.StatusBadRequest, &graphql.Response{Errors: refusal.Errors, Extensions: refusal.Extensions})
		return
	}
	if op.Operation.Operation == ast.Mutation && r.Method == http.MethodGet {
		a.s.mutationByGET(w, accepted)
		return
	}

	whole, end := context.WithCancelCause(context.WithoutCancel(ctx))
	whole = a.s.operationContext(whole, r, session)
	running := &sharedOperation{end: end, long: op.Operation.Operation == ast.Subscription}
	if status, code, message := t.admit(id, running, a.s.o.Limits.Streams); status != 0 {
		end(nil)
		a.s.fail(w, accepted, status, code, message)
		return
	}
	go func() {
		defer t.operations.Done()
		defer t.done(id)
		defer end(nil)
		defer t.endsWith(end)()
		t.perform(whole, a.s, end, op, id)
	}()
	w.WriteHeader(http.StatusAccepted)
}

// endsWith ends an operation together with the stream, until stop is called.
func (t *sharedStream) endsWith(end context.CancelCauseFunc) (stop func() bool) {
	return context.AfterFunc(t.ctx, func() { end(context.Cause(t.ctx)) })
}

// admit notes an operation, or says why it cannot begin.
func (t *sharedStream) admit(id string, op *sharedOperation, most int) (status int, code, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.state == streamEnded, t.leaving:
		return http.StatusNotFound, "NOT_FOUND", "This stream has ended. Reserve one with PUT."
	case t.running[id] != nil:
		return http.StatusConflict, "CONFLICT", "An operation of this name is running on the stream."
	case len(t.running) >= most:
		return http.StatusTooManyRequests, "THROTTLED", "At most " + strconv.Itoa(most) + " operations can run on one stream."
	}
	t.running[id] = op
	t.operations.Add(1)
	return 0, "", ""
}

func (t *sharedStream) perform(ctx context.Context, s *Server, end context.CancelCauseFunc, op *graphql.OperationContext, id string) {
	select {
	case <-t.opened:
	case <-ctx.Done():
		return
	}
	name, err := json.Marshal(id)
	if err != nil {
		return
	}
	before := `event: next` + "\n" + `data: {"id":` + string(name) + `,"payload":`
	send := func(response *graphql.Response) { t.out.answer(before, response, "}\n\n") }
	if s.perform(ctx, end, op, send) == nil {
		t.out.write("event: complete\ndata: {\"id\":" + string(name) + "}\n\n")
	}
}

// done forgets an operation, and ends a stream that waited for it.
func (t *sharedStream) done(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, id)
	if t.leaving && len(t.running) == 0 {
		t.end(errLeaving)
	}
}

// stop ends an operation. One that does not run has ended already.
func (a *sharedStreams) stop(w http.ResponseWriter, r *http.Request, accepted media, t *sharedStream) {
	id := r.URL.Query().Get("operationId")
	if id == "" {
		a.s.fail(w, accepted, http.StatusBadRequest, "BAD_REQUEST", "Say which operation is to end: ?operationId=…")
		return
	}
	t.mu.Lock()
	if op := t.running[id]; op != nil {
		op.end(errStopped)
	}
	t.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}
