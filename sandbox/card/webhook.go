package card

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
)

// Webhook says where events are sent. Each is sent until it is answered with
// 2xx, with growing patience, for up to three days.
type Webhook struct {
	URL     string
	Secret  string        // signs them, in Stripe's scheme
	Delay   time.Duration // from what happened to the first attempt; default 300 ms
	Retry   time.Duration // after the first failure, then doubled up to an hour; default 1 s
	Timeout time.Duration // of one attempt; default 5 s
	// Dial makes the connections; nil: over the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (h Webhook) withDefaults() Webhook {
	if h.Delay == 0 {
		h.Delay = 300 * time.Millisecond
	}
	if h.Retry == 0 {
		h.Retry = time.Second
	}
	if h.Timeout == 0 {
		h.Timeout = 5 * time.Second
	}
	return h
}

const (
	senders    = 8                   // events of so many intents are sent at once
	keepTrying = 3 * 24 * time.Hour  // then an event is dropped, as Stripe does
	apiVersion = "2026-03-25.dahlia" // of events about intents that no versioned client made
)

// An event is something to be told, as it was when it happened.
type event struct {
	ID       string    `bson:"id"`
	Type     string    `bson:"type"`
	Body     string    `bson:"body"`
	At       time.Time `bson:"at"`
	Next     time.Time `bson:"next"`
	Attempts int       `bson:"attempts"`
}

// tell adds an event to the intent; it is sent after the intent is written.
func (p *Processor) tell(d *intent, kind string, about object, now time.Time) {
	if p.o.Webhook.URL == "" {
		return
	}
	version := d.APIVersion
	if version == "" {
		version = apiVersion
	}
	id := "evt_" + rand.Text()[:24]
	body := encode(object{
		"id": id, "object": "event", "api_version": version, "created": now.Unix(), "livemode": false, "pending_webhooks": 1,
		"type": kind, "request": object{"id": nil, "idempotency_key": nil}, "data": object{"object": about},
	})
	d.Events = append(d.Events, event{ID: id, Type: kind, Body: body, At: now, Next: now.Add(p.o.Webhook.Delay)})
}

// plan sets when the intent wants attention next.
func (d *intent) plan() {
	d.Due = nil
	earlier := func(t time.Time) {
		if d.Due == nil || t.Before(*d.Due) {
			d.Due = &t
		}
	}
	for _, e := range d.Events {
		earlier(e.Next)
	}
	for _, r := range d.Refunds {
		if r.Settles != nil {
			earlier(*r.Settles)
		}
	}
}

func (p *Processor) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// SendEvents sends what is due until ctx ends. Run does it; who only mounts
// the handler calls it himself.
func (p *Processor) SendEvents(ctx context.Context) {
	defer p.client.CloseIdleConnections()
	for ctx.Err() == nil {
		wait, err := p.sendDue(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "card processor: cannot send events", "error", err)
			wait = time.Second
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-p.kick:
			// More may come at once; they are due a little later anyway.
			t.Reset(min(wait, 20*time.Millisecond))
			select {
			case <-t.C:
			case <-ctx.Done():
			}
		case <-t.C:
		}
		t.Stop()
	}
}

// sendDue sends everything due and returns how long to wait for more.
func (p *Processor) sendDue(ctx context.Context) (time.Duration, error) {
	for {
		now := p.now()
		page, err := p.intents.Find(ctx, docstore.Query{Index: "due", Until: now.Add(time.Millisecond), Limit: 8 * senders})
		if err != nil {
			return 0, err
		}
		if len(page.Items) == 0 {
			break
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(senders)
		for _, d := range page.Items {
			g.Go(func() error { return p.attend(gctx, d, now) })
		}
		if err := g.Wait(); err != nil {
			return 0, err
		}
	}
	page, err := p.intents.Find(ctx, docstore.Query{Index: "due", Limit: 1})
	if err != nil {
		return 0, err
	}
	if len(page.Items) == 0 || page.Items[0].Due == nil {
		return time.Minute, nil
	}
	return min(max(page.Items[0].Due.Sub(p.now()), time.Millisecond), time.Minute), nil
}

// attend sends one intent's due events and notes which arrived.
func (p *Processor) attend(ctx context.Context, d intent, now time.Time) error {
	f := p.Faults()
	var due []event
	for _, e := range d.Events {
		if !e.Next.After(now) {
			due = append(due, e)
		}
	}
	order := slices.Clone(due)
	if f.Shuffled {
		slices.Reverse(order)
	}
	if f.Twice {
		order = append(order, order...)
	}
	arrived := map[string]bool{}
	for _, e := range order {
		if ok := p.send(ctx, e); ok {
			arrived[e.ID] = true
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := p.intents.Update(ctx, d.ID, func(d *intent) error {
		for _, i := range d.settle(now) {
			p.tell(d, "refund.updated", d.refund(i), now)
			if d.Refunds[i].Status == failed {
				p.tell(d, "refund.failed", d.refund(i), now)
			}
		}
		d.Events = slices.DeleteFunc(d.Events, func(e event) bool { return arrived[e.ID] })
		for i := range d.Events {
			e := &d.Events[i]
			if slices.ContainsFunc(due, func(s event) bool { return s.ID == e.ID }) {
				e.Attempts++
				e.Next = now.Add(min(p.o.Webhook.Retry<<min(e.Attempts-1, 20), time.Hour))
			}
		}
		d.Events = slices.DeleteFunc(d.Events, func(e event) bool { return e.Attempts > 0 && now.Sub(e.At) > keepTrying })
		d.plan()
		return nil
	})
	return err
}

func (p *Processor) send(ctx context.Context, e event) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.o.Webhook.URL, bytes.NewReader([]byte(e.Body)))
	if err != nil {
		p.log.ErrorContext(ctx, "card processor: cannot send an event", "error", err)
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Stripe/1.0 (sandbox)")
	req.Header.Set("Stripe-Signature", Sign(p.o.Webhook.Secret, []byte(e.Body), time.Now()))
	resp, err := p.client.Do(req)
	if err != nil {
		p.log.DebugContext(ctx, "card processor: an event did not arrive", "event", e.ID, "type", e.Type, "error", err)
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return resp.StatusCode/100 == 2
}

// Sign is the Stripe-Signature header of an event sent at that time.
func Sign(secret string, body []byte, at time.Time) string {
	mac := hmac.New(sha256.New, []byte(secret))
	stamp := strconv.FormatInt(at.Unix(), 10)
	_, _ = fmt.Fprintf(mac, "%s.%s", stamp, body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
