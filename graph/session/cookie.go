package session

import (
	"net/http"
	"time"

	"ordergraph/services/account"
)

// Cookies keep a session in a browser where scripts cannot read it.
type Cookies struct {
	Secure bool // the shop is reached over https; without it only for trying things on one machine
}

// The names of the cookies. Browsers take those that begin with __Host- from
// the very host alone, and over https.
const (
	accessName  = "ordergraph_access"
	refreshName = "ordergraph_refresh"
	hostPrefix  = "__Host-"
)

func (c Cookies) name(plain string) string {
	if c.Secure {
		return hostPrefix + plain
	}
	return plain
}

func (c Cookies) access(r *http.Request) string { return valueOf(r, c.name(accessName)) }

// Refresh is the refresh token that the request's cookie holds, or "".
func (c Cookies) Refresh(r *http.Request) string { return valueOf(r, c.name(refreshName)) }

// Sent reports whether the request comes with one of them.
func (c Cookies) Sent(r *http.Request) bool { return c.access(r) != "" || c.Refresh(r) != "" }

func valueOf(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// For are the cookies that keep these tokens.
func (c Cookies) For(t account.Tokens) []*http.Cookie {
	return []*http.Cookie{
		c.cookie(accessName, t.Access, t.AccessExpires),
		c.cookie(refreshName, t.Refresh, t.RefreshExpires),
	}
}

// None are the cookies that remove them.
func (c Cookies) None() []*http.Cookie {
	gone := time.Unix(1, 0)
	return []*http.Cookie{c.cookie(accessName, "", gone), c.cookie(refreshName, "", gone)}
}

// Links from mails and other sites must find a customer signed in, whose page
// may be rendered by a server: hence not SameSite=Strict. What foreign pages
// send is refused by Open.
func (c Cookies) cookie(name, value string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: c.name(name), Value: value, Path: "/", Expires: expires,
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	}
}
