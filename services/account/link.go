package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// purpose is what a mailed link is good for.
type purpose string

const (
	verifying purpose = "verify"
	resetting purpose = "reset" // also of invitations
)

// A link is what an account keeps of a mailed link. Its token is not kept: it
// is a MAC over what stands here, under a key that the documents do not have.
// So the token can be mailed again after a lost answer, is the same each time,
// and cannot be had from the database; and a guessed one is recognised as such
// without looking there.
type link struct {
	ID      string    `bson:"id"`
	Purpose purpose   `bson:"purpose"`
	Expires time.Time `bson:"expires"`
	Used    bool      `bson:"used,omitempty"`
	// What verifying puts in place: the registration that asked for this very
	// link. Of two who register one address, the one who reads its mail wins.
	Hash    string   `bson:"hash,omitempty"`
	Profile *profile `bson:"profile,omitempty"`
}

// At most maxLinks of a purpose are good at once; the latest.
const maxLinks = 10

// addLink adds a link that is good for so long.
func (d *accountDoc) addLink(l link, now time.Time, good time.Duration) link {
	l.ID, l.Expires = rand.Text(), now.Add(good)
	d.Links = append(d.Links, l)
	of := func(other link) bool { return other.Purpose == l.Purpose }
	for n := count(d.Links, of); n > maxLinks; n-- {
		i := slices.IndexFunc(d.Links, of)
		d.Links = slices.Delete(d.Links, i, i+1)
	}
	return l
}

func (d *accountDoc) link(id string) *link {
	i := slices.IndexFunc(d.Links, func(l link) bool { return l.ID == id })
	if i < 0 {
		return nil
	}
	return &d.Links[i]
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

// tokenOf is the secret that is mailed: "<account><mac>.<link>".
func (k *Keeper) tokenOf(account string, l *link) string {
	id := uuid.MustParse(account)
	return encode(append(id[:], mac(k.secrets.link, string(l.Purpose), account, l.ID)...)) + "." + l.ID
}

// readToken is the account and the link of a token that we have made.
func (k *Keeper) readToken(p purpose, token string) (account, id string, err error) {
	first, id, ok := strings.Cut(token, ".")
	if !ok || len(token) > 256 {
		return "", "", ErrLink
	}
	raw, err := decode(first)
	if err != nil || len(raw) != len(uuid.UUID{})+sha256.Size {
		return "", "", ErrLink
	}
	account = uuid.UUID(raw[:len(uuid.UUID{})]).String()
	if !hmac.Equal(raw[len(uuid.UUID{}):], mac(k.secrets.link, string(p), account, id)) {
		return "", "", ErrLink
	}
	return account, id, nil
}
