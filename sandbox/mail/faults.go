package mail

import (
	"maps"
	"slices"
	"strings"

	"ordergraph/sandbox/faults"
)

// Faults is the trouble that the server makes on purpose. Shares are from 0 to
// 1 of all messages.
type Faults struct {
	Down      bool     `json:"down"`      // every connection is closed without an answer
	Refused   float64  `json:"refused"`   // 550: there is no such mailbox, and there never will be
	RefusedTo []string `json:"refusedTo"` // the same for these addresses, or for everybody at "@example.com"
	Deferred  float64  `json:"deferred"`  // 451: come again later
	Lost      float64  `json:"lost"`      // kept, then the connection is cut instead of saying so
	Delay     Duration `json:"delay"`     // before a message is answered
	Seed      uint64   `json:"seed"`      // not 0: the same messages in the same order are hit again
}

// Duration is written like "1.5s" in JSON.
type Duration = faults.Duration

func (f Faults) check() error {
	const part = "mail server"
	err := faults.CheckShares(part, map[string]float64{"refused": f.Refused, "deferred": f.Deferred, "lost": f.Lost})
	if err == nil {
		err = faults.CheckDelay(part, f.Delay)
	}
	return err
}

// refuses reports whether there is no mailbox of that address.
func (f Faults) refuses(address string) bool {
	return slices.ContainsFunc(f.RefusedTo, func(to string) bool {
		to, address := strings.ToLower(to), strings.ToLower(address)
		return to == address || strings.HasPrefix(to, "@") && strings.HasSuffix(address, to)
	})
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
	Taken    int            `json:"taken"`    // messages
	Lost     int            `json:"lost"`     // of them, those whose answer was cut off
	Deferred int            `json:"deferred"` // attempts that were put off
	Refused  int            `json:"refused"`  // attempts that were refused
	IDs      map[string]int `json:"ids"`      // how often each Message-ID was taken; the first 200,000
}

const mostIDs = 200_000

// Ledger is what the server has done, those messages included that it has
// forgotten.
func (s *Server) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ledger
	l.IDs = maps.Clone(l.IDs)
	return l
}

// note changes the ledger.
func (s *Server) note(change func(l *Ledger)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.ledger)
}
