package transport_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestCompressedAnswers(t *testing.T) {
	h := open(t, nil)
	const long, short = `{"query":"{long(bytes:100000)}"}`, `{"query":"{long(bytes:1000)}"}`
	plain := all(t, h.ask(t, "POST", "/graphql", "*/*", long, "Accept-Encoding", "identity"))
	if !strings.HasPrefix(plain, `{"data":{"long":"all work`) || len(plain) < 99_000 {
		t.Fatalf("%d bytes: %.100s", len(plain), plain)
	}
	for accepted, want := range map[string]string{
		"gzip":                           "gzip",
		"gzip, deflate, br, zstd":        "gzip",
		"GZIP":                           "gzip",
		"x-gzip":                         "gzip",
		"*":                              "gzip",
		"br;q=1.0, gzip;q=0.8, *;q=0.1":  "gzip",
		"gzip;q=0.5, identity;q=0.5":     "gzip",
		"identity;q=0, gzip;q=0.1":       "gzip",
		"gzip;q=0.5, identity":           "",
		"gzip;q=0":                       "",
		"gzip;q=0, *":                    "",
		"br, deflate":                    "",
		"identity":                       "",
		"gzip;q=nonsense, identity;q=.1": "",
	} {
		// Named so, Go's client leaves the encoding to us.
		response := h.ask(t, "POST", "/graphql", "*/*", long, "Accept-Encoding", accepted)
		text := all(t, response)
		if got := response.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q: encoding %q, want %q", accepted, got, want)
		}
		if got := response.Header.Get("Content-Length"); got != fmt.Sprint(len(text)) {
			t.Errorf("%q: content length %s of %d", accepted, got, len(text))
		}
		if got := response.Header.Get("Vary"); got != "Accept, Accept-Encoding" {
			t.Errorf("%q: Vary %q", accepted, got)
		}
		if want == "gzip" {
			if len(text) > len(plain)/10 {
				t.Errorf("%q: %d bytes of %d", accepted, len(text), len(plain))
			}
			unpacked, err := gzip.NewReader(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			whole, err := io.ReadAll(unpacked)
			if err != nil {
				t.Fatal(err)
			}
			text = string(whole)
		}
		if text != plain {
			t.Errorf("%q: another text", accepted)
		}
	}
	if response := h.ask(t, "POST", "/graphql", "*/*", short, "Accept-Encoding", "gzip"); response.Header.Get("Content-Encoding") != "" {
		t.Error("a short answer is compressed")
	}
	response := h.ask(t, "POST", "/graphql", sse, long, "Accept-Encoding", "gzip")
	if got := all(t, response); response.Header.Get("Content-Encoding") != "" || got != beat+next(plain)+done {
		t.Errorf("an event stream is not what it is: %.100q", got)
	}
}
