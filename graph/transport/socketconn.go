package transport

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// The buffers of a socket, in bytes: most messages of clients and most events
// fit; what does not takes one more call of the system.
const (
	socketReads  = 512
	socketWrites = 1024
)

// socketUpgrade hands the WebSocket library the connection in our wrapping,
// with buffers that thousands of idle connections can afford.
type socketUpgrade struct {
	http.ResponseWriter
	sendWithin time.Duration
	conn       *socketConn
}

// Hijack implements http.Hijacker.
func (u *socketUpgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.conn = &socketConn{Conn: conn, opened: time.Now(), sendWithin: u.sendWithin}
	if n := buffered.Reader.Buffered(); n > 0 { // sent without waiting for our answer
		u.conn.early = make([]byte, n)
		if _, err := buffered.Read(u.conn.early); err != nil {
			return nil, nil, err
		}
	}
	return u.conn, bufio.NewReadWriter(bufio.NewReaderSize(u.conn, socketReads), bufio.NewWriterSize(u.conn, socketWrites)), nil
}

// lastGrace is how long a client that was too slow may still take to read what
// has been begun, so that it can also read why its socket is closed.
const lastGrace = 5 * time.Second

// socketConn is a connection that knows when it was last heard of, and whether
// its client is too slow.
type socketConn struct {
	net.Conn
	early      []byte // read before the connection was ours
	opened     time.Time
	heard      atomic.Int64 // when something was last read, in nanoseconds after opened
	sendWithin time.Duration
	slow       atomic.Bool
}

func (c *socketConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.opened)))
	}
	return n, err
}

// silent is for how long nothing has been heard.
func (c *socketConn) silent() time.Duration {
	return time.Since(c.opened) - time.Duration(c.heard.Load())
}

// Write writes all of p, or fails when the client has not taken it within
// sendWithin and lastGrace. Only what waits for the client counts.
func (c *socketConn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.sendWithin))
	n, err := c.Conn.Write(p)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	c.slow.Store(true)
	_ = c.SetWriteDeadline(time.Now().Add(lastGrace))
	more, err := c.Conn.Write(p[n:])
	return n + more, err
}
