// Package carrier is a parcel service that owns no vans: it books parcels,
// moves them along by itself, tells the shop of it, and breaks down when told to.
//
// Its protocol, under whatever path it is mounted:
//
//	POST /v1/parcels            Authorization: Bearer <secret>, Idempotency-Key: <key>
//	     {"reference", "units", "to": {"name", "street", "zip", "city", "country", …}}
//	     201 with the parcel; 200 with the same one when the key was used before,
//	     409 when it was used for another; 422 {"message"} for what it does not take
//	GET  /v1/parcels/{number}   200 with the parcel, 404
//	     {"number", "reference", "carrier", "status", "trackingUrl", "events": [{"status", "at"}]}
//	GET  /track/{number}        a page for people
//
// A status is booked, in_transit, out_for_delivery, delivered or failed. At
// every change the parcel is posted to the shop's webhook, signed with
// Carrier-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">, again and
// again until it is answered with 2xx. A parcel whose street begins with
// "Nowhere" cannot be delivered, and one to a zip of 00000 is not taken.
package carrier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/sandbox/faults"
)

// Options of a carrier.
type Options struct {
	Store   docstore.Store // its memory
	Secret  string         // what clients must show, and what signs notices; "" admits nobody
	Public  string         // where its own pages are: "http://127.0.0.1:8090/carrier"
	Webhook string         // where notices go; none without
	// Step is how long a parcel stays in each state; default 5 s.
	Step time.Duration
	// Dial makes the connections for notices; nil: over the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger
}

// A Carrier answers HTTP, and moves parcels while Run works.
type Carrier struct {
	o       Options
	parcels *docstore.Collection[parcel]
	mux     *http.ServeMux
	client  *http.Client
	trouble faults.Trouble[Faults]
}

// A parcel's id is the shop's idempotency key.
type parcel struct {
	docstore.Meta `bson:",inline"`
	Number        string     `bson:"number"`
	Print         string     `bson:"print"` // of what was booked
	Reference     string     `bson:"reference"`
	Fails         bool       `bson:"fails,omitempty"`
	Events        []event    `bson:"events"`
	Told          int        `bson:"told"` // events that the shop has heard
	Tries         int        `bson:"tries,omitempty"`
	Moves         *time.Time `bson:"moves,omitempty"` // when it moves next
	Due           *time.Time `bson:"due,omitempty"`
}

type event struct {
	Status string    `bson:"status" json:"status"`
	At     time.Time `bson:"at" json:"at"`
}

func (p *parcel) status() string { return p.Events[len(p.Events)-1].Status }

var spec = docstore.Spec{Name: "parcels", Indexes: []docstore.Index{
	{Name: "number", Fields: []string{"number"}, Unique: true}, {Name: "due", Fields: []string{"due"}},
}}

// New opens the carrier over its memory.
func New(ctx context.Context, o Options) (*Carrier, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Step <= 0 {
		o.Step = 5 * time.Second
	}
	parcels, err := docstore.Open[parcel](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("carrier: %w", err)
	}
	c := &Carrier{o: o, parcels: parcels, client: &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: o.Dial, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.routes()
	return c, nil
}

func (c *Carrier) now() time.Time { return c.o.Now().UTC().Truncate(time.Millisecond) }

func newNumber() string { return "SBX" + rand.Text()[:12] }

// Run moves parcels and sends notices until ctx ends.
func (c *Carrier) Run(ctx context.Context) error {
	defer c.client.CloseIdleConnections()
	tick := time.NewTicker(min(max(c.o.Step/4, 5*time.Millisecond), time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := c.Move(ctx); err != nil && ctx.Err() == nil {
			c.o.Log.WarnContext(ctx, "carrier: parcels do not move", "error", err)
		}
	}
}

// Move moves every parcel whose time has come, and tells the shop.
func (c *Carrier) Move(ctx context.Context) error {
	q := docstore.Query{Index: "due", Until: c.now().Add(time.Millisecond), Limit: 100}
	for found, err := range c.parcels.All(ctx, q) {
		if err != nil {
			return err
		}
		if err := c.attend(ctx, found); err != nil {
			return err
		}
	}
	return nil
}

// attend moves one parcel, then tells of it.
func (c *Carrier) attend(ctx context.Context, p parcel) error {
	p, err := c.parcels.Update(ctx, p.ID, func(p *parcel) error {
		now := c.now()
		if p.Moves == nil || p.Moves.After(now) {
			return docstore.Unchanged
		}
		p.move(now, c.o.Step)
		p.plan(now, c.o.Webhook != "")
		return nil
	})
	if err != nil || c.o.Webhook == "" || p.Told == len(p.Events) {
		return err
	}
	told := len(p.Events)
	ok := c.tell(ctx, p)
	_, err = c.parcels.Update(ctx, p.ID, func(p *parcel) error {
		if p.Tries++; ok {
			p.Told, p.Tries = max(p.Told, told), 0
		}
		p.plan(c.now(), true)
		return nil
	})
	return err
}

// move takes the parcel one step further.
func (p *parcel) move(now time.Time, step time.Duration) {
	next := map[string]string{"booked": "in_transit", "in_transit": "out_for_delivery", "out_for_delivery": "delivered"}[p.status()]
	if next == "delivered" && p.Fails {
		next = "failed"
	}
	p.Events = append(p.Events, event{next, now})
	p.Moves = nil
	if next != "delivered" && next != "failed" {
		at := now.Add(step)
		p.Moves = &at
	}
}

// plan sets when the parcel wants attention next.
func (p *parcel) plan(now time.Time, tells bool) {
	p.Due = p.Moves
	if tells && p.Told < len(p.Events) {
		at := now
		if p.Tries > 0 {
			at = now.Add(min(250*time.Millisecond<<min(p.Tries, 14), time.Hour))
		}
		if p.Due == nil || at.Before(*p.Due) {
			p.Due = &at
		}
	}
}

func (c *Carrier) tell(ctx context.Context, p parcel) bool {
	body := encode(c.show(p))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.Webhook, bytes.NewReader(body))
	if err != nil {
		c.o.Log.ErrorContext(ctx, "carrier: cannot tell the shop", "error", err)
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Carrier-Signature", Sign(c.o.Secret, body, time.Now()))
	resp, err := c.client.Do(req)
	if err != nil {
		c.o.Log.DebugContext(ctx, "carrier: a notice did not arrive", "parcel", p.Number, "error", err)
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return resp.StatusCode/100 == 2
}

// Sign is the Carrier-Signature of a notice sent at that time.
func Sign(secret string, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%s.%s", stamp, body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
