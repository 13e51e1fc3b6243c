package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicerpc"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

// Orders is the environment variable that says how many orders each journey
// places, to try more than there is time for after every change; kills grow
// with it.
const Orders = "ORDERGRAPH_AFTER_ORDERS"

func ordersEach(t *testing.T) int {
	text := os.Getenv(Orders)
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 10 {
		t.Fatalf("%s=%s is not a number from 10", Orders, text)
	}
	return n
}

// patience is far longer than anything takes.
const patience = 5 * time.Minute

// TestAfterTheOrder has many orders told and invoiced while providers and
// processes fail, each in its own way, and then looks whether everybody got
// everything, and nothing twice that is not accounted for.
func TestAfterTheOrder(t *testing.T) {
	a := &aftermath{t: t, Shop: shop.Start(t, shop.Six, "INVOICE_GRACE=2s"), n: ordersEach(t)}
	a.Fill([]feed.Product{shop.Thing("kite", 2350, feed.Level{Warehouse: inventory.DefaultWarehouse, OnHand: 1_000_000})})
	a.variant = a.Variant("kite")
	a.messages, a.invoices = shop.Dial(a.Shop, notificationrpc.Contract), shop.Dial(a.Shop, invoicerpc.Contract)
	t.Run("answers are lost", a.answersAreLost)
	t.Run("the invoice service is away", a.invoicesAreAway)
	t.Run("processes are killed and providers are busy", a.processesAreKilled)
	t.Run("Redis forgets everything", a.redisForgets)
	t.Run("some mails are poison", a.someArePoison)
	t.Run("invoices are numbered without a gap", a.invoicesHaveNoGap)
}

// An aftermath is a shop, and what was bought in it.
type aftermath struct {
	*shop.Shop
	t        *testing.T
	n        int // orders of each journey
	variant  string
	messages notification.Service
	invoices invoice.Service
	bought   []customer // in all journeys
}

// A customer has one order.
type customer struct{ id, email, phone string }

