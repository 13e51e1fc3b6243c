package transport

import (
	"context"
	"net/http"
)

// cookies are those that an operation has set.
type cookies struct{ set []*http.Cookie }

type cookiesKey struct{}

func withCookies(ctx context.Context) (context.Context, *cookies) {
	c := &cookies{}
	return context.WithValue(ctx, cookiesKey{}, c), c
}

// SetCookies gives cookies to the client with the operation's answer. It
// reports whether that is possible: only plain HTTP has headers to put them
// into. Fields of a mutation are resolved one after another, and no others may
// call it.
func SetCookies(ctx context.Context, set ...*http.Cookie) bool {
	c, ok := ctx.Value(cookiesKey{}).(*cookies)
	if ok {
		c.set = append(c.set, set...)
	}
	return ok
}

// CanSetCookies reports whether SetCookies would.
func CanSetCookies(ctx context.Context) bool {
	_, ok := ctx.Value(cookiesKey{}).(*cookies)
	return ok
}

func (c *cookies) write(w http.ResponseWriter) {
	for _, cookie := range c.set {
		http.SetCookie(w, cookie)
	}
}
