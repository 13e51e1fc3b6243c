package mail

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Faults is the trouble that the server makes on purpose. Shares are from 0 to
// 1 of all messages.
type Faults struct {
	Down     bool     `json:"down"`     // every connection is closed without an answer
	Refused  float64  `json:"refused"`  // 550: there is no such mailbox, and there never will be
	Deferred float64  `json:"deferred"` // 451: come again later
	Lost     float64  `json:"lost"`     // kept, then the connection is cut instead of saying so
	Delay    Duration `json:"delay"`    // before a message is answered
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
	for name, share := range map[string]float64{"refused": f.Refused, "deferred": f.Deferred, "lost": f.Lost} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("mail server: %s is a share from 0 to 1", name)
		}
	}
	if d := time.Duration(f.Delay); d < 0 || d > time.Minute {
		return fmt.Errorf("mail server: delay is from 0s to 1m")
	}
	return nil
}

// SetFaults replaces all faults; the zero Faults heals the server.
func (s *Server) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	return nil
}

// Faults is the trouble being made now.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

func hits(share float64) bool { return share > 0 && rand.Float64() < share }

// faultsPage answers GET and POST /sandbox/mail/faults: a JSON Faults.
func (s *Server) faultsPage(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var f Faults
		in := json.NewDecoder(io.LimitReader(r.Body, 16<<10))
		in.DisallowUnknownFields()
		err := in.Decode(&f)
		if err == nil {
			err = s.SetFaults(f)
		}
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
	}
	reply(w, http.StatusOK, s.Faults())
}
