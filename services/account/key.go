package account

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/token"
)

// Access tokens are signed by one key after another. A new key is published
// before it signs, so that whoever verifies knows it by then; the one before
// stays published until its last token has expired, and some time more. The
// keys are numbered, and a number can be taken once only: so copies of the
// service that make a key at the same moment make one.
const (
	signsFor     = 30 * 24 * time.Hour
	publishAhead = 2 * time.Hour
	retireAfter  = AccessFor + time.Hour // from when the next key signs
	ringFresh    = time.Minute           // keys are read anew after that
	ringRetry    = 5 * time.Second
	maxKeys      = 64 // published; there are two or three
)

// A keyDoc is one key. Its id is its number.
type keyDoc struct {
	docstore.Meta `bson:",inline"`
	Public        string    `bson:"public"` // as published
	Sealed        []byte    `bson:"sealed"` // the private key's seed, encrypted
	CreatedAt     time.Time `bson:"created"`
	SignsFrom     time.Time `bson:"signsFrom"`
}

var keySpec = docstore.Spec{Name: "keys"}

func keyNumber(n int) string { return fmt.Sprintf("%012d", n) }

// A keyRing is the keys as they were read last.
type keyRing struct {
	readAt    time.Time
	retry     time.Time // not before, after a failure
	published []token.Key
	signer    token.Signer
}

// Keys are the keys that access tokens can be verified with.
func (k *Keeper) Keys(ctx context.Context) ([]token.Key, error) {
	ring, err := k.currentKeys(ctx)
	return slices.Clone(ring.published), err
}

func (k *Keeper) signer(ctx context.Context) (token.Signer, error) {
	ring, err := k.currentKeys(ctx)
	return ring.signer, err
}

// currentKeys are the keys, not older than a minute; older ones while the
// store is away.
func (k *Keeper) currentKeys(ctx context.Context) (keyRing, error) {
	k.ringMu.Lock()
	defer k.ringMu.Unlock()
	now := k.now()
	if k.ring.signer.Key != nil && (now.Sub(k.ring.readAt) < ringFresh || now.Before(k.ring.retry)) {
		return k.ring, nil
	}
	ring, err := k.readKeys(ctx, now)
	switch {
	case err == nil:
		k.ring = ring
	case k.ring.signer.Key != nil && now.Sub(k.ring.readAt) < publishAhead:
		k.ring.retry = now.Add(ringRetry)
		k.o.Log.WarnContext(ctx, "the signing keys could not be read; those known stay in use", "error", err)
	default:
		return keyRing{}, fmt.Errorf("signing keys: %w", err)
	}
	return k.ring, nil
}

// readKeys reads the keys, and makes the one that is due.
func (k *Keeper) readKeys(ctx context.Context, now time.Time) (keyRing, error) {
	for range 10 { // each time somebody else was faster
		docs, err := k.keyDocs(ctx)
		if err != nil {
			return keyRing{}, err
		}
		ring := keyRing{readAt: now}
		for i, d := range docs {
			if i+1 < len(docs) && !now.Before(docs[i+1].SignsFrom.Add(retireAfter)) {
				continue
			}
			ring.published = append(ring.published, token.Key{ID: keyID(d.Public), X: d.Public})
			if d.SignsFrom.After(now) {
				continue
			}
			if key := k.open(&d); key != nil {
				ring.signer = token.Signer{Issuer: k.o.Issuer, Audience: k.o.Audience, Key: key, KeyID: keyID(d.Public)}
			}
		}
		from := now
		switch last := len(docs) - 1; {
		case ring.signer.Key == nil:
			// The first key; or none can be opened, for the key secret is
			// another now. It has to sign at once.
			if last >= 0 {
				k.o.Log.WarnContext(ctx, "no signing key can be opened with this key secret; a new one is made, and nobody is signed out")
			}
		case now.Before(docs[last].SignsFrom.Add(signsFor - publishAhead)):
			return ring, nil
		default:
			if from = docs[last].SignsFrom.Add(signsFor); from.Before(now.Add(publishAhead)) {
				from = now.Add(publishAhead)
			}
		}
		number := 1
		if len(docs) > 0 {
			if _, err := fmt.Sscanf(docs[len(docs)-1].ID, "%d", &number); err != nil {
				return keyRing{}, fmt.Errorf("key %q has no number: %w", docs[len(docs)-1].ID, err)
			}
			number++
		}
		if err := k.makeKey(ctx, keyNumber(number), now, from); err != nil && !errors.Is(err, docstore.ErrExists) {
			return keyRing{}, err
		}
	}
	return keyRing{}, errors.New("no key could be made")
}

func (k *Keeper) keyDocs(ctx context.Context) ([]keyDoc, error) {
	page, err := k.keys.Find(ctx, docstore.Query{Limit: maxKeys})
	return page.Items, err
}

func (k *Keeper) makeKey(ctx context.Context, id string, now, from time.Time) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	x := token.KeyOf(public).X
	doc := keyDoc{
		Meta: docstore.Meta{ID: id}, Public: x, CreatedAt: now, SignsFrom: from,
		Sealed: k.secrets.seal.Seal(nil, nil, private.Seed(), []byte(x)),
	}
	return k.keys.Insert(ctx, &doc)
}

// open decrypts a private key; nil where it was sealed with another secret.
func (k *Keeper) open(d *keyDoc) ed25519.PrivateKey {
	seed, err := k.secrets.seal.Open(nil, nil, d.Sealed, []byte(d.Public))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil
	}
	return ed25519.NewKeyFromSeed(seed)
}

func keyID(x string) string {
	raw, err := decode(x)
	if err != nil {
		return ""
	}
	return token.KeyOf(raw).ID
}

// retireKeys deletes keys whose last token has expired.
func (k *Keeper) retireKeys(ctx context.Context) error {
	docs, err := k.keyDocs(ctx)
	if err != nil {
		return err
	}
	now := k.now()
	for i := range docs {
		if i+1 == len(docs) || now.Before(docs[i+1].SignsFrom.Add(retireAfter)) {
			break
		}
		if err := k.keys.Delete(ctx, docs[i].ID, nil); err != nil {
			return err
		}
	}
	return nil
}
