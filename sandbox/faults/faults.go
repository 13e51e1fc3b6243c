// Package faults is how the parts of the sandbox are told to break down: each
// has a page that takes its faults as JSON, and dice that say whom they hit.
package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"ordergraph/sandbox/page"
)

// Duration is written like "1.5s" in JSON.
type Duration time.Duration

// MarshalJSON writes Go's notation.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads Go's notation.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a duration is a string like \"1.5s\": %w", err)
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

// CheckShares says which of the shares, by name, is none: they are from 0 to 1.
func CheckShares(part string, shares map[string]float64) error {
	for name, share := range shares {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("%s: %s is a share from 0 to 1", part, name)
		}
	}
	return nil
}

// CheckDelay refuses a delay that nobody would wait for.
func CheckDelay(part string, delay Duration) error {
	if delay < 0 || delay > Duration(time.Minute) {
		return fmt.Errorf("%s: a delay is from 0s to 1m", part)
	}
	return nil
}

// Dice say whom a fault hits. The zero Dice fall differently each time.
type Dice struct {
	mu     sync.Mutex
	seeded *rand.Rand
}

// Seed makes the dice fall the same way after every same seed, roll by roll;
// 0 undoes that.
func (d *Dice) Seed(seed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seeded = nil; seed != 0 {
		d.seeded = rand.New(rand.NewPCG(seed, seed))
	}
}

// Hit reports whether a fault of that share hits this time. A share of 0 takes
// no roll.
func (d *Dice) Hit(share float64) bool {
	if share <= 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seeded != nil {
		return d.seeded.Float64() < share
	}
	return rand.Float64() < share
}

// Trouble is the faults that a part makes now, and its dice. The zero Trouble
// makes none.
type Trouble[F any] struct {
	Dice
	mu  sync.Mutex
	now F
}

// Set replaces all faults, and seeds the dice.
func (t *Trouble[F]) Set(f F, seed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = f
	t.Seed(seed)
}

// Now is the faults that were set last.
func (t *Trouble[F]) Now() F {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// Wait is a delay made on purpose, and for callers who have gone as well. It
// ends early where closed does; nil never does.
func Wait(delay Duration, closed <-chan struct{}) {
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(time.Duration(delay))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closed:
	}
}

// Serve answers GET with the faults as JSON; POST replaces all of them first,
// so that {} heals. What is not among them is 400 with the reason.
func Serve[F any](w http.ResponseWriter, r *http.Request, now func() F, set func(F) error) {
	if r.Method == http.MethodPost {
		var f F
		in := json.NewDecoder(io.LimitReader(r.Body, 16<<10))
		in.DisallowUnknownFields()
		err := in.Decode(&f)
		if err == nil {
			err = set(f)
		}
		if err != nil {
			page.JSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
	}
	page.JSON(w, http.StatusOK, now())
}
