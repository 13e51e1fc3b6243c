package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"ordergraph/platform/identity"
	"ordergraph/platform/telemetry"
)

// The codes that the protocol closes sockets with, beside those of WebSocket
// itself.
const (
	closeBadRequest       websocket.StatusCode = 4400
	closeUnauthorized     websocket.StatusCode = 4401
	closeForbidden        websocket.StatusCode = 4403
	closeBadSubprotocol   websocket.StatusCode = 4406
	closeInitTimeout      websocket.StatusCode = 4408
	closeSubscriberExists websocket.StatusCode = 4409
	closeTooManyInits     websocket.StatusCode = 4429
	closeInternalError    websocket.StatusCode = 4500
)

// longestReason is how many bytes may say why a socket is closed.
const longestReason = 123

// silences is how many times Limits.KeepAlive nothing may be heard of a client.
const silences = 3

// How far a socket is.
type socketState uint8

const (
	socketFresh        socketState = iota // waits for connection_init
	socketOpening                         // finds out who the client is
	socketAcknowledged                    // executes operations
)

// A socket is one connection that speaks graphql-transport-ws.
//
// At rest it is one goroutine, which reads; each message has its own. An operation has a goroutine until
// its answer is written or its subscription stands. Subscriptions that stand
// have none: their Signals put them into a queue, and one goroutine, which
// exists only as long as the queue is not empty, executes and writes their
// events one by one.
type socket struct {
	server  *Server
	id      string          // names it in the log
	base    context.Context // does not end
	ctx     context.Context // ends with the socket
	cancel  context.CancelFunc
	request *http.Request // what is kept of it
	visit   *visit
	ws      *websocket.Conn
	conn    *socketConn
	reading atomic.Int64 // when the message at hand was begun, in nanoseconds after the connection was opened; 0: there is none

	// writing is held while a message is written, so that the messages of an
	// operation are written in their order and none after its last.
	writing sync.Mutex

	mu         sync.Mutex
	state      socketState
	session    identity.Session
	unfollow   func()
	pulse      *time.Timer
	operations map[string]*operation // whose client listens
	running    int                   // operations, also those nobody listens to any more
	unanswered int                   // operations that are to be answered even when the process stops
	begun      int                   // operations so far
	queue      []*operation          // subscriptions that have something to send
	sending    bool                  // whether somebody works the queue off
	draining   bool
	ending     websocket.StatusCode // 0: it goes on
	reason     string
	gone       bool           // nothing is begun any more
	work       sync.WaitGroup // what runs for the socket beside the reader; grows under mu, unless gone
}

func newSocket(ctx context.Context, s *Server, r *http.Request) *socket {
	k := &socket{server: s, id: telemetry.RequestID(ctx), base: context.WithoutCancel(ctx)}
	k.ctx, k.cancel = context.WithCancel(k.base)
	// What operations may still be asked about. The rest of the request, with
	// net/http's buffers behind it, is free when the handler returns.
	k.request = &http.Request{
		Method: r.Method, URL: r.URL, RequestURI: r.RequestURI, Host: r.Host, Header: r.Header, RemoteAddr: r.RemoteAddr,
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, TLS: r.TLS,
	}
	return k
}

// open begins to read.
func (k *socket) open(v *visit, ws *websocket.Conn, conn *socketConn) {
	ws.SetReadLimit(-1) // read says it better
	k.mu.Lock()
	k.visit, k.ws, k.conn = v, ws, conn
	k.pulse = time.AfterFunc(min(k.server.o.Limits.InitWithin, k.server.o.Limits.KeepAlive), k.beat)
	k.mu.Unlock()
	if ws.Subprotocol() == "" {
		k.end(closeBadSubprotocol, "Subprotocol not acceptable")
	}
	go k.serve()
}

// serve reads a message, does what it asks for, and leaves the next one to
// another goroutine: a stack grows by handling a message and would stay so for
// as long as the client is silent. When the socket ends, serve sees to it that
// everything which belongs to it ends.
func (k *socket) serve() {
	more := false
	defer func() {
		if cause := recover(); cause != nil {
			k.server.o.Log.ErrorContext(k.base, "panic in the transport", "panic", cause, "stack", string(debug.Stack()))
		}
		if !more {
			k.close()
		}
	}()
	if !k.listens() {
		return
	}
	message, err := k.read()
	if err == nil {
		err = k.handle(message.Bytes())
		giveBack(message)
	}
	if err != nil {
		k.fail(err)
		return
	}
	more = true
	go k.serve()
}

// closure is an error that closes the socket.
type closure struct {
	code   websocket.StatusCode
	reason string
}

func (c *closure) Error() string { return strconv.Itoa(int(c.code)) + ": " + c.reason }

func (k *socket) fail(err error) {
	if c, ok := errors.AsType[*closure](err); ok {
		k.end(c.code, c.reason)
		return
	}
	// The connection broke or the peer does not speak WebSocket. If the
	// library has told it already, this is not sent.
	k.end(websocket.StatusProtocolError, "This is not the WebSocket protocol.")
}

func (k *socket) listens() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ending == 0
}

