package session

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"ordergraph/platform/token"
)

// KeysPath is where the keys are published.
const KeysPath = "/.well-known/jwks.json"

// keysFor is how long published keys may be kept: much less than the time
// between their publication and their first signature.
const keysFor = 5 * time.Minute

// PublishedKeys serves the keys that verify access tokens as a JSON Web Key Set
// (RFC 7517), for other programs that want to know our customers by their
// tokens. However many ask, keys is called once in keysFor; while it fails, the
// last answer is given.
func PublishedKeys(keys func(context.Context) ([]token.Key, error)) http.Handler {
	return &publishedKeys{keys: keys}
}

type publishedKeys struct {
	keys func(context.Context) ([]token.Key, error)

	mu     sync.Mutex
	set    []byte
	asking bool
	next   time.Time // when keys may be called again
}

func (p *publishedKeys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	set := p.get(r.Context())
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if set == nil {
		header.Set("Retry-After", "1")
		http.Error(w, "The keys cannot be had at the moment. Please try again.", http.StatusServiceUnavailable)
		return
	}
	header.Set("Content-Type", "application/jwk-set+json")
	header.Set("Content-Length", strconv.Itoa(len(set)))
	header.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(keysFor.Seconds())))
	_, _ = w.Write(set) // the client may be gone
}

// get is the set, nil when there never was one. One asks, and those that come
// meanwhile get the last answer.
func (p *publishedKeys) get(ctx context.Context) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking || time.Now().Before(p.next) {
		return p.set
	}
	p.asking = true
	p.mu.Unlock()
	keys, err := p.ask(ctx)
	p.mu.Lock()
	p.asking, p.next = false, time.Now().Add(time.Second)
	if err == nil {
		p.set, p.next = token.KeySet(keys), time.Now().Add(keysFor)
	}
	return p.set
}

// ask does so on behalf of all, and not only of who came first.
func (p *publishedKeys) ask(ctx context.Context) (keys []token.Key, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return p.keys(ctx)
}
