package carrier

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/sandbox/faults"
)

const maxBody = 64 << 10 // bytes of a request

// Faults is the trouble that the carrier makes on purpose.
type Faults struct {
	Down bool            `json:"down"` // every connection is closed without an answer, nothing is done
	Lost float64         `json:"lost"` // share of bookings that are made and never answered
	Slow faults.Duration `json:"slow"` // before every answer, at most a minute
}

// SetFaults replaces all faults; the zero Faults heals the carrier.
func (c *Carrier) SetFaults(f Faults) error {
	const part = "carrier"
	err := faults.CheckShares(part, map[string]float64{"lost": f.Lost})
	if err == nil {
		err = faults.CheckDelay(part, f.Slow)
	}
	if err == nil {
		c.trouble.Set(f, 0)
	}
	return err
}

// Faults is the trouble being made now.
func (c *Carrier) Faults() Faults { return c.trouble.Now() }

func (c *Carrier) routes() {
	c.mux = http.NewServeMux()
	c.mux.HandleFunc("POST /v1/parcels", c.book)
	c.mux.HandleFunc("GET /v1/parcels/{number}", func(w http.ResponseWriter, r *http.Request) {
		p, err := c.find(r.Context(), r.PathValue("number"))
		if err != nil {
			c.fail(w, r, err)
			return
		}
		reply(w, http.StatusOK, c.show(p))
	})
	c.mux.HandleFunc("GET /track/{number}", c.page)
	faultsPage := func(w http.ResponseWriter, r *http.Request) { faults.Serve(w, r, c.Faults, c.SetFaults) }
	c.mux.HandleFunc("GET /faults", faultsPage)
	c.mux.HandleFunc("POST /faults", faultsPage)
	c.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		no(w, http.StatusNotFound, "There is no such thing here.")
	})
}

// ServeHTTP answers as a carrier does.
func (c *Carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		f := c.Faults()
		if f.Down {
			panic(http.ErrAbortHandler)
		}
		faults.Wait(f.Slow, nil)
		shown := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if c.o.Secret == "" || subtle.ConstantTimeCompare([]byte(shown), []byte(c.o.Secret)) != 1 {
			no(w, http.StatusUnauthorized, "Show the key that you were given.")
			return
		}
	}
	c.mux.ServeHTTP(w, r)
}

func (c *Carrier) book(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var in struct {
		Reference string
		Units     int64
		To        struct{ Name, Street, Zip, City, Country string }
	}
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	key := r.Header.Get("Idempotency-Key")
	switch {
	case err != nil:
		no(w, http.StatusBadRequest, "This is not a parcel.")
		return
	case key == "" || len(key) > 255:
		no(w, http.StatusBadRequest, "Give an Idempotency-Key of 1 to 255 bytes.")
		return
	case in.To.Street == "" || in.To.City == "" || in.To.Country == "" || in.To.Zip == "00000":
		no(w, http.StatusUnprocessableEntity, "Nobody can be found at this address.")
		return
	case in.Units < 1:
		no(w, http.StatusUnprocessableEntity, "The parcel is empty.")
		return
	}
	sum := sha256.Sum256(body)
	print, status := hex.EncodeToString(sum[:]), http.StatusOK
	errOther := errors.New("other")
	p, err := c.parcels.Upsert(r.Context(), key, func(p *parcel) error {
		status = http.StatusOK
		switch {
		case p.Version > 0 && p.Print == print:
			return docstore.Unchanged
		case p.Version > 0:
			return errOther
		}
		now := c.now()
		moves := now.Add(c.o.Step)
		p.Number, p.Print, p.Reference, p.Fails = newNumber(), print, in.Reference, strings.HasPrefix(in.To.Street, "Nowhere")
		p.Events, p.Told, p.Moves, p.Due = []event{{"booked", now}}, 1, &moves, &moves // who books needs not be told
		status = http.StatusCreated
		return nil
	})
	switch {
	case errors.Is(err, errOther):
		no(w, http.StatusConflict, "This key was used for another parcel.")
	case err != nil:
		c.fail(w, r, err)
	case c.trouble.Hit(c.Faults().Lost):
		panic(http.ErrAbortHandler)
	default:
		reply(w, status, c.show(p))
	}
}

func (c *Carrier) find(ctx context.Context, number string) (parcel, error) {
	page, err := c.parcels.Find(ctx, docstore.Query{Index: "number", Equal: []any{number}, Limit: 1})
	if err == nil && len(page.Items) == 0 {
		err = docstore.ErrNotFound
	}
	if err != nil {
		return parcel{}, err
	}
	return page.Items[0], nil
}

// company is the carrier's name.
const company = "Sandbox Parcels"

func (c *Carrier) show(p parcel) map[string]any {
	return map[string]any{
		"number": p.Number, "reference": p.Reference, "carrier": company, "status": p.status(),
		"trackingUrl": c.o.Public + "/track/" + p.Number, "events": p.Events,
	}
}

// Parcels counts the parcels of a reference: a shop that books twice has two.
func (c *Carrier) Parcels(ctx context.Context, reference string) (int, error) {
	n := 0
	for p, err := range c.parcels.All(ctx, docstore.Query{Limit: 500}) {
		if err != nil {
			return 0, err
		}
		if p.Reference == reference {
			n++
		}
	}
	return n, nil
}

var tracking = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>{{.Number}}</title>
<h1>{{.Carrier}}: parcel {{.Number}}</h1><ol>{{range .Events}}<li>{{.At.Format "2 Jan 15:04:05"}} {{.Status}}</li>{{end}}</ol></html>
`))

func (c *Carrier) page(w http.ResponseWriter, r *http.Request) {
	p, err := c.find(r.Context(), r.PathValue("number"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_ = tracking.Execute(w, struct {
		Number, Carrier string
		Events          []event
	}{p.Number, company, p.Events})
}

func (c *Carrier) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, docstore.ErrNotFound) {
		no(w, http.StatusNotFound, "There is no such parcel.")
		return
	}
	c.o.Log.ErrorContext(r.Context(), "carrier: cannot answer", "path", r.URL.Path, "error", err)
	no(w, http.StatusServiceUnavailable, "Please try again.")
}

func no(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"message": message})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

func encode(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // plain values always encode
	}
	return text
}