// read is the next message.
func (k *socket) read() (*bytes.Buffer, error) {
	kind, r, err := k.ws.Reader(k.base)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, &closure{closeBadRequest, "Messages are text: JSON, not binary."}
	}
	k.reading.Store(int64(time.Since(k.conn.opened)))
	defer k.reading.Store(0)
	most := k.server.o.Limits.Body
	b := buffers.Get().(*bytes.Buffer)
	n, err := b.ReadFrom(io.LimitReader(r, most+1))
	switch {
	case err != nil:
	case n > most:
		err = &closure{websocket.StatusMessageTooBig, "A message may have at most " + strconv.FormatInt(most, 10) + " bytes."}
	case !utf8.Valid(b.Bytes()):
		err = &closure{websocket.StatusInvalidFramePayloadData, "This text is not UTF-8."}
	default:
		return b, nil
	}
	giveBack(b)
	return nil, err
}

// end closes the socket soon. The first code counts. The goroutine that reads
// does the closing; whoever decides it does not wait.
func (k *socket) end(code websocket.StatusCode, reason string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.endLocked(code, reason)
}

func (k *socket) endLocked(code websocket.StatusCode, reason string) {
	if k.ending != 0 {
		return
	}
	k.ending, k.reason = code, shorten(reason)
	if k.conn != nil {
		_ = k.conn.SetReadDeadline(past)
	}
}

var past = time.Unix(1, 0)

// shorten cuts a reason to what fits into a closing frame, between characters.
func shorten(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	cut := longestReason
	for !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}

// close says goodbye, waits a few seconds for the client to do so too, and
// ends what belongs to the socket.
func (k *socket) close() {
	k.mu.Lock()
	k.gone = true
	code, reason := k.ending, k.reason
	k.pulse.Stop()
	k.mu.Unlock()
	k.cancel()
	_ = k.conn.SetReadDeadline(time.Time{})
	if code != 0 {
		_ = k.ws.Close(code, reason)
	}
	_ = k.ws.CloseNow()
	k.work.Wait()
	if k.unfollow != nil {
		k.unfollow()
	}
	k.server.doors.exit(k.visit)
}

// leave ends the socket because the process stops: when what is to be answered
// has been answered.
func (k *socket) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.draining = true
	k.leaveIfDone()
}

// leaveIfDone needs mu.
func (k *socket) leaveIfDone() {
	if k.draining && k.unanswered == 0 {
		k.endLocked(websocket.StatusGoingAway, "This server is about to stop. Please connect again.")
	}
}

// beat is called from time to time. It finds clients that do not say who they
// are, or have vanished, and shows the others that we are there.
func (k *socket) beat() {
	limits := k.server.o.Limits
	k.mu.Lock()
	if k.ending != 0 || k.gone {
		k.mu.Unlock()
		return
	}
	age, silent, wait := time.Since(k.conn.opened), k.conn.silent(), limits.KeepAlive
	if k.state == socketFresh {
		wait = min(wait, limits.InitWithin-age)
	}
	switch began := time.Duration(k.reading.Load()); {
	case wait <= 0:
		k.endLocked(closeInitTimeout, "Connection initialisation timeout")
	case silent >= silences*limits.KeepAlive:
		k.endLocked(websocket.StatusPolicyViolation, "Nothing was heard for "+silent.Round(time.Second).String()+".")
	case began > 0 && age-began > limits.Time:
		k.endLocked(websocket.StatusPolicyViolation, "A message took longer than "+limits.Time.String()+" to arrive.")
	}
	if k.ending == 0 {
		k.pulse.Reset(wait)
	}
	ping := k.ending == 0 && silent >= limits.KeepAlive/2
	k.mu.Unlock()
	if ping && k.writing.TryLock() { // if not, we are heard of anyway
		defer k.writing.Unlock()
		k.write(func() error { return k.control(pingFrame) })
	}
}

// pong answers a ping of WebSocket itself, as the library tells of it.
func (k *socket) pong(_ context.Context, payload []byte) bool {
	k.writing.Lock()
	defer k.writing.Unlock()
	k.write(func() error { return k.control(append([]byte{pongOpcode, byte(len(payload))}, payload...)) })
	return false // the library need not answer
}

const pongOpcode = 0x8a

var pingFrame = []byte{0x89, 0}

// control writes a control frame. The library's own way would wait for the
// answer, or give up behind a long message.
func (k *socket) control(frame []byte) error {
	_, err := k.conn.Write(frame)
	return err
}

// send writes messages.
func (k *socket) send(messages ...[]byte) {
	k.writing.Lock()
	defer k.writing.Unlock()
	for _, m := range messages {
		k.text(m)
	}
}

// text writes one message; writing is held.
func (k *socket) text(message []byte) {
	k.write(func() error { return k.ws.Write(k.base, websocket.MessageText, message) })
}

// write writes one frame unless the socket ends; writing is held. A client
// that does not take it within Limits.SendWithin is dropped: with a reason if
// it goes on reading within lastGrace.
func (k *socket) write(frame func() error) {
	if !k.listens() {
		return
	}
	switch err := frame(); {
	case err != nil:
		k.end(websocket.StatusTryAgainLater, "The connection broke.")
		_ = k.conn.Close()
	case k.conn.slow.Load():
		k.end(websocket.StatusTryAgainLater, "A message was not read within "+k.conn.sendWithin.String()+".")
	}
}
