package journey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/catalog/feed"
	"ordergraph/test/shop"
)

const teapots = "seven green teapots"

// A member is somebody who has signed in at the shop.
type member struct {
	t               *testing.T
	s               *shop.Shop
	email           string
	access, refresh string
}

// ask sends an operation as the member and returns the answer, with its status.
func (m *member) ask(query string, variables map[string]any) (shop.Answer, int) {
	m.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(limited(m.t, patience), http.MethodPost, m.s.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if m.access != "" {
		r.Header.Set("Authorization", "Bearer "+m.access)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	var answer shop.Answer
	if err := json.Unmarshal(text, &answer); err != nil {
		m.t.Fatalf("%s: %.300s", response.Status, text)
	}
	return answer, response.StatusCode
}

// do is ask that must succeed.
func (m *member) do(query string, variables map[string]any, result any) {
	m.t.Helper()
	answer, status := m.ask(query, variables)
	if len(answer.Errors) > 0 {
		m.t.Fatalf("%d %+v", status, answer.Errors)
	}
	if err := json.Unmarshal(answer.Data, result); err != nil {
		m.t.Fatal(err)
	}
}

type tokens struct{ AccessToken, RefreshToken string }

// enter signs somebody in, and reports why not.
func enter(t *testing.T, s *shop.Shop, email string) (m *member, code string) {
	t.Helper()
	m = &member{t: t, s: s, email: email}
	var got struct {
		CustomerAccessTokenCreate struct {
			CustomerAccessToken *tokens
			CustomerUserErrors  []shop.UserError
		}
	}
	m.do(`mutation ($in: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $in) { customerAccessToken { accessToken refreshToken } customerUserErrors { code message } } }`,
		map[string]any{"in": map[string]any{"email": email, "password": teapots}}, &got)
	p := got.CustomerAccessTokenCreate
	if p.CustomerAccessToken == nil {
		return m, fmt.Sprint(p.CustomerUserErrors)
	}
	m.access, m.refresh = p.CustomerAccessToken.AccessToken, p.CustomerAccessToken.RefreshToken
	return m, ""
}

func mustEnter(t *testing.T, s *shop.Shop, email string) *member {
	t.Helper()
	m, code := enter(t, s, email)
	if m.access == "" {
		t.Fatalf("%s cannot sign in: %s", email, code)
	}
	return m
}

// renew exchanges a refresh token.
func (m *member) renew(refresh string) (next tokens, code string) {
	m.t.Helper()
	var got struct {
		CustomerAccessTokenRenew struct {
			CustomerAccessToken *tokens
			UserErrors          []shop.UserError
		}
	}
	(&member{t: m.t, s: m.s}).do(`mutation ($t: String!) { customerAccessTokenRenew(refreshToken: $t) { customerAccessToken { accessToken refreshToken } userErrors { code message } } }`,
		map[string]any{"t": refresh}, &got)
	if p := got.CustomerAccessTokenRenew; p.CustomerAccessToken == nil {
		return next, p.UserErrors[0].Code
	}
	return *got.CustomerAccessTokenRenew.CustomerAccessToken, ""
}

// buy buys the variant, and returns the order's id.
func (m *member) buy(variant, key string) (order string) {
	m.t.Helper()
	var made struct {
		CartCreate struct{ Cart struct{ ID string } }
	}
	m.do(`mutation ($v: ID!) { cartCreate(input: {lines: [{merchandiseId: $v, quantity: 1}]}) { cart { id } } }`, map[string]any{"v": variant}, &made)
	m.s.Eventually(patience, m.email+" has bought", func() error {
		var got struct{ Checkout shop.Bought }
		answer, _ := m.ask(`mutation ($in: CheckoutInput!) { checkout(input: $in) { order { id status } userErrors { code message } } }`, map[string]any{"in": map[string]any{
			"cartId": made.CartCreate.Cart.ID, "idempotencyKey": key, "email": m.email, "phone": "+491701234567",
			"shippingAddress": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
			"payment":         map[string]any{"method": "pm_card_visa"},
		}})
		if len(answer.Errors) > 0 {
			return fmt.Errorf("%+v", answer.Errors)
		}
		if err := json.Unmarshal(answer.Data, &got); err != nil {
			return err
		}
		if got.Checkout.Order == nil || got.Checkout.Order.Status != "CONFIRMED" {
			return fmt.Errorf("%+v", got.Checkout)
		}
		order = got.Checkout.Order.ID
		return nil
	})
	return order
}

// orders are the ids of the member's orders.
func (m *member) orders() string {
	m.t.Helper()
	var got struct {
		Orders struct{ Nodes []struct{ ID string } }
	}
	m.do(`{ orders(first: 10) { nodes { id } } }`, nil, &got)
	ids := []string{}
	for _, o := range got.Orders.Nodes {
		ids = append(ids, o.ID)
	}
	return strings.Join(ids, " ")
}

// socket opens a graphql-ws connection that watches an order, and returns the
// next thing it says.
func (m *member) socket(order string) (next func() string) {
	m.t.Helper()
	ctx := limited(m.t, patience)
	ws, response, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(m.s.URL, "http")+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		m.t.Fatal(err, response)
	}
	m.t.Cleanup(func() { _ = ws.CloseNow() })
	say := func(message map[string]any) {
		text, err := json.Marshal(message)
		if err == nil {
			err = ws.Write(ctx, websocket.MessageText, text)
		}
		if err != nil {
			m.t.Error(err)
		}
	}
	next = func() string {
		for {
			_, text, err := ws.Read(ctx)
			if err != nil {
				return err.Error()
			}
			if !bytes.Contains(text, []byte(`"ping"`)) {
				return string(text)
			}
			say(map[string]any{"type": "pong"})
		}
	}
	say(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + m.access}})
	if got := next(); !strings.Contains(got, "connection_ack") {
		m.t.Fatal(got)
	}
	say(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{
		"query": `subscription ($id: ID!) { orderStatus(orderId: $id) { status } }`, "variables": map[string]any{"id": order},
	}})
	return next
}

