package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/platform/fault"
	"ordergraph/platform/telemetry"
)

// An operation is what a client has begun by a `subscribe`, be it a query, a
// mutation or a subscription. Its fields from begun on are guarded by the
// socket's mu.
type operation struct {
	socket *socket
	id     string          // the client's
	quoted string          // as JSON
	ctx    context.Context // ends when nobody listens any more
	cancel context.CancelFunc
	signal *Signal
	exec   *graphql.OperationContext // what a subscription that stands executes for each event

	starting bool // has a goroutine of its own
	awaited  bool // counts among the socket's unanswered
	queued   bool
}

// init finds out who the client is.
func (k *socket) init(payload json.RawMessage) error {
	token, err := tokenOf(payload)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != socketFresh {
		return &closure{closeTooManyInits, "Too many initialisation requests"}
	}
	k.state = socketOpening
	if token == "" {
		token = bearer(k.request)
	}
	k.work.Go(func() { k.acknowledge(token) })
	return nil
}

func (k *socket) acknowledge(token string) {
	s := k.server
	defer func() {
		if cause := recover(); cause != nil {
			s.o.Log.ErrorContext(k.base, "panic while a client was recognised", "panic", cause, "stack", string(debug.Stack()))
			k.end(closeInternalError, "Internal server error")
		}
	}()
	ctx, cancel := context.WithTimeout(k.ctx, s.o.Limits.Time)
	defer cancel()
	if s.beginnings.take(ctx) != nil {
		k.end(closeInternalError, "Internal server error")
		return
	}
	session, err := s.o.Sessions.Open(ctx, k.request, token)
	s.beginnings.give()
	switch {
	case err == nil:
	case k.ctx.Err() != nil:
		return
	case fault.KindOf(err) == fault.Unauthenticated:
		k.end(closeForbidden, "Forbidden")
		return
	default:
		s.o.Log.WarnContext(k.base, "a client could not be recognised", "error", err)
		k.end(closeInternalError, "Internal server error")
		return
	}
	unfollow := s.o.Sessions.Follow(session, func() {
		if !session.Expires.IsZero() && !time.Now().Before(session.Expires) {
			// Clients take 4401 for final, and come back after 4403.
			k.end(closeForbidden, "Forbidden: the access token has expired. Connect again with a new one.")
			return
		}
		k.end(closeUnauthorized, "Unauthorized: the session has ended.")
	})
	k.writing.Lock()
	defer k.writing.Unlock()
	k.mu.Lock()
	k.session, k.unfollow, k.state = session, unfollow, socketAcknowledged
	k.mu.Unlock()
	k.text(ackMessage)
}

