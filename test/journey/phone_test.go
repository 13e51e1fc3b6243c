package journey

import (
	"fmt"
	"strings"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/test/shop"
)

// A purchase is confirmed on the buyer's phone, and the shop knows that it has
// arrived. Who answers STOP is left alone; the mail still comes.
func TestPurchaseIsConfirmedOnThePhone(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("lantern", 123450, here(20))})
		variant := s.Variant("lantern")
		service := shop.Dial(s, notificationrpc.Contract)
		const email, number = "ada@example.com", "+491701234567" // whom Buy buys for
		// becomes waits for what the shop knows of an order's text message.
		becomes := func(o shop.Order, want notification.Status) {
			t.Helper()
			s.Eventually(patience, fmt.Sprintf("the message of %s is %s", o.Number, want), func() error {
				all, err := service.List(t.Context(), identity.Ourselves(), notification.OrderSubject(o.Key()))
				if err != nil {
					return err
				}
				for _, n := range all {
					if n.Channel == notification.SMS && n.Kind == notification.OrderConfirmed && n.Status == want {
						return nil
					}
				}
				return fmt.Errorf("%+v", all)
			})
		}

		first, err := s.Buy(limited(t, patience), variant, "pm_card_visa", shop.Key("phone", 1))
		if err != nil {
			t.Fatal(err)
		}
		if m := s.Phone(number).Wait(t, first.Number); m.Status != "delivered" {
			t.Errorf("%+v", m)
		}
		becomes(first, notification.Delivered)

		heard := func(n int) {
			t.Helper()
			s.Eventually(patience, fmt.Sprintf("the shop hears %d things", n), func() error {
				got, err := s.Heard()
				if err == nil && got < n {
					err = fmt.Errorf("%d", got)
				}
				return err
			})
		}
		heard(2) // sent, delivered
		s.Phone(number).Reply(t, "Stop")
		heard(3)
		second, err := s.Buy(limited(t, patience), variant, "pm_card_visa", shop.Key("phone", 2))
		if err != nil {
			t.Fatal(err)
		}
		becomes(second, notification.OptedOut)
		s.Inbox(email).Wait(t, second.Number+" is confirmed")
		texts, err := s.Phone(number).Texts()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range texts {
			if strings.Contains(m.Body, second.Number) {
				t.Errorf("sent after STOP: %+v", m)
			}
		}
		s.KeepsSecrets(number, email)
	})
}
