package journey

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/test/shop"
)

var tokenOf = regexp.MustCompile(`/account/verify\?token=([A-Za-z0-9_.%-]+)`)

// A customer registers, finds the mail, confirms the address and signs in.
func TestRegisterByMail(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		const email, password = "ada@example.com", "seven green teapots"
		var created struct {
			CustomerCreate struct {
				CustomerUserErrors []shop.UserError
			}
		}
		s.Do(`mutation ($in: CustomerCreateInput!) { customerCreate(input: $in) { customerUserErrors { code field message } } }`,
			map[string]any{"in": map[string]any{"email": email, "password": password, "firstName": "Ada", "locale": "de"}}, &created)
		if len(created.CustomerCreate.CustomerUserErrors) > 0 {
			t.Fatalf("%+v", created)
		}
		signIn := func() string {
			var got struct {
				CustomerAccessTokenCreate struct {
					CustomerAccessToken *struct{ AccessToken string }
				}
			}
			s.Do(`mutation ($in: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $in) { customerAccessToken { accessToken } } }`,
				map[string]any{"in": map[string]any{"email": email, "password": password}}, &got)
			if token := got.CustomerAccessTokenCreate.CustomerAccessToken; token != nil {
				return token.AccessToken
			}
			return ""
		}
		if signIn() != "" {
			t.Error("signed in before the address is confirmed")
		}

		m := s.Inbox(email).Wait(t, "Bitte bestätigen")
		link := tokenOf.FindStringSubmatch(m.HTML)
		if link == nil || !strings.Contains(m.HTML, s.URL+link[0]) || m.Language != "de" || !strings.Contains(m.Text, "Hallo Ada,") {
			t.Fatalf("%+v", m)
		}
		token, err := url.QueryUnescape(link[1])
		if err != nil || !strings.Contains(m.Text, token) {
			t.Fatalf("token %q, %v", token, err)
		}
		s.Do(`mutation ($token: String!) { customerEmailVerify(token: $token) { customerUserErrors { code } } }`, map[string]any{"token": token}, &struct{}{})
		if signIn() == "" {
			t.Error("cannot sign in after the address was confirmed")
		}
		s.KeepsSecrets(token, email, password)
	})
}

// A purchase is confirmed by mail in the buyer's language, once, with what was
// paid; and staff see what was sent.
func TestPurchaseIsConfirmedByMail(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("lantern", 123450, here(20))})
		variant := s.Variant("lantern")
		cart, err := s.PatientCart(limited(t, patience), variant)
		if err != nil {
			t.Fatal(err)
		}
		var bought struct{ Checkout shop.Bought }
		s.Do(`mutation ($input: CheckoutInput!) { checkout(input: $input) { order { id number status totals { totalAmount { amount } } } accessToken userErrors { code message } } }`,
			map[string]any{"input": map[string]any{
				"cartId": cart, "idempotencyKey": "by-mail-0001", "email": "grace@example.com", "locale": "de-DE",
				"shippingAddress": map[string]any{"firstName": "Grace", "lastName": "Hopper", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
				"payment":         map[string]any{"method": "pm_card_visa"},
			}}, &bought)
		o := bought.Checkout.Order
		if o == nil {
			t.Fatalf("%+v", bought)
		}
		confirmed := o.Number + " ist bestätigt" // where the invoice is late, a mail with it follows
		m := s.Inbox("grace@example.com").Wait(t, confirmed)
		total := german(o.Totals.TotalAmount.Amount)
		text := strings.ReplaceAll(m.Text, "\u00a0", " ")
		if !strings.Contains(text, "Gesamtbetrag: "+total+" €") || !strings.Contains(text, "1.234,50 €") || !strings.Contains(text, "Hallo Grace,") {
			t.Errorf("%s is not in %s: %s", total, m.Subject, text)
		}
		service := shop.Dial(s, notificationrpc.Contract)
		s.Eventually(patience, "the mail counts as sent", func() error {
			all, err := service.List(t.Context(), identity.Ourselves(), notification.OrderSubject(o.Key()))
			if err != nil {
				return err
			}
			for _, n := range all {
				if n.Kind == notification.OrderConfirmed && n.Status == notification.Sent && "<"+n.MessageID+">" == m.MessageID {
					return nil
				}
			}
			return fmt.Errorf("%+v", all)
		})
		s.Inbox("grace@example.com").Wait(t, confirmed) // still one
		s.KeepsSecrets("grace@example.com", bought.Checkout.AccessToken)
	})
}

// german writes an amount as Germans do: 1234.5 is 1.234,50.
func german(decimal string) string {
	whole, cents, _ := strings.Cut(decimal, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	return whole + "," + (cents + "00")[:2]
}
