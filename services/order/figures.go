package order

import "github.com/prometheus/client_golang/prometheus"

// What the order service counts of the shop's activity.
const (
	CountPlaced    = "placed"
	CountConfirmed = "confirmed" // and how long after it was placed
	CountFailed    = "failed"    // by Reason
	CountCancelled = "cancelled" // called off, or given back whole, after it was confirmed
)

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

// entered counts an order that has just come into its state. Whoever made the
// write that brought it there calls it, so that each is counted once, whoever
// else drives the order.
func (k *Keeper) entered(d *document) {
	reason := ""
	if d.Status == Failed {
		reason = string(d.Reason)
	}
	k.states.WithLabelValues(string(d.Status), reason).Inc()
	if !d.firstTime() {
		return
	}
	switch now := k.o.Activity; d.Status {
	case Pending:
		now.Count(CountPlaced, "")
	case Confirmed:
		now.CountTook(CountConfirmed, "", d.UpdatedAt.Sub(d.CreatedAt))
	case Failed:
		now.Count(CountFailed, reason)
	case Cancelled:
		now.Count(CountCancelled, "")
	case Refunded:
		if d.Cancel == nil { // otherwise it was counted when it was called off
			now.Count(CountCancelled, "")
		}
	}
}

// firstTime reports whether the order has not been in its state before: a
// refund that the bank sends back leads from REFUNDED to where it came from.
func (d *document) firstTime() bool {
	times := 0
	for _, e := range d.Timeline {
		if e.Status == d.Status {
			times++
		}
	}
	return times == 1
}

// Describe is prometheus.Collector's.
func (k *Keeper) Describe(to chan<- *prometheus.Desc) { k.states.Describe(to) }

// Collect is prometheus.Collector's.
func (k *Keeper) Collect(to chan<- prometheus.Metric) { k.states.Collect(to) }
