// Package sandbox opens the sandbox's page in a real browser.
package sandbox

import (
	"context"
	"embed"
	"net"
	"net/smtp"
	"strings"
	"testing"

	"ordergraph/sandbox"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/test/browser"
)

const letter = "From: Harbour Store <shop@example.org>\r\nTo: ada@example.com\r\nSubject: Your order 1001 is confirmed\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=a\r\n\r\n" +
	"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html lang=en><head><title>x</title></head><body><script>document.title='broken out'</script><p>Thank you, Ada!</p></body></html>\r\n" +
	"--a\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"2026-000001.pdf\"\r\n\r\n%PDF-1.7\r\n" +
	"--a\r\nContent-Type: application/xml\r\nContent-Disposition: attachment; filename=\"2026-000001.xml\"\r\n\r\n<x/>\r\n--a--\r\n"

// The script is part of the test, which has another result when it changes.
//
//go:embed page.mjs package-lock.json
var _ embed.FS

// The page shows the phone and the mailbox as their owners see them, by itself
// and to everybody; page.mjs says what that is.
func TestPage(t *testing.T) {
	chromium := browser.Find(t)
	browser.Run(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	account := "AC" + strings.Repeat("0", 32)
	s, err := sandbox.New(t.Context(), sandbox.Options{Mail: &mail.Options{}, Twilio: &twilio.Options{Account: account, Token: "token"}})
	if err != nil {
		t.Fatal(err)
	}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	post, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, web, post) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if err := smtp.SendMail(post.Addr().String(), nil, "shop@example.org", []string{"ada@example.com"}, []byte(letter)); err != nil {
		t.Fatal(err)
	}
	browser.Run(t, ".", "node", "page.mjs", "http://"+web.Addr().String(), chromium, account, "token")
}
