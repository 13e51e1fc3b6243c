package card

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Faults is the trouble that the processor makes on purpose. Shares are from
// 0 to 1 of all writing calls.
type Faults struct {
	Down      bool     `json:"down"`      // every connection is closed without an answer, nothing is done
	Lost      float64  `json:"lost"`      // committed, then the connection is cut
	Errors    float64  `json:"errors"`    // 500 without effect, remembered under the idempotency key as Stripe does
	Busy      float64  `json:"busy"`      // 429 without effect
	Delay     Duration `json:"delay"`     // before every answer
	SearchLag Duration `json:"searchLag"` // how late the search finds new payments; Stripe's takes up to a minute
	Twice     bool     `json:"twice"`     // events are sent twice
	Shuffled  bool     `json:"shuffled"`  // and out of order
}

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

func (f Faults) check() error {
	for name, share := range map[string]float64{"lost": f.Lost, "errors": f.Errors, "busy": f.Busy} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("card processor: %s is a share from 0 to 1", name)
		}
	}
	if d := time.Duration(f.Delay); d < 0 || d > time.Minute {
		return fmt.Errorf("card processor: delay is from 0s to 1m")
	}
	return nil
}

// SetFaults replaces all faults; the zero Faults heals the processor.
func (p *Processor) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	p.mu.Lock()
	p.faults = f
	p.mu.Unlock()
	p.wake()
	return nil
}

// Faults is the trouble being made now.
func (p *Processor) Faults() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

func hits(share float64) bool { return share > 0 && rand.Float64() < share }

// faultsPage answers GET and POST /sandbox/card/faults: a JSON Faults.
func (p *Processor) faultsPage(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var f Faults
		in := json.NewDecoder(io.LimitReader(r.Body, 16<<10))
		in.DisallowUnknownFields()
		err := in.Decode(&f)
		if err == nil {
			err = p.SetFaults(f)
		}
		if err != nil {
			p.reply(w, 400, encode(object{"error": err.Error()}))
			return
		}
	}
	p.reply(w, 200, encode(p.Faults()))
}

// refuses counts an attempt on a card whose processor is down, and reports
// whether it is one of the first DownFor.
func (p *Processor) refuses(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tried) > 10_000 {
		clear(p.tried)
	}
	p.tried[key]++
	return p.tried[key] <= p.o.DownFor
}
