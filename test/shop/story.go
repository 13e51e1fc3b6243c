package shop

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/feed"
)

// Thing makes a product of one variant with so many units in each warehouse.
func Thing(handle string, cents int64, stock ...feed.Level) feed.Product {
	return feed.Product{
		ProductInput: catalog.ProductInput{
			Handle: handle, Title: strings.ToUpper(handle[:1]) + handle[1:], Published: true,
			Variants: []catalog.VariantInput{{SKU: strings.ToUpper(handle), Price: money.Of(cents, "EUR"), WeightGrams: 300, RequiresShipping: true, Taxable: true}},
		},
		Stock: [][]feed.Level{stock},
	}
}

// Variant is the global id of the product's first variant.
func (s *Shop) Variant(handle string) string {
	s.t.Helper()
	var got struct {
		Product *struct {
			Variants struct{ Nodes []struct{ ID string } }
		}
	}
	s.Do(`query ($handle: String!) { product(handle: $handle) { variants(first: 1) { nodes { id } } } }`, map[string]any{"handle": handle}, &got)
	if got.Product == nil || len(got.Product.Variants.Nodes) == 0 {
		s.t.Fatalf("there is no product %q", handle)
	}
	return got.Product.Variants.Nodes[0].ID
}

// CartLine is a line to be put into a cart.
type CartLine struct {
	MerchandiseID string           `json:"merchandiseId"`
	Quantity      int              `json:"quantity"`
	Attributes    []map[string]any `json:"attributes,omitempty"`
}

// UserError is an expected outcome.
type UserError struct {
	Code    string
	Field   []string
	Message string
}

// Cart makes a cart and returns its id.
func (s *Shop) Cart(ctx context.Context, lines ...CartLine) (string, error) {
	var got struct {
		CartCreate struct {
			Cart       *struct{ ID string }
			UserErrors []UserError
		}
	}
	err := s.Try(ctx, `mutation ($lines: [CartLineInput!]) { cartCreate(input: {lines: $lines}) { cart { id } userErrors { code field message } } }`,
		map[string]any{"lines": lines}, &got)
	if err != nil {
		return "", err
	}
	if got.CartCreate.Cart == nil || len(got.CartCreate.UserErrors) > 0 {
		return "", fmt.Errorf("cartCreate: %+v", got.CartCreate.UserErrors)
	}
	return got.CartCreate.Cart.ID, nil
}

// Order is what journeys look at of an order.
type Order struct {
	ID      string
	Number  string
	Version int
	Status  string
	Reason  string
	Totals  struct {
		TotalAmount struct{ Amount, CurrencyCode string }
	}
	Payment  *struct{ State, ActionURL string }
	Problems []UserError
	Timeline []struct{ Status string }
}

// Paid is the order's money.
func (o Order) Paid() Paid {
	a, err := money.Parse(o.Totals.TotalAmount.Amount, "EUR")
	if err != nil {
		a.Minor = -1
	}
	return Paid{o.Status, a.Minor}
}

// Key is the order's id as other systems know it, without its global form.
func (o Order) Key() string { return o.ID[strings.LastIndexByte(o.ID, '/')+1:] }

const orderFields = `id number version status reason totals { totalAmount { amount currencyCode } } payment { state actionUrl } problems { code message } timeline { status }`

// Bought is the answer to a checkout.
type Bought struct {
	Order       *Order
	AccessToken string
	UserErrors  []UserError
}

// Checkout buys a cart with the card and the idempotency key.
func (s *Shop) Checkout(ctx context.Context, cart, card, key string) (Bought, error) {
	var got struct{ Checkout Bought }
	err := s.Try(ctx, `mutation ($input: CheckoutInput!) { checkout(input: $input) { order { `+orderFields+` } accessToken userErrors { code field message } } }`,
		map[string]any{"input": map[string]any{
			"cartId": cart, "idempotencyKey": key, "email": "ada@example.com", "phone": "+491701234567",
			"shippingAddress": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
			"payment":         map[string]any{"method": card},
		}}, &got)
	return got.Checkout, err
}

