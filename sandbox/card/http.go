package card

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/sandbox/faults"
)

const maxBody = 64 << 10 // bytes of a request

func (p *Processor) routes() {
	m := http.NewServeMux()
	p.mux = m
	post := func(pattern string, op operation) {
		m.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) { p.write(w, r, op) })
	}
	post("/v1/payment_intents", p.create)
	post("/v1/payment_intents/{id}/confirm", p.confirm)
	post("/v1/payment_intents/{id}/capture", p.capture)
	post("/v1/payment_intents/{id}/cancel", p.cancel)
	post("/v1/refunds", p.giveBack)

	get := func(pattern string, read reading) {
		m.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { p.read(w, r, read) })
	}
	get("/v1/payment_intents", p.list)
	get("/v1/payment_intents/search", p.search)
	get("/v1/payment_intents/{id}", p.retrieve)
	get("/v1/charges/{id}", p.retrieveCharge)
	get("/v1/refunds", p.listRefunds)
	get("/v1/refunds/{id}", p.retrieveRefund)

	m.HandleFunc("GET /sandbox/card/{$}", p.front)
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/sandbox/card/", http.StatusSeeOther)
	})
	m.HandleFunc("GET /sandbox/card/confirm/{id}", p.page)
	m.HandleFunc("POST /sandbox/card/confirm/{id}", p.decide)
	m.HandleFunc("GET /sandbox/card/ledger", p.ledgerPage)
	m.HandleFunc("GET /sandbox/card/faults", p.faultsPage)
	m.HandleFunc("POST /sandbox/card/faults", p.faultsPage)
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.refuse(w, noSuchPath) })
}

// ServeHTTP answers as Stripe does.
func (p *Processor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Request-Id", "req_"+rand.Text()[:14])
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		f := p.Faults()
		if f.Down {
			panic(http.ErrAbortHandler)
		}
		faults.Wait(f.Delay, nil)
		if t := p.admit(r); t != nil {
			p.refuse(w, t)
			return
		}
		if v := r.Header.Get("Stripe-Version"); v != "" {
			w.Header().Set("Stripe-Version", v)
		}
	}
	p.mux.ServeHTTP(w, r)
}

func (p *Processor) admit(r *http.Request) *trouble {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		if key, _, ok = r.BasicAuth(); !ok {
			return noKey
		}
	}
	if p.o.SecretKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(p.o.SecretKey)) != 1 {
		return badKey
	}
	return nil
}

