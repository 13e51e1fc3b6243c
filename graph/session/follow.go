package session

import (
	"sync/atomic"
	"time"

	"ordergraph/platform/identity"
)

// A follower is an open connection of a session.
type follower struct {
	done atomic.Bool
	end  func()
}

func (f *follower) fire() {
	if f.done.CompareAndSwap(false, true) {
		f.end()
	}
}

// Follow calls end when the token that was shown ends, or its session.
func (k *Keeper) Follow(session identity.Session, end func()) (stop func()) {
	if session.ID == "" {
		return func() {}
	}
	f := &follower{end: end}
	expiry := time.AfterFunc(time.Until(session.Expires), f.fire)
	k.mu.Lock()
	w := k.watched[session.ID]
	ended := w != nil && w.ended
	if w != nil && !ended {
		w.followers[f] = struct{}{}
	}
	k.mu.Unlock()
	if ended { // since it was opened
		f.fire()
	}
	return func() {
		f.done.Store(true)
		expiry.Stop()
		k.mu.Lock()
		defer k.mu.Unlock()
		if w != nil {
			delete(w.followers, f)
		}
	}
}
