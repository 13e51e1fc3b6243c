package notification

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/docstore"
)

var _ prometheus.Collector = (*Keeper)(nil)

// newEnded counts messages by what became of them.
func newEnded() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ordergraph_notifications_total", Help: "Messages that this process brought into a state.",
	}, []string{"channel", "kind", "status"})
}

func (k *Keeper) ended(d *document) {
	k.states.WithLabelValues(string(d.Channel), string(d.Kind), string(d.Status)).Inc()
}

var (
	attemptsDesc = prometheus.NewDesc("ordergraph_notification_attempts_total",
		"Attempts to give a message to a provider, by its route and by what came of them.", []string{"channel", "route", "outcome"}, nil)
	repeatsDesc = prometheus.NewDesc("ordergraph_notification_repeats_total",
		"Attempts made although an earlier one may have succeeded.", []string{"channel"}, nil)
	expiredDesc = prometheus.NewDesc("ordergraph_notification_expired_total",
		"Messages that waited until they were of no use.", []string{"channel"}, nil)
	openDesc = prometheus.NewDesc("ordergraph_notification_route_open",
		"1 while messages are given to the route, 0 while it is left alone after failures.", []string{"channel", "route"}, nil)
	segmentsDesc = prometheus.NewDesc("ordergraph_sms_segments_total",
		"Segments that the SMS sent are paid for as.", nil, nil)
	untranslatedDesc = prometheus.NewDesc("ordergraph_notification_untranslated_total",
		"Messages written in English for want of the customer's language.", nil, nil)
	lateDesc = prometheus.NewDesc("ordergraph_notification_backlog_seconds",
		"How long the message that waits longest is overdue. All copies see the same one.", []string{"channel"}, nil)
)

// Describe is prometheus.Collector's.
func (k *Keeper) Describe(to chan<- *prometheus.Desc) {
	k.states.Describe(to)
	for _, d := range []*prometheus.Desc{attemptsDesc, repeatsDesc, expiredDesc, openDesc, segmentsDesc, untranslatedDesc, lateDesc} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (k *Keeper) Collect(to chan<- prometheus.Metric) {
	k.states.Collect(to)
	count := func(desc *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	f := k.Figures()
	for name, c := range map[Channel]ChannelFigures{Mail: f.Mail, SMS: f.SMS} {
		channel := string(name)
		count(repeatsDesc, c.Repeated, channel)
		count(expiredDesc, c.Expired, channel)
		for _, r := range c.Routes {
			count(attemptsDesc, r.Sent, channel, r.Name, "sent")
			count(attemptsDesc, r.Refused, channel, r.Name, "refused")
			count(attemptsDesc, r.Deferred, channel, r.Name, "deferred")
			count(attemptsDesc, r.Unreachable, channel, r.Name, "unreachable")
			count(attemptsDesc, r.Unknown, channel, r.Name, "unknown")
			open := 0.0
			if r.Open {
				open = 1
			}
			to <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, open, channel, r.Name)
		}
	}
	count(segmentsDesc, f.SMS.Segments)
	count(untranslatedDesc, f.MissingLanguage)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for _, c := range k.channels() {
		late, err := k.late(ctx, c)
		if err != nil {
			k.o.Log.WarnContext(ctx, "the backlog of messages cannot be read", "channel", c.name, "error", err)
			continue
		}
		to <- prometheus.MustNewConstMetric(lateDesc, prometheus.GaugeValue, late.Seconds(), string(c.name))
	}
}

// late is for how long the message is overdue that waits longest.
func (k *Keeper) late(ctx context.Context, c *channel) (time.Duration, error) {
	now := k.now()
	page, err := k.docs.Find(ctx, docstore.Query{Index: "queue", Equal: []any{string(c.name)}, Until: now, Limit: 1})
	if err != nil || len(page.Items) == 0 || page.Items[0].Due == nil {
		return 0, err
	}
	return now.Sub(*page.Items[0].Due), nil
}
