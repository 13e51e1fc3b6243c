package graph_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/graph/session"
)

const (
	signIn = `mutation ($in: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $in) {
		customerAccessToken { accessToken refreshToken expiresAt refreshExpiresAt } customer { email } cart { id lines(first: 10) { nodes { quantity merchandise { ... on ProductVariant { id } } } } }
		customerUserErrors { code field message } } }`
	renew   = `mutation ($t: String) { customerAccessTokenRenew(refreshToken: $t) { customerAccessToken { accessToken refreshToken expiresAt } userErrors { code } } }`
	signOut = `mutation { customerAccessTokenDelete { deletedCustomerAccessTokenId userErrors { code } } }`
	whoAmI  = `{ customer { email } }`
)

// A browser keeps the cookies that the gateway sets, and says from which page
// it sends what.
type browser struct {
	t       *testing.T
	s       *graphtest.Shop
	cookies map[string]*http.Cookie
}

func newBrowser(t *testing.T, s *graphtest.Shop) *browser {
	return &browser{t, s, map[string]*http.Cookie{}}
}

// header is what the browser sends along; origin and site as a page has them.
func (b *browser) header(page ...string) map[string]string {
	h := map[string]string{"Content-Type": "application/json", "User-Agent": "Trial/1.0"}
	var all []string
	for name, c := range b.cookies {
		all = append(all, name+"="+c.Value)
	}
	if all != nil {
		h["Cookie"] = strings.Join(all, "; ")
	}
	for i := 0; i < len(page); i += 2 {
		h[page[i]] = page[i+1]
	}
	return h
}

// own is what a page of the gateway's own origin adds.
func (b *browser) own() []string { return []string{"Origin", b.s.URL, "Sec-Fetch-Site", "same-origin"} }

func (b *browser) send(page []string, query string, vars graphtest.Vars) graphtest.Answer {
	b.t.Helper()
	a := b.s.Send(http.MethodPost, "", b.header(page...), b.s.Body(query, vars))
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Year() < 2000 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c
	}
	return a
}

// sees is the address of who the browser's pages belong to; "" for guests.
func (b *browser) sees() string {
	b.t.Helper()
	a := b.send(b.own(), whoAmI, nil)
	if a.Status != 200 || len(a.Errors) > 0 {
		b.t.Fatalf("%d %s", a.Status, a.Body)
	}
	email, _ := graphtest.Get(a.Data, "customer.email").(string)
	return email
}

func (b *browser) signIn(email string) graphtest.Answer {
	b.t.Helper()
	a := b.send(b.own(), signIn, graphtest.Vars{"in": graphtest.Vars{"email": email, "password": graphtest.Password, "cookie": true}})
	if len(a.Errors) > 0 || graphtest.Get(a.Data, "customerAccessTokenCreate.customerAccessToken.expiresAt") == nil {
		b.t.Fatalf("%s", a.Body)
	}
	return a
}

const accessCookie, refreshCookie = "__Host-ordergraph_access", "__Host-ordergraph_refresh"

