// Package mail is a post office that delivers nothing: an SMTP server on a
// laptop that takes every message, shows it on a page as its reader would see
// it, and breaks down when told to.
//
// The shop's client cannot tell it from a provider: the address alone decides.
package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"ordergraph/sandbox/faults"
)

// Options of a server.
type Options struct {
	Keep   int              // messages; the oldest go first; 0: 500
	Faults Faults           // trouble from the start; see POST /sandbox/mail/faults
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: silent
}

const (
	maxMessage    = 10 << 20 // bytes of one message
	keepBytes     = 64 << 20 // of all messages together
	maxRecipients = 50
	idleFor       = time.Minute // how long a client may say nothing
)

// A Server takes mail by SMTP and shows it over HTTP. Its memory ends with it.
type Server struct {
	o       Options
	log     *slog.Logger
	box     box
	trouble faults.Trouble[Faults]
	mu      sync.Mutex
	ledger  Ledger

	closed chan struct{} // by Close
	close  func()
}

// New makes a server without messages.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	closed := make(chan struct{})
	s := &Server{
		o: o, log: o.Log, box: box{keep: cmp.Or(o.Keep, 500)}, ledger: Ledger{IDs: map[string]int{}},
		closed: closed, close: sync.OnceFunc(func() { close(closed) }),
	}
	return s, s.SetFaults(o.Faults)
}

// Close ends what waits: pages that watch, and delays made on purpose.
func (s *Server) Close() {
	s.close()
	s.box.bell.Close()
}

// Serve takes mail on the listener until ctx ends. Conversations under way may
// then end within 5 s.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return s.open(c) }))
	server.Domain = "ordergraph.localhost"
	server.MaxMessageBytes = maxMessage
	server.MaxRecipients = maxRecipients
	server.ReadTimeout, server.WriteTimeout = idleFor, idleFor
	server.EnableSMTPUTF8 = true
	server.ErrorLog = serverLog{s.log}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var stopping sync.WaitGroup
	stopping.Go(func() {
		<-ctx.Done()
		s.Close()
		last, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		if server.Shutdown(last) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(listener)
	ended := ctx.Err() != nil
	cancel()
	stopping.Wait()
	if err == nil || ended {
		return nil
	}
	return fmt.Errorf("mail server: %w", err)
}

// serverLog takes what the SMTP library complains of: mostly clients that
// went away.
type serverLog struct{ log *slog.Logger }

// Printf is what the SMTP library calls.
func (l serverLog) Printf(format string, v ...any) {
	l.log.Debug("mail server: " + fmt.Sprintf(format, v...))
}

// Println is what the SMTP library calls.
func (l serverLog) Println(v ...any) { l.Printf("%s", fmt.Sprintln(v...)) }

// A conversation is one client's connection.
type conversation struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []string
}

var errDown = errors.New("out of order")

func (s *Server) open(c *smtp.Conn) (smtp.Session, error) {
	if s.Faults().Down {
		_ = c.Conn().Close()
		return nil, errDown
	}
	return &conversation{server: s, conn: c}, nil
}

func (c *conversation) Reset() { c.from, c.to = "", nil }

func (c *conversation) Logout() error { return nil }

func (c *conversation) Mail(from string, _ *smtp.MailOptions) error {
	c.from = from
	return nil
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	if f := c.server.Faults(); f.refuses(to) || c.server.trouble.Hit(f.Refused) {
		c.server.note(func(l *Ledger) { l.Refused++ })
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + "> No such mailbox here"}
	}
	c.to = append(c.to, to)
	return nil
}

func (c *conversation) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f := c.server.Faults()
	faults.Wait(f.Delay, c.server.closed)
	if f.Down {
		_ = c.conn.Conn().Close()
		return errDown
	}
	if c.server.trouble.Hit(f.Deferred) {
		c.server.note(func(l *Ledger) { l.Deferred++ })
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Come again later"}
	}
	p := &parcel{at: c.server.o.Now().UTC(), from: c.from, to: c.to, raw: raw}
	id := messageID(raw)
	lost := c.server.trouble.Hit(f.Lost)
	c.server.note(func(l *Ledger) {
		if l.Taken++; lost {
			l.Lost++
		}
		if _, known := l.IDs[id]; known || len(l.IDs) < mostIDs {
			l.IDs[id]++
		}
	})
	c.server.box.put(p)
	c.server.log.Debug("mail arrived", "bytes", len(raw))
	if lost {
		_ = c.conn.Conn().Close()
	}
	return nil
}

// Messages are those that are kept, newest first, to this address; to anybody
// where it is "".
func (s *Server) Messages(to string) []Message { return s.box.list(strings.ToLower(to), 0) }
