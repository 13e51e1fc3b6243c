package events

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	mostLate = 30 * time.Second // that is made allowance for
	lateFor  = 5 * time.Second  // after its last report a listener is not taken for late any more
)

// lateness is how long after the ring a topic's listeners report lately, as a
// relay learns it from their reports. Its zero value is ready; it may be used
// from many goroutines.
//
// It tells being behind from having lost something: who is behind keeps
// reporting, and reports late. Who heard nothing, since Redis has forgotten it
// or nobody is there, reports nothing, and what follows a FLUSHALL is reported
// quickly.
type lateness struct {
	mu     sync.Mutex
	groups map[string]late
}

// late is how late a group reported, and when that was.
type late struct {
	by time.Duration
	at time.Time
}

// learn takes in reports. A group is late at once, and quick again by halves:
// a few quick reports may be of the one lane that is not behind.
func (l *lateness) learn(now time.Time, reports []redis.XMessage) {
	type sum struct {
		late time.Duration
		n    int
	}
	sums := map[string]sum{}
	for _, m := range reports {
		group, _ := m.Values["group"].(string)
		entry, _ := m.Values["entry"].(string)
		rung, reported := addedAt(entry), addedAt(m.ID)
		if rung > 0 && reported > 0 {
			s := sums[group]
			sums[group] = sum{s.late + max(0, reported-rung), s.n + 1}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.groups == nil {
		l.groups = map[string]late{}
	}
	for group, s := range sums {
		l.groups[group] = late{max(s.late/time.Duration(s.n), l.by(group, now)/2), now}
	}
}

// by is how late a group is.
func (l *lateness) by(group string, now time.Time) time.Duration {
	if g, ok := l.groups[group]; ok && now.Sub(g.at) < lateFor {
		return g.by
	}
	return 0
}

// extra is how much longer than firstPatience a relay waits for a report before
// it rings again: twice as long as the latest of the groups takes.
func (l *lateness) extra(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var most time.Duration
	for group := range l.groups {
		most = max(most, l.by(group, now))
	}
	return max(0, min(2*(most+gatherFor), mostLate)-firstPatience)
}

// addedAt is when an entry was added to a stream, by Redis' clock, which is in
// its id; 0 where that is none.
func addedAt(id string) time.Duration {
	text, _, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}
