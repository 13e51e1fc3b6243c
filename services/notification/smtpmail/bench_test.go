package smtpmail_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"ordergraph/services/notification"
	"ordergraph/services/notification/smtpmail"
)

// BenchmarkSend hands over a mail as most are, with its invoice, on one
// connection, to a server that does as little as one can.
func BenchmarkSend(b *testing.B) {
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://" + takesAll(b), From: from})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	l := letter
	l.Text, l.HTML = strings.Repeat("Thank you for your order. ", 30), strings.Repeat("<p>Thank you — <b>2,00 €</b></p>\n", 200)
	l.Attachments = []notification.Attachment{
		{Name: "logo.png", ContentType: "image/png", Content: bytes.Repeat([]byte{0x89}, 2<<10), Inline: "logo"},
		{Name: "2026-000001.pdf", ContentType: "application/pdf", Content: bytes.Repeat([]byte("%PDF\x00\xff"), 5000)},
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Send(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
}

// takesAll is the address of a server that takes every mail.
func takesAll(b *testing.B) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
				_, _ = io.WriteString(conn, "220 here\r\n")
				for data := false; ; {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					switch {
					case data && string(line) != ".\r\n":
						continue
					case string(line) == "DATA\r\n":
						data = true
						_, _ = out.WriteString("354 go on\r\n")
					case bytes.HasPrefix(line, []byte("EHLO")):
						_, _ = out.WriteString("250-here\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n")
					default:
						data = false
						_, _ = out.WriteString("250 2.0.0 fine\r\n")
					}
					if in.Buffered() == 0 && out.Flush() != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}
