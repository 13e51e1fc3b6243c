package budget

import (
	"container/list"
	"math"
	"sync"
	"time"
)

// purses are what this process knows of the keys that it used last.
type purses struct {
	most int

	mu    sync.Mutex
	byKey map[string]*list.Element
	order list.List // the last used first
}

// A purse is a key's points. While Redis answers, level is what it said last
// and what came back since; while it does not, level is what there is. Credit
// was taken from the level and not used.
type purse struct {
	key    string
	level  float64
	at     time.Time
	credit int
}

// of is the key's purse as it is now; a full one if it is not known. It needs
// mu. Together level and credit are never more than the burst: what time has
// given back to the level, credit need not.
func (p *purses) of(key string, l Limit, now time.Time) *purse {
	if place, ok := p.byKey[key]; ok {
		p.order.MoveToFront(place)
		u := place.Value.(*purse)
		u.set(l, u.level+max(0, now.Sub(u.at).Seconds())*l.perSecond(), now)
		return u
	}
	if p.byKey == nil {
		p.byKey = map[string]*list.Element{}
	}
	u := &purse{key: key, level: float64(l.Burst), at: now}
	p.byKey[key] = p.order.PushFront(u)
	if p.order.Len() > p.most {
		delete(p.byKey, p.order.Remove(p.order.Back()).(*purse).key)
	}
	return u
}

func (u *purse) set(l Limit, level float64, now time.Time) {
	u.level = min(level, float64(l.Burst))
	if now.After(u.at) {
		u.at = now
	}
	u.credit = min(u.credit, int(math.Ceil(float64(l.Burst)-u.level)))
}

func (u *purse) left() int { return max(0, whole(u.level)+u.credit) }

// draw takes credit, up to cost, and tells what is left with it.
func (p *purses) draw(key string, l Limit, cost int, now time.Time) (credit, left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.of(key, l, now)
	credit = min(u.credit, cost)
	u.credit -= credit
	return credit, u.left()
}

// settle notes the level that Redis told, and gives back credit.
func (p *purses) settle(key string, l Limit, credit int, level float64, now time.Time) (left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.of(key, l, now)
	u.credit += credit
	u.set(l, level, now)
	return u.left()
}

// spend takes need points of the level, or gives back the credit drawn.
func (p *purses) spend(key string, l Limit, need, credit int, now time.Time) Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.of(key, l, now)
	if lacks := float64(need) - u.level; lacks > 1e-6 {
		u.credit += credit
		return Result{Remaining: u.left(), RetryAfter: time.Duration(lacks / l.perSecond() * float64(time.Second))}
	}
	u.level -= float64(need)
	return Result{Allowed: true, Remaining: u.left()}
}

func (p *purses) credit(key string, l Limit, points int, now time.Time) (left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.of(key, l, now)
	u.credit += max(0, points)
	u.set(l, u.level, now)
	return u.left()
}

func (p *purses) spent(key string, l Limit, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.byKey[key]; !known {
		return false
	}
	return p.of(key, l, now).left() < 1
}