func TestSessionsInCookies(t *testing.T) {
	s := graphtest.New(t, nil)
	ada := s.Customer("ada@example.org")
	b := newBrowser(t, s)
	a := b.signIn(ada.Email)
	for _, field := range []string{"accessToken", "refreshToken"} {
		if got := graphtest.Get(a.Data, "customerAccessTokenCreate.customerAccessToken."+field); got != nil {
			t.Errorf("%s is %v, and scripts can read it", field, got)
		}
	}
	set := (&http.Response{Header: a.Header}).Cookies()
	if len(set) != 2 {
		t.Fatalf("%v", set)
	}
	for _, c := range set {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Expires.IsZero() || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("%v", c)
		}
	}
	if got := b.sees(); got != ada.Email {
		t.Errorf("the page sees %q", got)
	}

	before := *b.cookies[refreshCookie]
	a = b.send(b.own(), renew, nil)
	if shown := graphtest.Get(a.Data, "customerAccessTokenRenew.customerAccessToken").(map[string]any); shown["accessToken"] != nil || shown["refreshToken"] != nil || b.cookies[refreshCookie].Value == before.Value {
		t.Errorf("renewed: %s", a.Body)
	}
	if got := b.sees(); got != ada.Email {
		t.Errorf("renewed, the page sees %q", got)
	}

	// The access cookie has expired, or is no good: the page is a guest's, and
	// can renew, sign in or sign out.
	for name, spoil := range map[string]func(){
		"gone":     func() { delete(b.cookies, accessCookie) },
		"nonsense": func() { b.cookies[accessCookie].Value = "nonsense" },
	} {
		spoil()
		if got := b.sees(); got != "" {
			t.Errorf("%s: the page sees %q", name, got)
		}
		if a = b.send(b.own(), renew, nil); b.sees() != ada.Email {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	delete(b.cookies, accessCookie)
	refresh := b.cookies[refreshCookie].Value
	a = b.send(b.own(), signOut, nil)
	if graphtest.Get(a.Data, "customerAccessTokenDelete.deletedCustomerAccessTokenId") == nil || len(b.cookies) != 0 {
		t.Errorf("%s, %v are left", a.Body, b.cookies)
	}
	if got := s.Do(renew, graphtest.Vars{"t": refresh}); graphtest.Get(got, "customerAccessTokenRenew.userErrors.0.code") != "SESSION_ENDED" {
		t.Errorf("after signing out: %v", got)
	}

	// Signed out on another device, the browser can still sign in.
	b.signIn(ada.Email)
	s.DoAs(ada.Access, `mutation { customerSessionsDelete { deleted } }`, nil)
	s.Until("the page is a guest's", func() bool { return b.sees() == "" })
	b.signIn(ada.Email)
	if got := b.sees(); got != ada.Email {
		t.Errorf("the page sees %q", got)
	}
	// Who shows a token is who the token says.
	bob := s.Customer("bob@example.org")
	if a = b.send(append(b.own(), "Authorization", "Bearer "+bob.Access), whoAmI, nil); graphtest.Get(a.Data, "customer.email") != bob.Email {
		t.Errorf("%s", a.Body)
	}
	// A client without cookies is not given any.
	if a = s.AskAs(bob.Access, signOut, nil); a.Header["Set-Cookie"] != nil || len(a.Errors) > 0 {
		t.Errorf("%s %v", a.Body, a.Header)
	}
}

func TestCookiesOfAShopOnOneMachine(t *testing.T) {
	s := graphtest.New(t, func(o *graph.Options) { o.Cookies = session.Cookies{} })
	s.Customer("ada@example.org")
	a := newBrowser(t, s).signIn("ada@example.org")
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Secure || strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly {
			t.Errorf("%v", c)
		}
	}
}

// Where an answer has no headers, cookies cannot be set, and nobody is signed in.
func TestCookiesNeedPlainHTTP(t *testing.T) {
	s := graphtest.New(t, nil)
	ada := s.Customer("ada@example.org")
	b := newBrowser(t, s)
	in := graphtest.Vars{"in": graphtest.Vars{"email": ada.Email, "password": graphtest.Password, "cookie": true}}
	a := b.send(append(b.own(), "Accept", "text/event-stream"), signIn, in)
	if text := string(a.Body); !strings.Contains(text, "graph.cookie") || !strings.Contains(text, "BAD_USER_INPUT") || a.Header["Set-Cookie"] != nil {
		t.Errorf("over a stream: %s", text)
	}
	b.signIn(ada.Email)
	ws := b.dial(b.own(), http.StatusSwitchingProtocols)
	for name, op := range map[string]struct {
		query string
		vars  graphtest.Vars
	}{"sign in": {signIn, in}, "renew": {renew, nil}} {
		ws.send(map[string]any{"id": name, "type": "subscribe", "payload": map[string]any{"query": op.query, "variables": op.vars}})
		if got := ws.receive(); !strings.Contains(got, "graph.cookie") {
			t.Errorf("%s over a socket: %s", name, got)
		}
		ws.receive() // complete
	}
	if got := b.sees(); got != ada.Email {
		t.Errorf("afterwards the page sees %q", got)
	}
	if sessions := s.DoAs(ada.Access, `{ customer { sessions { id } } }`, nil); len(graphtest.Get(sessions, "customer.sessions").([]any)) != 2 {
		t.Errorf("%v", sessions)
	}
}

