package card

import (
	"net/http"

	"ordergraph/sandbox/faults"
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
	Seed      uint64   `json:"seed"`      // not 0: the same calls in the same order are hit again
}

// Duration is written like "1.5s" in JSON.
type Duration = faults.Duration

func (f Faults) check() error {
	const part = "card processor"
	err := faults.CheckShares(part, map[string]float64{"lost": f.Lost, "errors": f.Errors, "busy": f.Busy})
	if err == nil {
		err = faults.CheckDelay(part, f.Delay)
	}
	return err
}

// SetFaults replaces all faults; the zero Faults heals the processor.
func (p *Processor) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	p.trouble.Set(f, f.Seed)
	p.wake()
	return nil
}

// Faults is the trouble being made now.
func (p *Processor) Faults() Faults { return p.trouble.Now() }

// faultsPage answers GET and POST /sandbox/card/faults: a JSON Faults.
func (p *Processor) faultsPage(w http.ResponseWriter, r *http.Request) {
	faults.Serve(w, r, p.Faults, p.SetFaults)
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
