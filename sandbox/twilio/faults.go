package twilio

import (
	"maps"
	"time"

	"ordergraph/sandbox/faults"
)

// Faults is the trouble that the server makes on purpose. Shares are from 0 to
// 1 of all messages that are asked for.
type Faults struct {
	Down            bool            `json:"down"`            // every connection is closed without an answer, nothing is done
	Delay           faults.Duration `json:"delay"`           // before every answer
	Busy            float64         `json:"busy"`            // 429 with code 20429, without effect
	PerSecond       int             `json:"perSecond"`       // the same for all above this many in a second; 0: no limit
	RetryAfter      faults.Duration `json:"retryAfter"`      // what such answers ask for, in whole seconds; 0: 1s
	Errors          float64         `json:"errors"`          // 500 with code 20500, without effect
	Rejected        float64         `json:"rejected"`        // 400 with rejectCode, without effect
	RejectCode      int             `json:"rejectCode"`      // 0: 21612
	Lost            float64         `json:"lost"`            // taken, then the connection is cut instead of saying so
	Undelivered     float64         `json:"undelivered"`     // taken and sent, and never arrives
	UndeliveredCode int             `json:"undeliveredCode"` // why; 0: 30003
	Silent          float64         `json:"silent"`          // share of callbacks that are never made
	Twice           bool            `json:"twice"`           // callbacks are made twice
	Shuffled        bool            `json:"shuffled"`        // and "sent" is told after what became of it
	Forged          float64         `json:"forged"`          // share of callbacks before which a stranger says the opposite, with a signature of his own
	Seed            uint64          `json:"seed"`            // not 0: the same messages in the same order are hit again
}

func (f Faults) check() error {
	const part = "phone company"
	err := faults.CheckShares(part, map[string]float64{
		"busy": f.Busy, "errors": f.Errors, "rejected": f.Rejected, "lost": f.Lost, "undelivered": f.Undelivered, "silent": f.Silent, "forged": f.Forged,
	})
	if err == nil {
		err = faults.CheckDelay(part, f.Delay)
	}
	return err
}

// SetFaults replaces all faults; the zero Faults heals the server.
func (s *Server) SetFaults(f Faults) error {
	err := f.check()
	if err == nil {
		s.trouble.Set(f, f.Seed)
	}
	return err
}

// Faults is the trouble being made now.
func (s *Server) Faults() Faults { return s.trouble.Now() }

// A Ledger is what the server has done, from its start.
type Ledger struct {
	Taken     int         `json:"taken"`     // messages
	Lost      int         `json:"lost"`      // of them, those whose answer was cut off
	Refused   map[int]int `json:"refused"`   // messages, by code
	Callbacks int         `json:"callbacks"` // that were answered well
	Silent    int         `json:"silent"`    // callbacks that were not made, on purpose
	Forged    int         `json:"forged"`    // callbacks by strangers that were made
	Admitted  int         `json:"admitted"`  // of the forged, those that were answered as if they were true
}

// Ledger is what the server has done.
func (s *Server) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ledger
	l.Refused = maps.Clone(l.Refused)
	return l
}

// full counts a message that is asked for, and reports whether it is one too
// many in this second.
func (s *Server) full(most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now().Unix(); now != s.second {
		s.second, s.inSecond = now, 0
	}
	s.inSecond++
	return most > 0 && s.inSecond > most
}
