package smtpmail

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	patience  = 30 * time.Second // with one connection, if the context has more
	mostMails = 100              // by one connection: some providers take no more
	mostKept  = 64               // connections
	keepFor   = 2 * time.Second  // a connection without a mail
	farewell  = time.Second      // for the provider to say goodbye
)

// A line is a connection to the provider, signed in, for one mail at a time.
type line struct {
	client *mail.Client
	to     *smtp.Client
	conn   net.Conn
	mails  int // that took it
	free   time.Time
}

// dial makes a line. The context ends the conversation, and so does any
// failure: the client leaves connections open on which it could not sign in.
func (m *Mailer) dialLine(ctx context.Context) (*line, error) {
	l := &line{}
	release := func() bool { return true }
	var err error
	l.client, err = mail.NewClient(m.host, append([]mail.Option{
		mail.WithTimeout(patience), mail.WithoutNoop(),
		mail.WithDialContextFunc(func(dialling context.Context, network, addr string) (net.Conn, error) {
			conn, err := m.connect(dialling, network, addr)
			if err == nil {
				l.conn = conn
				release = context.AfterFunc(ctx, l.hangUp)
			}
			return conn, err
		}),
	}, m.options...)...)
	if err != nil {
		return nil, err
	}
	l.to, err = l.client.DialToSMTPClientWithContext(ctx)
	release()
	if err != nil && l.conn != nil {
		l.hangUp()
	}
	return l, err
}

// send hands a mail over. The context ends the conversation.
func (l *line) send(ctx context.Context, msg *mail.Msg) error {
	defer context.AfterFunc(ctx, l.hangUp)()
	l.mails++
	return l.client.SendWithSMTPClient(l.to, msg)
}

func (l *line) hangUp() { _ = l.conn.Close() }

// leave says goodbye.
func (l *line) leave() {
	hurry := time.AfterFunc(farewell, l.hangUp)
	defer hurry.Stop()
	_ = l.client.CloseWithSMTPClient(l.to)
	l.hangUp()
}

// sound reports whether a line takes another mail after what it said to the last.
func sound(err error) bool {
	if err == nil {
		return true
	}
	sendErr, ok := errors.AsType[*mail.SendError](err)
	return ok && sendErr.ErrorCode() != 0 && sendErr.ErrorCode() != 421 &&
		sendErr.Reason != mail.ErrSMTPReset && sendErr.Reason != mail.ErrSMTPData // after which the client sends no RSET
}

// lines are those that wait for the next mail, the one used last at the end.
type lines struct {
	mu      sync.Mutex
	free    []*line
	pruning *time.Timer // while there are any
	closed  bool
}

// take is a free line, or nil.
func (ls *lines) take() *line {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	n := len(ls.free)
	if n == 0 {
		return nil
	}
	l := ls.free[n-1]
	ls.free = ls.free[:n-1]
	return l
}

// put keeps a line, or ends it.
func (ls *lines) put(l *line, err error) {
	if !sound(err) {
		l.hangUp()
		return
	}
	ls.mu.Lock()
	if ls.closed || l.mails >= mostMails || len(ls.free) >= mostKept {
		ls.mu.Unlock()
		l.leave()
		return
	}
	l.free = time.Now()
	ls.free = append(ls.free, l)
	if ls.pruning == nil {
		ls.pruning = time.AfterFunc(keepFor, ls.prune)
	}
	ls.mu.Unlock()
}

// prune ends the lines that nobody has used for a while.
func (ls *lines) prune() {
	ls.mu.Lock()
	old := 0
	for old < len(ls.free) && (ls.closed || time.Since(ls.free[old].free) >= keepFor) {
		old++
	}
	gone := ls.free[:old:old]
	ls.free = ls.free[old:]
	ls.pruning = nil
	if len(ls.free) > 0 {
		ls.pruning = time.AfterFunc(keepFor, ls.prune)
	}
	ls.mu.Unlock()
	for _, l := range gone {
		l.leave()
	}
}

// Close ends the connections that are kept. A Mailer that is used after it
// keeps none.
func (ls *lines) Close() {
	ls.mu.Lock()
	ls.closed = true
	if ls.pruning != nil {
		ls.pruning.Stop()
	}
	ls.mu.Unlock()
	ls.prune()
}
