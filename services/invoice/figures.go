package invoice

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Keeper)(nil)

func newIssued() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ordergraph_invoices_total", Help: "Invoices and credit notes that this process finished, by kind.",
	}, []string{"kind"})
}

// Describe is prometheus.Collector's.
func (k *Keeper) Describe(to chan<- *prometheus.Desc) { k.issued.Describe(to) }

// Collect is prometheus.Collector's.
func (k *Keeper) Collect(to chan<- prometheus.Metric) { k.issued.Collect(to) }
