package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A mailbox is a mail server of this program's own, so that what it costs is
// nobody else's, and when the mails arrived there. It takes everything, and
// looks no further into a mail than it takes to see that it brings a PDF: on
// the machine that is measured the sandbox's server would cost many times that.
type mailbox struct {
	addr  string
	takes time.Duration // for each mail
	close func()

	mu      sync.Mutex
	arrived map[string]time.Time // with the invoice, by to whom
	plain   map[string]bool      // without
}

func openMailbox(ctx context.Context, takes time.Duration) (*mailbox, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &mailbox{addr: listener.Addr().String(), takes: takes, arrived: map[string]time.Time{}, plain: map[string]bool{}}
	serving, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				hangUp := func() { _ = conn.Close() }
				defer hangUp()
				defer context.AfterFunc(serving, hangUp)()
				b.talk(serving, conn)
			})
		}
	})
	b.close = func() { stop(); _ = listener.Close(); all.Wait() }
	return b, nil
}

// talk speaks SMTP (RFC 5321) with one client, who may say several things in
// one go (RFC 2920).
func (b *mailbox) talk(ctx context.Context, conn net.Conn) {
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	answer := "220 after.localhost\r\n"
	for to := ""; ; {
		_, _ = out.WriteString(answer)
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		answer = "250 2.0.0 Yes\r\n"
		switch command, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" ")); string(command) {
		case "EHLO":
			answer = "250-after.localhost\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
		case "RCPT":
			_, rest, _ := bytes.Cut(line, []byte("<"))
			address, _, _ := bytes.Cut(rest, []byte(">"))
			to = string(address)
		case "DATA":
			_, _ = out.WriteString("354 Go on\r\n")
			if out.Flush() != nil {
				return
			}
			brings, err := readMail(in)
			if err != nil || b.takes > 0 && sleep(ctx, b.takes) != nil {
				return
			}
			b.put(to, brings)
		case "QUIT":
			_, _ = io.WriteString(conn, "221 2.0.0 Bye\r\n")
			return
		}
	}
}

// readMail reads a mail to its end, and says whether it brings a PDF.
func readMail(in *bufio.Reader) (brings bool, err error) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		if len(line) == 3 && line[0] == '.' {
			return brings, nil
		}
		brings = brings || bytes.HasPrefix(line, []byte("Content-Type: application/pdf"))
	}
}

func (b *mailbox) put(to string, brings bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if brings {
		b.arrived[to] = time.Now()
	} else {
		b.plain[to] = true
	}
}

// wait waits until so many customers have their invoice, and says how many got
// it with the first mail.
func (b *mailbox) wait(ctx context.Context, customers int) (atOnce int, err error) {
	for began := time.Now(); ; {
		b.mu.Lock()
		n, plain := len(b.arrived), len(b.plain)
		b.mu.Unlock()
		if n >= customers {
			return n - plain, nil
		}
		if time.Since(began) > 10*time.Minute {
			return 0, fmt.Errorf("%d of %d mails after ten minutes", n, customers)
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (b *mailbox) arrivedAt(email string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrived[email]
}

func (b *mailbox) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.arrived)
	clear(b.plain)
}
