package deadletter

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

const (
	countWithin = 3 * time.Second
	mostCounted = 1000 // more are not counted further: somebody has to look at once
)

var gauge = prometheus.NewDesc("ordergraph_dead_letters",
	"Dead letters that wait to be replayed or dropped, up to 1000. All copies of a service count the same ones: take the maximum, not the sum.",
	[]string{"service", "kind"}, nil)

// Gauge counts the letters of the boxes, each of one kind, whenever it is
// asked. A box that cannot be read is left out.
func Gauge(log *slog.Logger, boxes ...Box) prometheus.Collector { return counter{log, boxes} }

type counter struct {
	log   *slog.Logger
	boxes []Box
}

// Describe is prometheus.Collector's.
func (c counter) Describe(to chan<- *prometheus.Desc) { to <- gauge }

// Collect is prometheus.Collector's.
func (c counter) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	var all sync.WaitGroup
	for _, b := range c.boxes {
		all.Go(func() {
			n := 0
			err := work.Safely(func() (err error) { n, err = count(ctx, b); return err })
			if err != nil {
				c.log.WarnContext(ctx, "dead letters cannot be counted", "of", b.name(), "error", err)
				return
			}
			to <- prometheus.MustNewConstMetric(gauge, prometheus.GaugeValue, float64(n), b.Service, string(b.Kind))
		})
	}
	all.Wait()
}

func count(ctx context.Context, letters Letters) (n int, err error) {
	for q := (Query{}); n < mostCounted; {
		page, err := letters.List(ctx, identity.Ourselves(), q)
		if err != nil {
			return 0, err
		}
		n += len(page.Letters)
		if !page.HasMore || len(page.Letters) == 0 {
			return n, nil
		}
		q.After = page.Cursors[len(page.Cursors)-1]
	}
	return n, nil
}