func (a *aftermath) within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// buy places the orders of one journey, several at once. every is called after
// each share of them, from one goroutine at a time.
func (a *aftermath) buy(t *testing.T, shares int, every func(share int)) []customer {
	t.Helper()
	ctx := a.within(t)
	all := make([]customer, a.n)
	var done atomic.Int64
	var next sync.Mutex
	share, work := 0, make(chan int, a.n)
	for i := range a.n {
		work <- i
	}
	close(work)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for i := range work {
				c, err := a.order(ctx, len(a.bought)+i)
				if err != nil {
					t.Errorf("order %d: %v", i, err)
					continue
				}
				all[i] = c
				n := int(done.Add(1))
				next.Lock()
				for share < shares && n >= (share+1)*a.n/(shares+1) {
					share++
					every(share)
				}
				next.Unlock()
			}
		})
	}
	clients.Wait()
	a.bought = append(a.bought, all...)
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// order buys as a patient client does: with one key, until it is confirmed.
func (a *aftermath) order(ctx context.Context, n int) (customer, error) {
	c := customer{email: fmt.Sprintf("after%d@example.com", n), phone: fmt.Sprintf("+49151%08d", 12_000_000+n)}
	cart, err := a.PatientCart(ctx, a.variant)
	if err != nil {
		return c, err
	}
	for {
		var got struct {
			Checkout struct {
				Order      *struct{ ID, Status, Reason string }
				UserErrors []shop.UserError
			}
		}
		err := a.Try(ctx, `mutation ($input: CheckoutInput!) { checkout(input: $input) { order { id status reason } userErrors { code message } } }`,
			map[string]any{"input": map[string]any{
				"cartId": cart, "idempotencyKey": shop.Key("after", n), "email": c.email, "phone": c.phone, "locale": "en",
				"shippingAddress": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
				"payment":         map[string]any{"method": "pm_card_visa"},
			}}, &got)
		switch o := got.Checkout.Order; {
		case err == nil && o == nil:
			return c, fmt.Errorf("%+v", got.Checkout.UserErrors)
		case err == nil && o.Status == "FAILED":
			return c, fmt.Errorf("the order failed: %s", o.Reason)
		case err == nil && o.Status != "PENDING" && o.Status != "RESERVED" && o.Status != "PAYING":
			c.id = o.ID[strings.LastIndexByte(o.ID, '/')+1:]
			return c, nil
		}
		select {
		case <-ctx.Done():
			return c, fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// faults makes trouble at the mail server and the phone company.
func (a *aftermath) faults(t *testing.T, post mail.Faults, phone twilio.Faults) {
	t.Helper()
	for path, faults := range map[string]any{"mail": post, "phone": phone} {
		body, err := json.Marshal(faults)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(a.Processor+"/sandbox/"+path+"/faults", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("faults of the %s: %s", path, resp.Status)
		}
	}
}

// get reads what the sandbox shows.
func (a *aftermath) get(t *testing.T, path string, into any) {
	t.Helper()
	resp, err := http.Get(a.Processor + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// story is what was said about an order, by kind and channel.
type story map[string]notification.Notification

func (a *aftermath) story(ctx context.Context, c customer) (story, error) {
	all, err := a.messages.List(ctx, identity.Ourselves(), notification.OrderSubject(c.id))
	if err != nil {
		return nil, err
	}
	s := story{}
	for _, n := range all {
		s[string(n.Kind)+" "+string(n.Channel)] = n
	}
	return s, nil
}

// settled waits until all that is to be said about the orders has been said.
// What was given up is replayed, as its operator would do.
func (a *aftermath) settled(t *testing.T, all []customer) map[string]story {
	t.Helper()
	ctx := a.within(t)
	stories := map[string]story{}
	began := time.Now()
	for _, c := range all {
		a.Eventually(patience, "everything is said about order "+c.id, func() error {
			s, err := a.story(ctx, c)
			if err != nil {
				return err
			}
			if s["confirmed MAIL"].ID == "" || s["confirmed SMS"].ID == "" {
				return fmt.Errorf("only %+v", s)
			}
			for what, n := range s {
				if n.Status == notification.Dead {
					if _, err := a.messages.Replay(ctx, identity.Ourselves(), n.ID); err != nil {
						return err
					}
				}
				if n.Status == notification.Dead || n.Status == notification.Queued {
					return fmt.Errorf("%s is %s: %+v", what, n.Status, n.Attempts)
				}
			}
			stories[c.id] = s
			return nil
		})
	}
	t.Logf("%d orders told %v after the last", len(all), time.Since(began).Round(time.Millisecond))
	return stories
}

// A letter is a mail as the sandbox shows it.
type letter struct {
	MessageID   string
	Subject     string
	Text        string
	Attachments []struct{ Name string }
}

// wantTold looks at what the customers got: the order's confirmation by mail
// and by SMS, and its invoice once, with the one mail or the other. What came
// more than once was counted as a repeat; exactly says that all repeats came.
func (a *aftermath) wantTold(t *testing.T, all []customer, exactly bool) (promises int) {
	t.Helper()
	stories := a.settled(t, all)
	var post mail.Ledger
	a.get(t, "/sandbox/mail/ledger", &post)
	for _, c := range all {
		s := stories[c.id]
		for what, n := range s {
			if n.Channel != notification.Mail {
				continue
			}
			copies := post.IDs["<"+n.MessageID+">"]
			switch {
			case n.Status == notification.Obsolete && copies == 0:
			case n.Status != notification.Sent, copies < 1, copies > 1+n.Repeats, exactly && copies != 1+n.Repeats:
				t.Errorf("%s of %s arrived %d times: %+v", what, c.id, copies, n)
			}
		}
		var texts struct{ Messages []twilio.Message }
		a.get(t, "/sandbox/phone/messages?phone="+strings.Replace(c.phone, "+", "%2B", 1), &texts)
		if n := s["confirmed SMS"]; len(texts.Messages) < 1 || len(texts.Messages) > 1+n.Repeats || n.Status == notification.Obsolete {
			t.Errorf("%d SMS about %s: %+v", len(texts.Messages), c.id, n)
		}
		if a.n <= 100 { // the sandbox keeps some hundreds
			promises += a.wantInvoice(t, c, s)
		}
	}
	return promises
}

// wantInvoice looks at the mails about an order, and counts the promise.
func (a *aftermath) wantInvoice(t *testing.T, c customer, s story) (promises int) {
	t.Helper()
	var got struct{ Messages []letter }
	a.get(t, "/sandbox/mail/messages?to="+c.email, &got)
	inv, err := a.invoices.Get(a.within(t), identity.Ourselves(), c.id, "")
	if err != nil {
		t.Error(err)
	}
	bring, promise := map[string]bool{}, map[string]bool{}
	for _, m := range got.Messages {
		if strings.Contains(m.Text, "We will send invoice soon") {
			promise[m.MessageID] = true
		}
		for _, file := range m.Attachments {
			if strings.HasSuffix(file.Name, ".pdf") {
				bring[m.MessageID] = true
				if file.Name != inv.Number+".pdf" {
					t.Errorf("%s brings %s, not %s", m.MessageID, file.Name, inv.Number)
				}
			}
		}
	}
	follows := "<" + s["invoice MAIL"].MessageID + ">"
	if len(bring) != 1 || len(promise) > 1 || (len(promise) == 1) != bring[follows] || promise[follows] {
		t.Errorf("order %s: promised by %v, brought by %v", c.id, promise, bring)
	}
	return len(promise)
}

// A provider that loses its answers makes repeats, of mails alone, and each of
// them is counted.
func (a *aftermath) answersAreLost(t *testing.T) {
	a.faults(t, mail.Faults{Lost: 0.3}, twilio.Faults{Lost: 0.3})
	all := a.buy(t, 0, nil)
	a.Eventually(patience, "answers are lost", func() error {
		var post mail.Ledger
		var phone twilio.Ledger
		a.get(t, "/sandbox/mail/ledger", &post)
		a.get(t, "/sandbox/phone/ledger", &phone)
		if post.Lost == 0 || phone.Lost == 0 {
			return fmt.Errorf("%d of mails and %d of SMS", post.Lost, phone.Lost)
		}
		return nil
	})
	a.faults(t, mail.Faults{}, twilio.Faults{})
	a.wantTold(t, all, true)
	for _, c := range all {
		s, err := a.story(a.within(t), c)
		if n := s["confirmed SMS"]; err != nil || n.Repeats != 0 {
			t.Errorf("an SMS that could have been looked up was repeated: %+v, %v", n, err)
		}
	}
}

// While the invoice service is away every mail promises the invoice; when it is
// back every invoice follows.
func (a *aftermath) invoicesAreAway(t *testing.T) {
	a.Kill("invoice")
	all := a.buy(t, 0, nil)
	ctx := a.within(t)
	for _, c := range all {
		a.Eventually(patience, "the confirmation of "+c.id, func() error {
			s, err := a.story(ctx, c)
			if n := s["confirmed MAIL"]; err != nil || n.Status != notification.Sent {
				return fmt.Errorf("%w: %+v", err, n)
			}
			if n := s["invoice MAIL"]; n.Status != notification.Queued {
				t.Errorf("the invoice of %s is not on its way: %+v", c.id, n)
			}
			return nil
		})
	}
	a.Start("invoice")
	a.WaitReady()
	for _, c := range all {
		a.Eventually(patience, "the invoice of "+c.id, func() error {
			s, err := a.story(ctx, c)
			if n := s["invoice MAIL"]; err != nil || n.Status != notification.Sent {
				return fmt.Errorf("%w: %+v", err, n)
			}
			return nil
		})
	}
	if n := a.wantTold(t, all, false); a.n <= 100 && n != len(all) {
		t.Errorf("%d of %d mails promised the invoice", n, len(all))
	}
}

// The invoice service and the notifier are killed again and again, while the
// providers put off every third message and lose some answers.
func (a *aftermath) processesAreKilled(t *testing.T) {
	a.faults(t, mail.Faults{Deferred: 0.3, Lost: 0.05}, twilio.Faults{Busy: 0.3, Lost: 0.05})
	shares := min(5+a.n/100, 25)
	all := a.buy(t, shares, func(share int) {
		a.Kill("invoice")
		a.Start("invoice")
		if share%2 == 1 {
			a.Kill("notification")
			a.Start("notification")
		}
	})
	a.WaitReady()
	a.Eventually(patience, "the providers were busy", func() error {
		var post mail.Ledger
		var phone twilio.Ledger
		a.get(t, "/sandbox/mail/ledger", &post)
		a.get(t, "/sandbox/phone/ledger", &phone)
		if post.Deferred == 0 || phone.Refused[20429] == 0 {
			return fmt.Errorf("%d mails and %v SMS were put off", post.Deferred, phone.Refused)
		}
		return nil
	})
	a.faults(t, mail.Faults{}, twilio.Faults{})
	a.wantTold(t, all, false)
}

// Redis is emptied in the middle, again and again.
func (a *aftermath) redisForgets(t *testing.T) {
	all := a.buy(t, min(3+a.n/200, 10), func(int) { a.Redis.FlushAll(t) })
	a.wantTold(t, all, false)
}

// One mail of a hundred is refused for good: it is dead, all others arrive
// meanwhile, and when the cause is gone its operator replays it.
func (a *aftermath) someArePoison(t *testing.T) {
	poison := func(i int) bool { return i%100 == 0 }
	var nobody []string
	for i := range a.n {
		if poison(i) {
			nobody = append(nobody, fmt.Sprintf("after%d@example.com", len(a.bought)+i))
		}
	}
	a.faults(t, mail.Faults{RefusedTo: nobody}, twilio.Faults{})
	all := a.buy(t, 0, nil)
	ctx := a.within(t)
	for i, c := range all {
		want := notification.Sent
		if poison(i) {
			want = notification.Dead
		}
		a.Eventually(patience, fmt.Sprintf("the mail about %s is %s", c.id, want), func() error {
			s, err := a.story(ctx, c)
			if n := s["confirmed MAIL"]; err != nil || n.Status != want {
				return fmt.Errorf("%w: %+v", err, n)
			}
			return nil
		})
	}
	a.faults(t, mail.Faults{}, twilio.Faults{})
	a.wantTold(t, all, true)
}

// Each order has one invoice, and the numbers are 1, 2, 3, … to the last; the
// same invoice has the same bytes whenever it is asked for.
func (a *aftermath) invoicesHaveNoGap(t *testing.T) {
	ctx := a.within(t)
	numbers := map[int]string{}
	for i, c := range a.bought {
		inv, err := a.invoices.Get(ctx, identity.Ourselves(), c.id, "")
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(inv.Number, "-")
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(a.bought) || numbers[n] != "" {
			t.Errorf("the invoice of %s is %q, and so is that of %s", c.id, inv.Number, numbers[n])
		}
		numbers[n] = c.id
		if i%10 > 0 {
			continue
		}
		first, err := a.invoices.File(ctx, identity.Ourselves(), c.id, invoice.PDF, "")
		if err != nil {
			t.Fatal(err)
		}
		again, err := a.invoices.File(ctx, identity.Ourselves(), c.id, invoice.PDF, "")
		if err != nil || !bytes.Equal(first.Content, again.Content) {
			t.Errorf("%s changes: %v", inv.Number, err)
		}
	}
	if len(numbers) != len(a.bought) {
		t.Errorf("%d numbers for %d orders", len(numbers), len(a.bought))
	}
}
