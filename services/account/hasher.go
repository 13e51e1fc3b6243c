package account

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	hashQueue    = 16              // passwords waiting, for each that is hashed
	hashPatience = 5 * time.Second // that they wait
	hashShare    = 4               // one source has at most this part of the queue: a quarter
)

// A hasher hashes passwords, a few at once: each takes a processor for a tenth
// of a second or more, and the rest of the shop needs some too. Who would have
// to wait too long is told to come back, and no source can fill the queue.
type hasher struct {
	cost  int
	slots chan struct{} // holds a token for each password being hashed
	most  int           // in the queue and at work

	mu    sync.Mutex
	here  int
	bySrc map[string]int

	comparisons, work, busy atomic.Int64
}

func newHasher(cost, abreast int) *hasher {
	return &hasher{cost: cost, slots: make(chan struct{}, abreast), most: abreast * (1 + hashQueue), bySrc: map[string]int{}}
}

// enter waits for a turn. A source that is not known shares with nobody.
func (h *hasher) enter(ctx context.Context, source string) (leave func(), err error) {
	h.mu.Lock()
	if h.here >= h.most || source != "" && h.bySrc[source] >= max(1, h.most/hashShare) {
		h.mu.Unlock()
		h.busy.Add(1)
		return nil, ErrBusy
	}
	h.here++
	if source != "" {
		h.bySrc[source]++
	}
	h.mu.Unlock()
	forget := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.here--
		if h.bySrc[source]--; h.bySrc[source] <= 0 {
			delete(h.bySrc, source)
		}
	}
	patience := time.NewTimer(hashPatience)
	defer patience.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; forget() }, nil
	case <-patience.C:
		forget()
		h.busy.Add(1)
		return nil, ErrBusy
	case <-ctx.Done():
		forget()
		return nil, ctx.Err()
	}
}

// hash hashes a password that checkPassword has accepted.
func (h *hasher) hash(ctx context.Context, source, password string) (string, error) {
	leave, err := h.enter(ctx, source)
	if err != nil {
		return "", err
	}
	defer leave()
	h.work.Add(1 << h.cost)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), h.cost)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return string(hash), nil
}

// compare reports whether the hash is the password's. It does the same work
// where there is no hash, and where the hash is of a lower cost.
func (h *hasher) compare(ctx context.Context, source, hash, password string) (bool, error) {
	leave, err := h.enter(ctx, source)
	if err != nil {
		return false, err
	}
	defer leave()
	h.comparisons.Add(1)
	if hash == "" {
		hash = nobodys(h.cost)
	}
	tooLong := len(password) > MaxPassword // bcrypt would read the first bytes and be content
	if tooLong {
		password = password[:MaxPassword]
	}
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	h.work.Add(1 << cost)
	right := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	for c := cost; c < h.cost; c++ { // each step doubles what was done
		h.work.Add(1 << c)
		_ = bcrypt.CompareHashAndPassword([]byte(nobodys(c)), []byte(password))
	}
	return right && !tooLong, nil
}

// nobodys is a hash that no password is known to have.
func nobodys(cost int) string {
	return fmt.Sprintf("$2a$%02d$%s", cost, strings.Repeat("A", 53))
}
