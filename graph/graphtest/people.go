package graphtest

import (
	"crypto/rand"
	"strings"
	"testing"

	"ordergraph/graph/session"
	"ordergraph/platform/clocktest"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
)

// Listed is an origin whose pages may send cookies.
const Listed = "https://app.shop.example"

// Cookies are those of a shop that is reached over https.
var Cookies = session.Cookies{Secure: true}

// Password is everybody's.
const Password = accounttest.Password

// Somebody is a person who has signed in.
type Somebody struct {
	ID      string // global
	Email   string
	Session string
	Access  string // token
	Refresh string // token
}

func openAccounts(t testing.TB, bell account.Bell) *accounttest.World {
	clock := &clocktest.Clock{}
	w := accounttest.New(t, func(o *account.Options) { o.Now, o.Bell = clock.Now, bell })
	w.Clock = clock
	return w
}

func (s *Shop) openSessions(hub *live.Hub) {
	s.t.Helper()
	var err error
	s.Sessions, err = session.New(session.Options{
		Accounts: s.Accounts.Keeper, Hub: hub, Verifier: s.Accounts.Verifier(s.Accounts.Keeper), Cookies: Cookies, Origins: []string{Listed},
	})
	s.must(err)
	s.t.Cleanup(func() { s.must(s.Sessions.Close()) })
}

// Customer registers somebody, takes the token out of the mail, and signs in.
func (s *Shop) Customer(email string) Somebody {
	s.t.Helper()
	s.Do(`mutation ($in: CustomerCreateInput!) { customerCreate(input: $in) { customerUserErrors { message } } }`,
		Vars{"in": Vars{"email": email, "password": Password, "firstName": "Ada"}})
	mail := s.Accounts.Latest(strings.ToLower(email), account.MailVerify)
	if got := s.Do(`mutation ($t: String!) { customerEmailVerify(token: $t) { verified } }`, Vars{"t": mail.Token}); Get(got, "customerEmailVerify.verified") != true {
		s.t.Fatalf("%s is not verified: %v", email, got)
	}
	return s.SignIn(email)
}

// Staff is somebody who works here, and has signed in.
func (s *Shop) Staff(role identity.Role) Somebody {
	s.t.Helper()
	s.Accounts.Staff(role)
	return s.SignIn(string(role) + "@shop.example")
}

// SignIn begins a session of somebody who has an account.
func (s *Shop) SignIn(email string) Somebody {
	s.t.Helper()
	got := s.Do(`mutation ($in: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $in) {
		customerAccessToken { accessToken refreshToken } customer { id } customerUserErrors { code message } } }`,
		Vars{"in": Vars{"email": email, "password": Password}})
	text := func(path string) string {
		text, ok := Get(got, "customerAccessTokenCreate."+path).(string)
		if !ok {
			s.t.Fatalf("sign in as %s: %v", email, got)
		}
		return text
	}
	b := Somebody{ID: text("customer.id"), Email: email, Access: text("customerAccessToken.accessToken"), Refresh: text("customerAccessToken.refreshToken")}
	b.Session, _ = Get(s.DoAs(b.Access, `{ customer { sessions { id current } } }`, nil), "customer.sessions.0.id").(string)
	return b
}

// A Purchase is a cart that was bought.
type Purchase struct {
	Order string // global id
	Token string // for guests
}

// Fill makes a cart with one unit of the product, of who has the access token.
func (s *Shop) Fill(access, title string) (id string) {
	s.t.Helper()
	got := s.DoAs(access, `mutation ($l: [CartLineInput!]) { cartCreate(input: {lines: $l}) { cart { id } userErrors { code message } } }`,
		Vars{"l": []any{Vars{"merchandiseId": s.Variant(title, 0), "quantity": 1}}})
	id, ok := Get(got, "cartCreate.cart.id").(string)
	if !ok {
		s.t.Fatal(got)
	}
	return id
}

// Buy buys one unit of the product for who has the access token.
func (s *Shop) Buy(access, title string) Purchase {
	s.t.Helper()
	got := s.DoAs(access, `mutation ($in: CheckoutInput!) { checkout(input: $in) { order { id status } accessToken userErrors { code message } } }`, Vars{"in": Vars{
		"cartId": s.Fill(access, title), "idempotencyKey": rand.Text(), "email": "ada@example.org", "phone": "+491701234567", "payment": Vars{"method": "pm_card_visa"},
		"shippingAddress": Vars{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
	}})
	if Get(got, "checkout.order.status") != "CONFIRMED" {
		s.t.Fatal(got)
	}
	p := Purchase{}
	p.Order, _ = Get(got, "checkout.order.id").(string)
	p.Token, _ = Get(got, "checkout.accessToken").(string)
	return p
}