// A page of another origin cannot act for the customer whose cookies the
// browser sends along, and what it tried was not done.
func TestForeignPagesCannotUseCookies(t *testing.T) {
	s := graphtest.New(t, func(o *graph.Options) { o.Origins = append(o.Origins, "*") })
	ada := s.Customer("ada@example.org")
	b := newBrowser(t, s)
	b.signIn(ada.Email)
	foreign := map[string][]string{
		"a foreign page":              {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"a page beside ours":          {"Origin", "https://blog.shop.example", "Sec-Fetch-Site", "same-site"},
		"a page in an old browser":    {"Origin", "https://evil.example"},
		"a page of no origin":         {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
		"a page that lies by its own": {"Origin", "https://" + strings.TrimPrefix(s.URL, "http://") + ".evil.example"},
	}
	const change = `mutation { customerUpdate(customer: {firstName: "Eve"}) { customer { firstName } customerUserErrors { code } } }`
	cookies := map[string][]string{"both cookies": {accessCookie, refreshCookie}, "the access cookie": {accessCookie}, "the refresh cookie": {refreshCookie}}
	for page, header := range foreign {
		for which, names := range cookies {
			f := newBrowser(t, s)
			for _, name := range names {
				f.cookies[name] = b.cookies[name]
			}
			for _, query := range []string{change, renew, signOut, whoAmI} {
				a := f.send(header, query, nil)
				if a.Status != 403 || a.Data != nil || a.Errors[0].Extensions["code"] != "FORBIDDEN" || a.Errors[0].Extensions["reason"] != "session.foreign" || a.Header["Set-Cookie"] != nil {
					t.Errorf("%s, %s: %d %s", page, which, a.Status, a.Body)
				}
			}
			if a := s.Send(http.MethodGet, "?query=%7Bcustomer%7Bemail%7D%7D", f.header(header...), nil); a.Status != 403 {
				t.Errorf("%s, %s, by GET: %d %s", page, which, a.Status, a.Body)
			}
			f.dial(header, http.StatusForbidden)
		}
		// Without cookies, any page may ask, and with a token.
		f := newBrowser(t, s)
		if a := f.send(append(header, "Authorization", "Bearer "+ada.Access), whoAmI, nil); graphtest.Get(a.Data, "customer.email") != ada.Email {
			t.Errorf("%s, with a token: %d %s", page, a.Status, a.Body)
		}
		f.cookies["_analytics"] = &http.Cookie{Value: "1"}
		f.dial(header, http.StatusSwitchingProtocols)
	}
	if got := b.sees(); got != ada.Email {
		t.Errorf("signed out: %q", got)
	}
	if got := s.DoAs(ada.Access, `{ customer { firstName } }`, nil); graphtest.Get(got, "customer.firstName") != "Ada" {
		t.Errorf("%v", got)
	}
	listed := []string{"Origin", graphtest.Listed, "Sec-Fetch-Site", "same-site"}
	if a := b.send(listed, whoAmI, nil); graphtest.Get(a.Data, "customer.email") != ada.Email {
		t.Errorf("a listed page: %d %s", a.Status, a.Body)
	}
	for _, page := range [][]string{listed, b.own()} {
		ws := b.dial(page, http.StatusSwitchingProtocols)
		ws.send(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": whoAmI}})
		if got := ws.receive(); !strings.Contains(got, ada.Email) {
			t.Errorf("over a socket: %s", got)
		}
	}
}

// A token that does not hold is told from one that was never sent, and the
// reason says whether to refresh it.
func TestBadAuthorization(t *testing.T) {
	s := graphtest.New(t, nil)
	ada := s.Customer("ada@example.org")
	s.Accounts.Clock.Pass(-15 * 60e9)
	old := s.SignIn(ada.Email)
	s.Accounts.Clock.Pass(15 * 60e9)
	for name, c := range map[string]struct {
		header string
		status int
		reason string
	}{
		"none":                {"", 200, ""},
		"good":                {"Bearer " + ada.Access, 200, ""},
		"good, in small":      {"bearer " + ada.Access, 200, ""},
		"another scheme":      {"Basic YWRhOmFkYQ==", 200, ""}, // of whatever stands before us
		"an empty token":      {"Bearer ", 200, ""},
		"a word":              {"Bearer undefined", 401, "token.invalid"},
		"a changed signature": {"Bearer " + ada.Access[:len(ada.Access)-8] + "AAAAAAAA", 401, "token.invalid"},
		"expired":             {"Bearer " + old.Access, 401, "token.expired"},
		"a refresh token":     {"Bearer " + ada.Refresh, 401, "token.invalid"},
		"huge":                {"Bearer " + strings.Repeat("x", 100_000), 401, "token.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.Send(http.MethodPost, "", map[string]string{"Content-Type": "application/json", "Authorization": c.header}, s.Body(`{ shop { name } }`, nil))
			if a.Status != c.status {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			challenge := a.Header.Get("WWW-Authenticate")
			if c.status == 200 {
				if challenge != "" || a.Data == nil {
					t.Errorf("%q %s", challenge, a.Body)
				}
				return
			}
			if !strings.HasPrefix(challenge, `Bearer error="invalid_token", error_description="`) {
				t.Errorf("WWW-Authenticate: %s", challenge)
			}
			if e := a.Errors[0].Extensions; e["code"] != "UNAUTHENTICATED" || e["reason"] != c.reason || a.Data != nil {
				t.Errorf("%s", a.Body)
			}
		})
	}
}

func TestAGuestsCartComesAlong(t *testing.T) {
	s := graphtest.New(t, nil)
	ada := s.Customer("ada@example.org")
	enter := func(cart any) map[string]any {
		t.Helper()
		in := graphtest.Vars{"email": ada.Email, "password": graphtest.Password}
		if cart != nil {
			in["cartId"] = cart
		}
		got := s.Do(signIn, graphtest.Vars{"in": in})
		if graphtest.Get(got, "customerAccessTokenCreate.customerAccessToken.accessToken") == nil {
			t.Fatalf("nobody was signed in: %v", got)
		}
		return got
	}
	quantities := func(got map[string]any) map[string]any {
		all := map[string]any{}
		lines, _ := graphtest.Get(got, "customerAccessTokenCreate.cart.lines.nodes").([]any)
		for _, line := range lines {
			id, _ := graphtest.Get(line, "merchandise.id").(string)
			all[id] = graphtest.Get(line, "quantity")
		}
		return all
	}
	mug, shirt := s.Variant("Café Mug", 0), s.Variant("Ocean Blue T-Shirt", 0)
	if got := enter(nil); graphtest.Get(got, "customerAccessTokenCreate.cart") != nil {
		t.Errorf("out of nothing: %v", got)
	}
	if got := quantities(enter(s.Fill("", "Café Mug"))); len(got) != 1 || got[mug] != 1.0 {
		t.Errorf("a first cart: %v", got)
	}
	if got := quantities(enter(s.Fill("", "Ocean Blue T-Shirt"))); len(got) != 2 || got[mug] != 1.0 || got[shirt] != 1.0 {
		t.Errorf("another cart: %v", got)
	}
	third := s.Fill("", "Café Mug")
	for range 2 {
		if got := quantities(enter(third)); len(got) != 2 || got[mug] != 2.0 || got[shirt] != 1.0 {
			t.Errorf("an equal line: %v", got)
		}
	}
	bob := s.Customer("bob@example.org")
	bobs := s.Fill("", "Café Mug")
	s.Do(signIn, graphtest.Vars{"in": graphtest.Vars{"email": bob.Email, "password": graphtest.Password, "cartId": bobs}})
	for name, id := range map[string]any{"none": nil, "nonsense": "nonsense", "unknown": "gid://ordergraph/Cart/nobody-knows-it", "somebody else's": bobs} {
		if got := quantities(enter(id)); len(got) != 2 || got[mug] != 2.0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A socketOf is a socket of a browser's page.
type socketOf struct {
	t  *testing.T
	ws *websocket.Conn
}

// dial opens a socket and expects this status; the socket is acknowledged.
func (b *browser) dial(page []string, status int) socketOf {
	b.t.Helper()
	k := b.upgrade(page, status)
	if k.ws == nil {
		return k
	}
	k.send(map[string]any{"type": "connection_init"})
	if got := k.receive(); !strings.Contains(got, "connection_ack") {
		b.t.Fatal(got)
	}
	return k
}

// upgrade opens a socket and expects this status.
func (b *browser) upgrade(page []string, status int) socketOf {
	b.t.Helper()
	header := http.Header{}
	for name, value := range b.header(page...) {
		header.Set(name, value)
	}
	ws, response, err := websocket.Dial(b.t.Context(), "ws"+strings.TrimPrefix(b.s.URL, "http"), &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
	if response == nil || response.StatusCode != status {
		b.t.Fatalf("%v: %v, want status %d", page, err, status)
	}
	if err != nil {
		return socketOf{}
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	return socketOf{b.t, ws}
}

func (k socketOf) send(message any) {
	k.t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.ws.Write(k.t.Context(), websocket.MessageText, text); err != nil {
		k.t.Fatal(err)
	}
}

// receive is the next message that is no ping, or why there is none.
func (k socketOf) receive() string {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), 30*time.Second)
	defer cancel()
	for {
		_, text, err := k.ws.Read(ctx)
		if err != nil {
			return err.Error()
		}
		if !strings.Contains(string(text), `"ping"`) {
			return string(text)
		}
	}
}