// refused waits until the member's token is.
func (m *member) refused() {
	m.t.Helper()
	m.s.Eventually(patience, "the token is refused", func() error {
		answer, status := m.ask(`{ shop { name } }`, nil)
		if status != http.StatusUnauthorized || len(answer.Errors) != 1 || answer.Errors[0].Extensions["reason"] != "token.ended" {
			return fmt.Errorf("%d %+v", status, answer)
		}
		return nil
	})
}

func TestCustomers(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(20))})
		variant := s.Variant("mug")

		// Who has registered signs in when the address is confirmed, not before.
		guest := &member{t: t, s: s}
		var registered struct {
			CustomerCreate struct{ CustomerUserErrors []shop.UserError }
		}
		guest.do(`mutation ($in: CustomerCreateInput!) { customerCreate(input: $in) { customerUserErrors { code message } } }`,
			map[string]any{"in": map[string]any{"email": "eve@example.net", "password": teapots, "phone": "+491709876543"}}, &registered)
		if m, code := enter(t, s, "eve@example.net"); m.access != "" || !strings.Contains(code, "UNIDENTIFIED_CUSTOMER") || registered.CustomerCreate.CustomerUserErrors == nil {
			t.Errorf("unconfirmed: %s, %+v", code, registered)
		}
		accounts := shop.Dial(s, accountrpc.Contract)
		for _, email := range []string{"ada@example.net", "bob@example.net"} {
			_, err := accounts.CreateStaff(t.Context(), identity.Ourselves(), account.StaffInput{Email: email, Password: teapots, Roles: []identity.Role{identity.Customer}})
			if err != nil {
				t.Fatal(err)
			}
		}

		ada, bob := mustEnter(t, s, "ada@example.net"), mustEnter(t, s, "bob@example.net")
		if got := ada.orders(); got != "" {
			t.Errorf("Ada has orders: %s", got)
		}
		order := ada.buy(variant, "ada-buys-a-mug-0001")
		if got := ada.orders(); got != order {
			t.Errorf("Ada has bought %s and sees %q", order, got)
		}
		var seen struct{ Order *struct{ Status string } }
		const one = `query ($id: ID!) { order(id: $id) { status } }`
		if ada.do(one, map[string]any{"id": order}, &seen); seen.Order == nil || seen.Order.Status != "CONFIRMED" {
			t.Errorf("Ada sees %+v", seen)
		}
		for name, m := range map[string]*member{"Bob": bob, "a guest": guest} {
			if m.do(one, map[string]any{"id": order}, &seen); seen.Order != nil {
				t.Errorf("%s sees %+v", name, seen)
			}
		}
		if got := bob.orders(); got != "" {
			t.Errorf("Bob sees %s", got)
		}
		if got := bob.socket(order)(); !strings.Contains(got, "NOT_FOUND") {
			t.Errorf("Bob watches: %s", got)
		}

		// Signed out everywhere, on another device: what is open is closed, and
		// what was signed is no longer believed.
		next := ada.socket(order)
		if got := next(); !strings.Contains(got, "CONFIRMED") {
			t.Errorf("Ada watches: %s", got)
		}
		var deleted struct{ CustomerSessionsDelete struct{ Deleted bool } }
		phone := mustEnter(t, s, ada.email)
		if phone.do(`mutation { customerSessionsDelete { deleted } }`, nil, &deleted); !deleted.CustomerSessionsDelete.Deleted {
			t.Error("it is not done")
		}
		got := next()
		for strings.Contains(got, `"type":"next"`) { // the order's invoice and messages go on
			got = next()
		}
		if !strings.Contains(got, "4401") {
			t.Errorf("the socket says %s", got)
		}
		ada.refused()
		phone.refused()
		if _, code := ada.renew(ada.refresh); code != "SESSION_ENDED" {
			t.Errorf("its refresh token: %q", code)
		}

		// A refresh token that comes back later ends the whole session.
		again := mustEnter(t, s, ada.email)
		second, code := again.renew(again.refresh)
		if code != "" {
			t.Fatal(code)
		}
		third, code := again.renew(second.RefreshToken)
		if code != "" {
			t.Fatal(code)
		}
		if _, code := again.renew(again.refresh); code != "SESSION_ENDED" {
			t.Errorf("the first token, again: %q", code)
		}
		if _, code := again.renew(third.RefreshToken); code != "SESSION_ENDED" {
			t.Errorf("the last token after that: %q", code)
		}
		(&member{t: t, s: s, access: third.AccessToken}).refused()
		again.refused()

		if got := bob.orders(); got != "" {
			t.Errorf("Bob sees %s", got)
		}
		s.Check()
		secrets := []string{teapots, "ada@example.net", "bob@example.net", "eve@example.net", "+491701234567", "+491709876543", "Hafenstrasse"}
		for _, m := range []*member{ada, bob, phone, again, {access: second.AccessToken, refresh: second.RefreshToken}, {access: third.AccessToken, refresh: third.RefreshToken}} {
			secrets = append(secrets, m.access, m.refresh, m.access[strings.LastIndexByte(m.access, '.')+1:])
		}
		s.KeepsSecrets(secrets...)
	})
}