func (p *Processor) reply(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (p *Processor) refuse(w http.ResponseWriter, t *trouble) { p.reply(w, t.status, t.body()) }

// A reading answers a GET.
type reading func(ctx context.Context, r *http.Request, q url.Values) (any, error)

func (p *Processor) read(w http.ResponseWriter, r *http.Request, read reading) {
	got, err := read(r.Context(), r, r.URL.Query())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.reply(w, 200, encode(got))
}

// Error makes trouble an error.
func (t *trouble) Error() string { return t.Type + " " + t.Code + ": " + t.Message }

func (p *Processor) fail(w http.ResponseWriter, r *http.Request, err error) {
	if t, ok := errors.AsType[*trouble](err); ok {
		p.refuse(w, t)
		return
	}
	p.log.ErrorContext(r.Context(), "card processor: cannot answer", "path", r.URL.Path, "error", err)
	p.refuse(w, apiError)
}

// A request is a writing call on its way.
type request struct {
	path, key, print string
	form             url.Values
	expand           bool // latest_charge
	id               string
	base             string // where the confirmation page is
	apiVersion       string
	now              time.Time
	spoil            bool // to end as a 500 without effect
}

// An operation says which intent a request is about and how it changes it.
type operation func(req *request) (plan, *trouble)

// A plan is one change of one intent. change may run several times. Its
// trouble is the answer; a trouble whose status is 402 is remembered, like a
// success, with what it changed; any other changes nothing.
type plan struct {
	id     string
	fresh  bool // the intent does not exist yet
	method string
	change func(d *intent) (any, *trouble)
}

// write runs one operation: idempotency, the change, and the faults that were
// asked for.
func (p *Processor) write(w http.ResponseWriter, r *http.Request, op operation) {
	req, t := p.parse(w, r)
	if t != nil {
		p.refuse(w, t)
		return
	}
	f := p.Faults()
	if p.trouble.Hit(f.Busy) {
		p.refuse(w, tooMany)
		return
	}
	if req.key != "" {
		if !p.take(req.key) {
			p.refuse(w, keyInUse)
			return
		}
		defer p.leave(req.key)
	}
	todo, t := op(req)
	if t != nil {
		p.refuse(w, t)
		return
	}
	req.spoil = p.trouble.Hit(f.Errors)

	// The caller's going away does not stop a processor.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 30*time.Second)
	defer cancel()

	m, err := p.methodOf(ctx, todo)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if m.down && p.refuses(req.key) {
		panic(http.ErrAbortHandler)
	}
	if m.slow && todo.fresh {
		time.Sleep(p.o.SlowBy)
	}
	said, fresh, err := p.apply(ctx, req, todo)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if fresh {
		p.wake()
		if m.answerLost || p.trouble.Hit(f.Lost) {
			panic(http.ErrAbortHandler)
		}
	} else if said.Key != "" {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	if req.key != "" {
		w.Header().Set("Idempotency-Key", req.key)
	}
	p.reply(w, said.Status, said.Body)
}

// apply makes the change, unless the key has been answered before. fresh
// reports whether something was written.
func (p *Processor) apply(ctx context.Context, req *request, todo plan) (said answer, fresh bool, err error) {
	change := func(d *intent) error {
		said, fresh = answer{}, false
		if req.key != "" {
			if before := d.answerTo(req.key); before != nil {
				said = *before
				if before.Print != req.print {
					said = answer{Status: keyReused.status, Body: keyReused.body()}
				}
				return docstore.Unchanged
			}
		}
		if d.Version == 0 && !todo.fresh || d.Version > 0 && d.Created == nil {
			t := missing("payment_intent", todo.id)
			said = answer{Status: t.status, Body: t.body()}
			return docstore.Unchanged
		}
		if req.spoil {
			said = answer{Key: req.key, Print: req.print, Status: apiError.status, Body: apiError.body()}
			if req.key == "" {
				return docstore.Unchanged
			}
			d.Answers = append(d.Answers, said)
			fresh = true
			return nil
		}
		d.settle(req.now)
		result, t := todo.change(d)
		switch {
		case t != nil && t.status != 402:
			// Nothing was begun, so nothing is remembered under the key.
			said = answer{Status: t.status, Body: t.body()}
			return docstore.Unchanged
		case t != nil:
			said = answer{Status: t.status, Body: t.body()}
		default:
			said = answer{Status: 200, Body: encode(result)}
		}
		if req.key != "" {
			said.Key, said.Print = req.key, req.print
			d.Answers = append(d.Answers, said)
		}
		d.plan()
		fresh = true
		return nil
	}
	if todo.fresh {
		_, err = p.intents.Upsert(ctx, todo.id, change)
	} else if _, err = p.intents.Update(ctx, todo.id, change); errors.Is(err, docstore.ErrNotFound) {
		err = missing("payment_intent", todo.id)
	}
	return said, fresh, err
}

func (p *Processor) parse(w http.ResponseWriter, r *http.Request) (*request, *trouble) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return nil, invalid("", "", "The request's body cannot be read as a form.")
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > 255 {
		return nil, invalid("", "", "Idempotency keys are at most 255 characters long.")
	}
	req := &request{
		path: r.URL.Path, key: key, form: r.PostForm, id: r.PathValue("id"), base: p.o.PublicURL,
		apiVersion: r.Header.Get("Stripe-Version"), now: p.now(), expand: expands(r.PostForm, "latest_charge"),
	}
	if req.base == "" {
		req.base = "http://" + r.Host
	}
	sum := sha256.Sum256([]byte(req.path + "?" + r.PostForm.Encode()))
	req.print = hex.EncodeToString(sum[:16])
	return req, nil
}

// expands reports whether expand[]=what is among the parameters.
func expands(form url.Values, what string) bool {
	for name, values := range form {
		if strings.HasPrefix(name, "expand[") {
			for _, v := range values {
				if v == what {
					return true
				}
			}
		}
	}
	return false
}

// metadata collects metadata[name]=value.
func metadata(form url.Values) (map[string]string, *trouble) {
	var m map[string]string
	for name, values := range form {
		if key, ok := strings.CutPrefix(name, "metadata["); ok {
			key = strings.TrimSuffix(key, "]")
			if len(key) == 0 || len(key) > 40 || len(values[0]) > 500 || len(m) == 50 {
				return nil, invalid("", "metadata", "Metadata has up to 50 keys of 40 characters, with values of 500.")
			}
			if m == nil {
				m = map[string]string{}
			}
			m[key] = values[0]
		}
	}
	return m, nil
}

func (p *Processor) take(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inUse[key] {
		return false
	}
	p.inUse[key] = true
	return true
}

func (p *Processor) leave(key string) {
	p.mu.Lock()
	delete(p.inUse, key)
	p.mu.Unlock()
}

// methodOf is the test card that the plan is about.
func (p *Processor) methodOf(ctx context.Context, todo plan) (method, error) {
	if todo.fresh {
		return methods[todo.method], nil
	}
	d, err := p.intents.Get(ctx, todo.id)
	if errors.Is(err, docstore.ErrNotFound) {
		return method{}, missing("payment_intent", todo.id)
	}
	return methods[d.Method], err
}
