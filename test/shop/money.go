package shop

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Ledger is what the card processor has done with people's money.
type Ledger struct {
	Orders []struct {
		Order                      string
		Charges, Captures, Refunds int
		Held, Captured, Refunded   int64
	}
}

// Ledger asks the card processor, which the shop cannot have mistaken.
func (s *Shop) Ledger() Ledger {
	s.t.Helper()
	resp, err := s.client.Get(s.Processor + "/sandbox/card/ledger")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var l Ledger
	if err := json.NewDecoder(resp.Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l
}

// Faults makes trouble at the card processor, in the words of its own API;
// without any it is well again.
func (s *Shop) Faults(faults map[string]any) {
	s.t.Helper()
	body, err := json.Marshal(faults)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.client.Post(s.Processor+"/sandbox/card/faults", "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("faults: %s", resp.Status)
	}
}

// MoneyMatches checks the second invariant against the processor's own books:
// who has a paid order was charged once, and nobody else keeps a charge.
// orders is each order's status and total in minor units, by id as in the
// ledger.
func (s *Shop) MoneyMatches(orders map[string]Paid) {
	s.t.Helper()
	charged := map[string]bool{}
	for _, o := range s.Ledger().Orders {
		paid := orders[o.Order]
		want := int64(0)
		if paid.holds() {
			want = paid.Total
			charged[o.Order] = true
		}
		if o.Captured-o.Refunded != want || o.Held != 0 || o.Captures > 1 {
			s.t.Errorf("order %s is %q and owes %d; the processor took %d, gave back %d and holds %d", o.Order, paid.Status, want, o.Captured, o.Refunded, o.Held)
		}
	}
	for id, o := range orders {
		if o.holds() && !charged[id] {
			s.t.Errorf("order %s is confirmed and was not paid for", id)
		}
	}
}

// Paid is what an order says of its money.
type Paid struct {
	Status string
	Total  int64 // minor units
}

// holds reports whether the shop keeps the money.
func (p Paid) holds() bool {
	switch p.Status {
	case "CONFIRMED", "FULFILLING", "SHIPPED", "DELIVERED":
		return true
	}
	return false
}