// A gateway whose account service dies goes on believing who was signed in, and
// hears of sessions that end when it is back.
func TestTheAccountServiceDies(t *testing.T) {
	t.Parallel()
	s := shop.Start(t, shop.Six)
	accounts := shop.Dial(s, accountrpc.Contract)
	if _, err := accounts.CreateStaff(t.Context(), identity.Ourselves(), account.StaffInput{Email: "ada@example.net", Password: teapots, Roles: []identity.Role{identity.Customer}}); err != nil {
		t.Fatal(err)
	}
	ada, other := mustEnter(t, s, "ada@example.net"), mustEnter(t, s, "ada@example.net")
	ada.do(`{ shop { name } }`, nil, &struct{}{})
	s.Kill("account")
	for range 3 {
		for _, m := range []*member{ada, other} { // the gateway has not seen the other's token yet
			m.do(`{ shop { name } }`, nil, &struct{}{})
		}
	}
	s.Start("account")
	s.WaitReady()
	s.Eventually(patience, "she signs out everywhere", func() error {
		answer, _ := other.ask(`mutation { customerSessionsDelete { deleted } }`, nil)
		if len(answer.Errors) > 0 {
			return errors.New(answer.Errors[0].Message)
		}
		return nil
	})
	ada.refused()
	other.refused()
}
