package account

import (
	"context"

	"golang.org/x/crypto/bcrypt"
)

// OccupyHashers lets no password be hashed until release is called, and says
// how many could be at once.
func (k *Keeper) OccupyHashers() (release func(), n int) {
	n = cap(k.hasher.slots)
	for range n {
		k.hasher.slots <- struct{}{}
	}
	return func() {
		for range n {
			<-k.hasher.slots
		}
	}, n
}

// Waiting is how many passwords wait for their turn or have it.
func (k *Keeper) Waiting() int {
	k.hasher.mu.Lock()
	defer k.hasher.mu.Unlock()
	return k.hasher.here
}

// HashCost is the cost at which an account's password is hashed.
func (k *Keeper) HashCost(ctx context.Context, id string) (int, error) {
	doc, err := k.accounts.Get(ctx, id)
	if err != nil {
		return 0, err
	}
	return bcrypt.Cost([]byte(doc.Hash))
}

// HashPatience is how long a password waits for its turn.
const HashPatience = hashPatience

// PublishAhead and SignsFor say when a key is known and how long it signs.
const (
	PublishAhead = publishAhead
	SignsFor     = signsFor
)
