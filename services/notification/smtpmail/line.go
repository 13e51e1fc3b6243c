package smtpmail

import (
	"context"
	"net"
	"net/textproto"
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
	to    *smtp.Client
	text  *textproto.Conn
	conn  net.Conn
	mails int // that it was used for
	free  time.Time
	sound bool // it takes another mail

	pipelines, enhanced, utf8 bool // what the provider offers
}

// dialLine makes a line. The context ends the conversation, and so does any
// failure: the client leaves connections open on which it could not sign in.
func (m *Mailer) dialLine(ctx context.Context) (*line, error) {
	l := &line{sound: true}
	release := func() bool { return true }
	client, err := mail.NewClient(m.host, append([]mail.Option{
		mail.WithTimeout(patience),
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
	l.to, err = client.DialToSMTPClientWithContext(ctx)
	release()
	if err != nil {
		if l.conn != nil {
			l.hangUp()
		}
		return nil, err
	}
	l.text = l.to.Text
	l.pipelines, _ = l.to.Extension("PIPELINING")
	l.enhanced, _ = l.to.Extension("ENHANCEDSTATUSCODES")
	l.utf8, _ = l.to.Extension("SMTPUTF8")
	return l, nil
}

// send hands a mail over. The context ends the conversation.
func (l *line) send(ctx context.Context, from, to string, mail []byte) *trouble {
	defer context.AfterFunc(ctx, l.hangUp)()
	l.mails++
	return l.hand(from, to, mail)
}

func (l *line) hangUp() { _ = l.conn.Close() }

// leave says goodbye.
func (l *line) leave() {
	hurry := time.AfterFunc(farewell, l.hangUp)
	defer hurry.Stop()
	_ = l.to.Quit()
	l.hangUp()
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
func (ls *lines) put(l *line) {
	if !l.sound {
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