// subscribe begins an operation.
func (k *socket) subscribe(id string, payload json.RawMessage) error {
	params, refused := (*graphql.RawParams)(nil), bad("The `payload` of subscribe must be an object with `query`.")
	if len(payload) > 0 && payload[0] == '{' {
		params, refused = fromBody(payload)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != socketAcknowledged {
		return &closure{closeUnauthorized, "Unauthorized"}
	}
	if refused != nil {
		return malformed(refused.message)
	}
	if _, exists := k.operations[id]; exists {
		return &closure{closeSubscriberExists, "Subscriber for " + id + " already exists"}
	}
	if k.draining {
		return nil // the client will hear that it is to connect again
	}
	if most := k.server.o.Limits.Streams; k.running >= most {
		k.mu.Unlock()
		defer k.mu.Lock()
		b := buffers.Get().(*bytes.Buffer)
		defer giveBack(b)
		errorMessage(b, quoted(id), gqlerror.List{{
			Message:    "There are " + strconv.Itoa(most) + " operations under way on this connection, which is the limit. Complete one first.",
			Extensions: map[string]any{"code": "THROTTLED"},
		}})
		k.send(b.Bytes())
		return nil
	}
	k.begun++
	op := &operation{socket: k, id: id, quoted: quoted(id), starting: true, awaited: true}
	op.ctx, op.cancel = context.WithCancel(telemetry.WithRequestID(k.ctx, k.id+"-"+strconv.Itoa(k.begun)))
	if k.operations == nil {
		k.operations = map[string]*operation{}
	}
	k.operations[id] = op
	k.running++
	k.unanswered++
	k.work.Go(func() { op.start(params) })
	return nil
}

// complete stops listening to an operation. A query or a subscription ends; a
// mutation goes on, so that nothing is left half done, and its answer is
// dropped.
func (k *socket) complete(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if op, ok := k.operations[id]; ok {
		k.forget(op)
	}
}

// forget needs mu. From then on the id is free.
func (k *socket) forget(op *operation) {
	delete(k.operations, op.id)
	op.cancel()
	if !op.starting {
		k.running--
	}
}

// started is called when the operation's own goroutine ends.
func (op *operation) started() {
	k := op.socket
	k.mu.Lock()
	defer k.mu.Unlock()
	op.starting = false
	if k.operations[op.id] != op {
		k.running--
	}
	k.answered(op)
}

// answered needs mu.
func (k *socket) answered(op *operation) {
	if op.awaited {
		op.awaited = false
		k.unanswered--
		k.leaveIfDone()
	}
}

// start executes a query or a mutation, or makes a subscription stand.
func (op *operation) start(params *graphql.RawParams) {
	defer op.started()
	k, s := op.socket, op.socket.server
	ctx, signal := withSignal(s.operationContext(op.ctx, k.request, k.session), op.wake)
	op.signal = signal
	defer op.recover(&ctx)

	limited, cancel := context.WithTimeout(ctx, s.o.Limits.Time)
	defer cancel()
	if s.beginnings.take(limited) != nil {
		if ctx.Err() == nil {
			op.fail(s.tooSlow())
		}
		return
	}
	turn := true
	pass := func() {
		if turn {
			turn = false
			s.beginnings.give()
		}
	}
	defer pass()

	params.Headers = k.request.Header
	exec, errs := s.o.Exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		response := s.o.Exec.DispatchError(graphql.WithOperationContext(ctx, exec), errs)
		pass()
		op.fail(response.Errors...)
		return
	}
	ctx = graphql.WithOperationContext(ctx, exec) // for recover
	switch exec.Operation.Operation {
	case ast.Subscription:
		tooSlow := time.AfterFunc(s.o.Limits.Time, func() {
			op.fail(s.tooSlow())
		})
		next, standing := s.o.Exec.DispatchOperation(ctx, exec)
		tooSlow.Stop()
		pass()
		if signal.hasSource() {
			op.stand(exec)
		} else {
			op.follow(standing, next)
		}
	case ast.Mutation:
		limited, cancel = context.WithTimeout(context.WithoutCancel(ctx), s.o.Limits.Time)
		defer cancel()
		fallthrough
	default:
		next, ctx := s.o.Exec.DispatchOperation(limited, exec)
		response := next(ctx)
		pass()
		switch {
		case response != nil && len(response.Data) > 0:
			op.answer(response)
		case response != nil && len(response.Errors) > 0:
			op.fail(response.Errors...)
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			op.fail(s.tooSlow())
		case ctx.Err() == nil:
			op.fail(errInternal)
		}
	}
}

// stand makes op a subscription whose source tells of its events: nothing
// waits for them, and of this execution nothing is kept.
func (op *operation) stand(exec *graphql.OperationContext) {
	k := op.socket
	k.mu.Lock()
	op.ctx, op.exec = op.signal.ctx, anew(exec)
	k.answered(op)
	k.mu.Unlock()
	op.wake()
}

// follow waits for the events of a subscription whose source does not tell of
// them, as long as there may be some.
func (op *operation) follow(ctx context.Context, next graphql.ResponseHandler) {
	k := op.socket
	k.mu.Lock()
	k.answered(op)
	k.mu.Unlock()
	for op.event(next(k.server.o.Refresh(ctx))) {
	}
}

// anew is the operation to be executed once more, without what the executor
// has gathered in it. Its text is that of the parsed document, which the
// executor's cache shares among all who send it, and not this client's copy.
func anew(o *graphql.OperationContext) *graphql.OperationContext {
	return &graphql.OperationContext{
		RawQuery:               o.Operation.Position.Src.Input,
		Variables:              o.Variables,
		OperationName:          o.OperationName,
		Doc:                    o.Doc,
		Extensions:             o.Extensions,
		Headers:                o.Headers,
		Operation:              o.Operation,
		DisableIntrospection:   o.DisableIntrospection,
		RecoverFunc:            o.RecoverFunc,
		ResolverMiddleware:     o.ResolverMiddleware,
		RootResolverMiddleware: o.RootResolverMiddleware,
		Stats:                  o.Stats,
	}
}

