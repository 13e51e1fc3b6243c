package graph

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"ordergraph/graph/gengql"
	"ordergraph/platform/activity"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

// mostMinutes are shown of what the shop was doing.
const mostMinutes = int32(activity.Kept / time.Minute)

var errNoActivity = fault.New(fault.Unavailable, "graph.no_activity", "This server does not know what the shop is doing.")

func (r *Resolver) activityNow(ctx context.Context, minutes int32) (*gengql.ShopActivity, error) {
	if err := r.mayShow(minutes); err != nil {
		return nil, err
	}
	shown, _, err := r.readActivity(ctx, caller(ctx), minutes)
	return shown, err
}

// watchActivity has one look at the counts every other second for all who
// watch. When there are more, each gets them on its own behalf.
func (r *Resolver) watchActivity(ctx context.Context, minutes int32) (<-chan *gengql.ShopActivity, error) {
	if err := r.mayShow(minutes); err != nil {
		return nil, err
	}
	who := caller(ctx)
	return subscribe(ctx, r, r.watched.activity, wholeShop, strconv.Itoa(int(minutes)), nil, func(ctx context.Context) (*gengql.ShopActivity, int64, error) {
		return r.readActivity(ctx, who, minutes)
	})
}

func (r *Resolver) mayShow(minutes int32) error {
	if r.activity == nil {
		return errNoActivity
	}
	if minutes < 1 || minutes > mostMinutes {
		return errInput.Field("minutes").Say("`minutes` of the shop's activity must be from 1 to %d, not %d.", mostMinutes, minutes)
	}
	return nil
}

// The one thing that can be watched of the shop's activity.
const (
	activityTopic = "activity"
	wholeShop     = "shop"
)

// activityVersion is the version of what everybody watches.
func (r *Resolver) activityVersion(ctx context.Context, _ []string) (map[string]int64, error) {
	_, version, err := r.readActivity(ctx, identity.Ourselves(), 1)
	return map[string]int64{wholeShop: version}, err
}

// readActivity shows so many minutes up to now. The version grows with the
// counts and with the minutes.
func (r *Resolver) readActivity(ctx context.Context, who identity.Caller, minutes int32) (*gengql.ShopActivity, int64, error) {
	now := time.Now().UTC()
	last := now.Truncate(time.Minute)
	first := last.Add(-time.Duration(minutes-1) * time.Minute)
	report, err := r.activity.Read(ctx, who, first)
	if err != nil {
		return nil, 0, err
	}
	shown := &gengql.ShopActivity{At: now, Minutes: make([]gengql.ActivityMinute, minutes)}
	all := make([][]activity.Count, 0, minutes)
	for i := range shown.Minutes {
		m := &shown.Minutes[i]
		m.At = first.Add(time.Duration(i) * time.Minute)
		var counts []activity.Count
		if len(report.Minutes) > 0 && !report.Minutes[0].At.After(m.At) {
			counts, report.Minutes = report.Minutes[0].Counts, report.Minutes[1:]
			all = append(all, counts)
		}
		m.Figures = figuresOf(counts)
	}
	shown.Total = figuresOf(activity.Sum(all...))
	return shown, report.Version + last.UnixMilli(), nil
}

func figuresOf(counts []activity.Count) gengql.ActivityFigures {
	f := gengql.ActivityFigures{Failed: []gengql.ActivityFailure{}}
	for _, c := range counts {
		n := int32(min(c.N, math.MaxInt32))
		switch c.Name {
		case cart.CountFilled:
			f.Carts += n
		case order.CountPlaced:
			f.Placed += n
		case order.CountFailed:
			f.Failed = append(f.Failed, gengql.ActivityFailure{Reason: c.Label, Count: n})
		case order.CountCancelled:
			f.Cancelled += n
		case order.CountConfirmed:
			f.Confirmed += n
			f.ConfirmedWithinP50, f.ConfirmedWithinP99 = within(c.Took, 50), within(c.Took, 99)
		}
	}
	slices.SortFunc(f.Failed, func(a, b gengql.ActivityFailure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	if f.Carts > 0 {
		share := float64(f.Confirmed) / float64(f.Carts)
		f.Conversion = &share
	}
	return f
}

// within is in how many milliseconds so many of 100 were done.
func within(took []activity.Bucket, ofHundred float64) *float64 {
	longest, ok := activity.Within(took, ofHundred)
	if !ok {
		return nil
	}
	ms := math.Round(longest.Seconds()*1e4) / 10
	return &ms
}
