package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"ordergraph/sandbox/mail"
)

// BenchmarkTake takes mails of the size of those that bring an invoice.
func BenchmarkTake(b *testing.B) {
	s, err := mail.New(mail.Options{})
	if err != nil {
		b.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	defer func() { stop(); <-ended }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(text string, answers int) {
		if _, err := io.WriteString(conn, text); err != nil {
			b.Fatal(err)
		}
		for range answers {
			line, err := in.ReadSlice('\n')
			if err != nil || line[0] > '3' {
				b.Fatalf("%s: %v", line, err)
			}
		}
	}
	say("HELO shop.example\r\n", 2)
	file := bytes.Repeat([]byte("JVBERi0xLjcKJeLjz9MKMSAwIG9iago8PCAvVHlwZSAvQ2F0YWxvZyA+PgplbmRvYmoKJVBE\r\n"), 550)
	letter := strings.Replace(withFile, "PGI+\r\n", string(file), 1) + ".\r\n"
	b.ReportAllocs()
	b.SetBytes(int64(len(letter)))
	for b.Loop() {
		say("MAIL FROM:<shop@example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n", 3)
		say(letter, 1)
	}
}
