package order

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Keeper)(nil)

// newStates counts orders by the states that they come into. States and
// reasons are a few; nothing else is a label.
func newStates() *prometheus.CounterVec {
	states := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ordergraph_orders_total", Help: "Orders that this process brought into a state; of failed ones with the reason.",
	}, []string{"status", "reason"})
	// There from the start, so that the first of them are seen to come.
	states.WithLabelValues(string(Confirmed), "")
	for _, reason := range []Reason{ReasonPaymentFailed, ReasonTimeout} {
		states.WithLabelValues(string(Failed), string(reason))
	}
	return states
}

// entered counts an order that has just come into its state.
func (k *Keeper) entered(d *document) {
	reason := ""
	if d.Status == Failed {
		reason = string(d.Reason)
	}
	k.states.WithLabelValues(string(d.Status), reason).Inc()
}

// Describe is prometheus.Collector's.
func (k *Keeper) Describe(to chan<- *prometheus.Desc) { k.states.Describe(to) }

// Collect is prometheus.Collector's.
func (k *Keeper) Collect(to chan<- prometheus.Metric) { k.states.Collect(to) }
