// Package budget gives everybody so much to spend, and no more: each key has
// points that come back with time, up to a burst, and what is done costs some.
//
// The points of a key are kept in Redis (redis_rate's GCRA), one budget for
// all processes of the shop. While Redis is away, or where there is none, each
// process keeps the same budget for itself, and begins with what it knew last.
package budget

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	redisrate "github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/absence"
)

// Limit is what a key may spend. A key always has the same.
type Limit struct {
	Rate  int           // points that come back
	Per   time.Duration // in this time
	Burst int           // the most there can be
}

// PerSecond is rate points a second, and at most burst at once.
func PerSecond(rate, burst int) Limit { return Limit{Rate: rate, Per: time.Second, Burst: burst} }

// PerMinute is n points a minute, all at once if one likes.
func PerMinute(n int) Limit { return Limit{Rate: n, Per: time.Minute, Burst: n} }

func (l Limit) perSecond() float64 { return float64(l.Rate) / l.Per.Seconds() }

// Result is what came of a Take.
type Result struct {
	Allowed    bool
	Remaining  int           // points that are left, as far as this process knows
	RetryAfter time.Duration // until there is enough; 0 when allowed
}

// Options of Budgets.
type Options struct {
	Redis  *redis.Options // nil: only this process counts; the timeouts are the budgets' own
	Within time.Duration  // how long a call to Redis may take; 100 ms by default, since somebody waits
	Keys   int            // how many keys this process remembers, the last used; 50,000 by default
	Log    *slog.Logger   // nil logs nothing
	Now    func() time.Time
}

// Budgets may be used from many goroutines. They are closed by Close.
type Budgets struct {
	o      Options
	client *redis.Client // nil: none
	shared *redisrate.Limiter
	purses purses
	away   absence.Absence

	asked, alone, saved, refused atomic.Uint64
}

// New makes budgets. Redis may be away.
func New(o Options) *Budgets {
	o.Within = cmp.Or(o.Within, 100*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Budgets{o: o, purses: purses{most: cmp.Or(o.Keys, 50_000)}}
	if o.Redis != nil {
		own := *o.Redis
		own.ContextTimeoutEnabled = true
		own.MaxRetries, own.DialerRetries = -1, 1
		own.DialTimeout, own.ReadTimeout, own.WriteTimeout, own.PoolTimeout = o.Within, o.Within, o.Within, o.Within
		b.client = redis.NewClient(&own)
		b.shared = redisrate.NewLimiter(b.client)
	}
	return b
}

// Close ends the connections to Redis.
func (b *Budgets) Close() error {
	if b.client == nil {
		return nil
	}
	return b.client.Close()
}

// Take spends cost points of the key, or none if there are not enough; more
// than the burst there never are. It takes one round trip to Redis, or none
// where what was refunded to the key in this process suffices. It does not
// fail.
func (b *Budgets) Take(ctx context.Context, key string, l Limit, cost int) Result {
	now := b.o.Now()
	credit, level := b.purses.draw(key, l, cost, now)
	need := cost - credit
	var r Result
	switch {
	case need <= 0:
		b.saved.Add(1)
		return Result{Allowed: true, Remaining: level}
	case b.client != nil && b.away.Allows(now):
		var err error
		if r, err = b.ask(ctx, key, l, need); err == nil {
			b.asked.Add(1)
			if now = b.o.Now(); !r.Allowed {
				r.Remaining = b.purses.settle(key, l, credit, max(0, float64(need)-r.RetryAfter.Seconds()*l.perSecond()), now)
				break
			}
			r.Remaining = b.purses.settle(key, l, 0, float64(r.Remaining), now)
			return r
		}
		fallthrough
	default:
		b.alone.Add(1)
		r = b.purses.spend(key, l, need, credit, b.o.Now())
	}
	if !r.Allowed {
		b.refused.Add(1)
	}
	return r
}

// Refund gives back points that were taken and not used. They are kept in this
// process and are spent by its next Take of the key; they never make more than
// the burst. Those of a key that is not used again are worth nothing by the
// time its budget is full.
func (b *Budgets) Refund(key string, l Limit, points int) (remaining int) {
	return b.purses.credit(key, l, points, b.o.Now())
}

// Spent reports whether the key has nothing left, as far as this process
// knows. It asks nobody.
func (b *Budgets) Spent(key string, l Limit) bool {
	if !b.purses.spent(key, l, b.o.Now()) {
		return false
	}
	b.refused.Add(1)
	return true
}

func (b *Budgets) ask(ctx context.Context, key string, l Limit, n int) (Result, error) {
	// What becomes of the request is no reason to think that Redis is away.
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.o.Within)
	defer cancel()
	got, err := b.shared.AllowN(call, key, redisrate.Limit{Rate: l.Rate, Burst: l.Burst, Period: l.Per}, n)
	switch again, changed := b.away.Learn(err, b.o.Now()); {
	case err != nil && changed:
		b.o.Log.WarnContext(ctx, "redis is away; each process limits by itself, with the same budgets", "error", err, "again", again)
	case changed:
		b.o.Log.InfoContext(ctx, "redis is back; the processes share their budgets again")
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Allowed: got.Allowed == n, Remaining: got.Remaining, RetryAfter: max(0, got.RetryAfter)}, nil
}

// Figures are counts since the start.
type Figures struct {
	Redis   uint64 `json:"redis"`   // decided by Redis, for all processes
	Local   uint64 `json:"local"`   // decided by this process alone, because Redis was away or there is none
	Saved   uint64 `json:"saved"`   // paid from refunds, without asking anybody
	Refused uint64 `json:"refused"` // of all these and of what was already spent, refused
	Away    bool   `json:"away"`    // Redis does not answer at the moment
}

// Figures tells what was decided so far, and by whom.
func (b *Budgets) Figures() Figures {
	return Figures{b.asked.Load(), b.alone.Load(), b.saved.Load(), b.refused.Load(), b.away.Is()}
}

func whole(points float64) int { return int(math.Floor(points + 1e-6)) }