// Settle is Checkout as often as it takes until the order has ended or waits
// for its customer. The one key makes that one order.
func (s *Shop) Settle(ctx context.Context, cart, card, key string) (bought Bought, err error) {
	err = patiently(ctx, func() error {
		bought, err = s.Checkout(ctx, cart, card, key)
		switch o := bought.Order; {
		case err != nil || o == nil || o.Status == "CONFIRMED" || o.Status == "FAILED":
			return err
		case o.Payment != nil && o.Payment.ActionURL != "":
			return nil
		default:
			return fmt.Errorf("order %s is %s", o.ID, o.Status)
		}
	})
	return bought, err
}

// Order reads an order as a guest with its token does; nil when there is none.
func (s *Shop) Order(ctx context.Context, id, token string) (*Order, error) {
	var got struct{ Order *Order }
	err := s.Try(ctx, `query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { `+orderFields+` } }`,
		map[string]any{"id": id, "token": token}, &got)
	return got.Order, err
}

// Buy makes a cart of one variant and finishes it.
func (s *Shop) Buy(ctx context.Context, variant, card, key string) (Order, error) {
	cart, err := s.PatientCart(ctx, variant)
	if err != nil {
		return Order{}, err
	}
	return s.Finish(ctx, cart, card, key)
}

// PatientCart makes a cart of one variant as a patient client does: what is
// lost on the way is asked for again.
func (s *Shop) PatientCart(ctx context.Context, variant string) (cart string, err error) {
	err = patiently(ctx, func() (err error) {
		cart, err = s.Cart(ctx, CartLine{MerchandiseID: variant, Quantity: 1})
		return err
	})
	return cart, err
}

// Finish checks a cart out as a patient client does: whatever is lost on the
// way is asked for again under the one key, until the order is CONFIRMED or
// FAILED.
func (s *Shop) Finish(ctx context.Context, cart, card, key string) (Order, error) {
	var bought Bought
	err := patiently(ctx, func() (err error) {
		if bought, err = s.Checkout(ctx, cart, card, key); err == nil && bought.Order == nil {
			return fmt.Errorf("no order: %+v", bought.UserErrors)
		}
		return err
	})
	if err != nil {
		return Order{}, err
	}
	order := bought.Order
	err = patiently(ctx, func() error {
		if order.Status == "CONFIRMED" || order.Status == "FAILED" {
			return nil
		}
		now, err := s.Order(ctx, bought.Order.ID, bought.AccessToken)
		if err != nil || now == nil {
			return fmt.Errorf("order: %v, %w", now, err)
		}
		order = now
		return fmt.Errorf("order %s is %s", order.ID, order.Status)
	})
	return *order, err
}

// patiently tries again until ctx ends, every 100 ms.
func patiently(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%w; at last: %w", ctx.Err(), err)
		}
	}
}

// Available is how many units of the product's first variant may be bought.
func (s *Shop) Available(handle string) int {
	s.t.Helper()
	var got struct {
		Product struct {
			Variants struct {
				Nodes []struct{ QuantityAvailable int }
			}
		}
	}
	s.Do(`query ($handle: String!) { product(handle: $handle) { variants(first: 1) { nodes { quantityAvailable } } } }`, map[string]any{"handle": handle}, &got)
	return got.Product.Variants.Nodes[0].QuantityAvailable
}

// Count counts orders by status and reason: "CONFIRMED", "FAILED OUT_OF_STOCK".
func Count(orders []Order) map[string]int {
	n := map[string]int{}
	for _, o := range orders {
		what := strings.TrimSpace(o.Status + " " + o.Reason)
		if o.Reason == "CART_INVALID" && len(o.Problems) > 0 {
			what += " " + o.Problems[0].Code
		}
		n[what]++
	}
	return n
}

// Key makes an idempotency key of a journey's words.
func Key(what string, n int) string { return what + "-" + strconv.Itoa(n) + "-0123456789" }
