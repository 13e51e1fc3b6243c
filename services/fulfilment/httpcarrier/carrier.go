// Package httpcarrier books parcels over the carrier's HTTP interface, which
// the sandbox plays on a laptop; its protocol stands in sandbox/carrier. The
// address and the key alone decide which carrier it is.
package httpcarrier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ordergraph/services/fulfilment"
)

// Options of a Carrier.
type Options struct {
	URL    string // of the interface, without a slash at its end
	Secret string // the shop's key there
	// Dial makes the connections; nil: over the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Carrier is reached over HTTP.
type Carrier struct {
	url, secret string
	client      *http.Client
}

var _ fulfilment.Carrier = (*Carrier)(nil)

// New is a client of the carrier at the address.
func New(o Options) (*Carrier, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("CARRIER_URL is not an address like https://api.carrier.example")
	}
	if o.Secret == "" {
		return nil, errors.New("CARRIER_SECRET is not set")
	}
	return &Carrier{url: strings.TrimSuffix(o.URL, "/"), secret: o.Secret, client: &http.Client{
		Timeout:       10 * time.Second, // callers have deadlines of their own
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: o.Dial, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes idle connections.
func (c *Carrier) Close() { c.client.CloseIdleConnections() }

type parcel struct {
	Number    string `json:"number"`
	Reference string `json:"reference"`
	Status    string `json:"status"`
	URL       string `json:"trackingUrl"`
	Carrier   string `json:"carrier"`
}

// Book posts the parcel under its key.
func (c *Carrier) Book(ctx context.Context, key string, p fulfilment.Parcel) (fulfilment.Tracking, error) {
	body, err := json.Marshal(map[string]any{
		"reference": p.Reference, "units": p.Units,
		"to": map[string]string{
			"name": strings.TrimSpace(p.To.FirstName + " " + p.To.LastName), "company": p.To.Company, "street": p.To.Address1, "more": p.To.Address2,
			"zip": p.To.Zip, "city": p.To.City, "province": p.To.Province, "country": p.To.Country, "phone": p.To.Phone,
		},
	})
	if err != nil {
		return fulfilment.Tracking{}, err
	}
	var booked parcel
	if err := c.do(ctx, http.MethodPost, "/v1/parcels", key, body, &booked); err != nil {
		return fulfilment.Tracking{}, err
	}
	if booked.Number == "" {
		return fulfilment.Tracking{}, errors.New("the carrier's answer has no number")
	}
	return fulfilment.Tracking{Company: booked.Carrier, Number: booked.Number, URL: booked.URL, Status: statusOf(booked.Status)}, nil
}

// Track reads the parcel.
func (c *Carrier) Track(ctx context.Context, number string) (fulfilment.CarrierStatus, error) {
	var p parcel
	if err := c.do(ctx, http.MethodGet, "/v1/parcels/"+url.PathEscape(number), "", nil, &p); err != nil {
		return "", err
	}
	return statusOf(p.Status), nil
}

const maxAnswer = 1 << 20 // bytes

func (c *Carrier) do(ctx context.Context, method, path, key string, body []byte, result any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.secret)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
		return json.Unmarshal(text, result)
	case http.StatusNotFound:
		return fulfilment.ErrNoParcel
	case http.StatusUnprocessableEntity: // the only definite no
		var no struct{ Message string }
		_ = json.Unmarshal(text, &no)
		return &fulfilment.Refusal{Reason: no.Message}
	}
	return fmt.Errorf("the carrier answers %s", resp.Status)
}

// statusOf reads a status; one that the carrier has added since is on the way.
func statusOf(s string) fulfilment.CarrierStatus {
	switch s {
	case "booked":
		return fulfilment.Booked
	case "out_for_delivery":
		return fulfilment.OutForDelivery
	case "delivered":
		return fulfilment.Arrived
	case "failed":
		return fulfilment.Undeliverable
	}
	return fulfilment.InTransit
}

// signedWithin is how old a signature may be.
const signedWithin = 5 * time.Minute

// Notice checks the Carrier-Signature: t=<seconds>,v1=<HMAC-SHA256 of "t.body">.
func (c *Carrier) Notice(secret string, header http.Header, body []byte) (fulfilment.Notice, error) {
	t, mac, _ := strings.Cut(strings.TrimPrefix(header.Get("Carrier-Signature"), "t="), ",v1=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil || secret == "" || time.Since(time.Unix(seconds, 0)).Abs() > signedWithin {
		return fulfilment.Notice{}, fulfilment.ErrForged
	}
	theirs, err := hex.DecodeString(mac)
	ours := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(ours, "%s.%s", t, body)
	if err != nil || !hmac.Equal(theirs, ours.Sum(nil)) {
		return fulfilment.Notice{}, fulfilment.ErrForged
	}
	var p parcel
	if err := json.Unmarshal(body, &p); err != nil {
		return fulfilment.Notice{}, nil // signed, and yet nothing that we know
	}
	return fulfilment.Notice{Reference: p.Reference, Number: p.Number}, nil
}
