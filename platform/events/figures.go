package events

import (
	"github.com/prometheus/client_golang/prometheus"
)

// figures are what a bus counts. Topics and listeners are services, of which
// there are a handful.
type figures struct{ rung, handled, died *prometheus.CounterVec }

func newFigures() figures {
	return figures{
		rung: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ordergraph_facts_rung_total", Help: "Facts rung by this process, each ring counted.",
		}, []string{"topic"}),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ordergraph_facts_handled_total", Help: "Facts handled by this process, by what came of it: confirmed; failed, which counts towards their death; postponed, since somebody else was away.",
		}, []string{"topic", "listener", "outcome"}),
		died: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ordergraph_facts_died_total", Help: "Facts given up for a listener.",
		}, []string{"topic", "listener"}),
	}
}

// What can come of handling a fact.
const (
	confirmedOutcome = "confirmed"
	failedOutcome    = "failed"
	postponedOutcome = "postponed"
)

var _ prometheus.Collector = (*Bus)(nil)

// Describe is prometheus.Collector's.
func (b *Bus) Describe(to chan<- *prometheus.Desc) {
	b.figures.rung.Describe(to)
	b.figures.handled.Describe(to)
	b.figures.died.Describe(to)
}

// Collect is prometheus.Collector's.
func (b *Bus) Collect(to chan<- prometheus.Metric) {
	b.figures.rung.Collect(to)
	b.figures.handled.Collect(to)
	b.figures.died.Collect(to)
}