// wake puts the subscription into the queue, if it stands and is not there.
func (op *operation) wake() {
	k := op.socket
	k.mu.Lock()
	defer k.mu.Unlock()
	if op.exec == nil || op.queued || k.gone || k.operations[op.id] != op {
		return
	}
	op.queued = true
	k.queue = append(k.queue, op)
	if !k.sending {
		k.sending = true
		k.work.Go(k.sendEvents)
	}
}

// sendEvents works the queue off.
func (k *socket) sendEvents() {
	for {
		k.mu.Lock()
		if len(k.queue) == 0 {
			k.queue, k.sending = nil, false
			k.mu.Unlock()
			return
		}
		op := k.queue[0]
		k.queue[0] = nil
		k.queue = k.queue[1:]
		op.queued = false
		k.mu.Unlock()
		op.pull()
	}
}

// pull sends one event if there is one, and queues up again if there is another.
func (op *operation) pull() {
	ctx := op.ctx
	defer op.recover(&ctx)
	if !op.signal.ready() {
		return
	}
	response, ok := op.execute(ctx)
	if ok && op.event(response) && op.signal.ready() {
		op.wake()
	}
}

// execute is the next event, whatever time it takes within Limits.Time.
func (op *operation) execute(ctx context.Context) (_ *graphql.Response, ok bool) {
	s := op.socket.server
	if s.events.take(ctx) != nil {
		return nil, false // nobody listens any more
	}
	defer s.events.give()
	ctx, cancel := context.WithTimeout(s.o.Refresh(ctx), s.o.Limits.Time)
	defer cancel()
	next, ctx := s.o.Exec.DispatchOperation(ctx, anew(op.exec))
	return next(ctx), true
}

// event sends what a subscription yields. It reports whether more may come.
func (op *operation) event(response *graphql.Response) bool {
	switch {
	case response == nil:
		if err := op.signal.failure(); err != nil {
			op.fail(err)
		} else {
			op.end(func(b *bytes.Buffer) { completeMessage(b, op.quoted) })
		}
		return false
	case len(response.Data) == 0 && len(response.Errors) > 0: // it could not be begun
		op.fail(response.Errors...)
		return false
	}
	b := buffers.Get().(*bytes.Buffer)
	defer giveBack(b)
	nextMessage(b, op.quoted, response)
	return op.deliver(false, b.Bytes())
}

// answer sends the one answer of an operation, and that there is no other.
func (op *operation) answer(response *graphql.Response) {
	b, last := buffers.Get().(*bytes.Buffer), buffers.Get().(*bytes.Buffer)
	defer giveBack(b)
	defer giveBack(last)
	nextMessage(b, op.quoted, response)
	completeMessage(last, op.quoted)
	op.deliver(true, b.Bytes(), last.Bytes())
}

// fail ends the operation with errors.
func (op *operation) fail(errs ...*gqlerror.Error) {
	op.end(func(b *bytes.Buffer) { errorMessage(b, op.quoted, errs) })
}

func (op *operation) end(message func(*bytes.Buffer)) {
	b := buffers.Get().(*bytes.Buffer)
	defer giveBack(b)
	message(b)
	op.deliver(true, b.Bytes())
}

// deliver writes messages of the operation if its client still listens; last
// frees its id. It reports whether the client did and does listen.
func (op *operation) deliver(last bool, messages ...[]byte) bool {
	k := op.socket
	k.writing.Lock()
	defer k.writing.Unlock()
	k.mu.Lock()
	listens := k.operations[op.id] == op
	if listens && last {
		k.forget(op)
	}
	k.mu.Unlock()
	if !listens {
		return false
	}
	for _, m := range messages {
		k.text(m)
	}
	return !last
}

// recover makes a panic an error of the operation; the rest goes on.
func (op *operation) recover(ctx *context.Context) {
	cause := recover()
	if cause == nil {
		return
	}
	defer func() { // the presenter is foreign too
		if again := recover(); again != nil {
			op.socket.server.o.Log.ErrorContext(op.socket.base, "panic in the transport", "panic", again, "stack", string(debug.Stack()))
			op.fail(errInternal)
		}
	}()
	err := op.socket.server.o.Exec.PresentRecoveredError(*ctx, cause)
	shown, ok := errors.AsType[*gqlerror.Error](err)
	if !ok {
		shown = errInternal
	}
	op.fail(shown)
}
