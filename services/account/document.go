package account

import (
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
)

// An accountDoc is somebody's account as it is kept.
type accountDoc struct {
	docstore.Meta `bson:",inline"`
	Login         string          `bson:"login"` // the address as it is compared; after Erase a space and the id, which no address can be
	Email         string          `bson:"email"` // as its owner writes it
	Verified      bool            `bson:"verified"`
	Hash          string          `bson:"hash,omitempty"` // bcrypt's; "" until there is a verified password
	Profile       profile         `bson:"profile"`
	Roles         []identity.Role `bson:"roles"`
	Staff         bool            `bson:"staff,omitempty"` // has another role than customer
	Addresses     []Address       `bson:"addresses,omitempty"`
	Default       string          `bson:"default,omitempty"` // an address's id
	CreatedAt     time.Time       `bson:"created"`
	UpdatedAt     time.Time       `bson:"updated"`
	ErasedAt      *time.Time      `bson:"erased,omitempty"`

	Registered int       `bson:"registered,omitempty"` // how often it was, while nobody had verified it
	Links      []link    `bson:"links,omitempty"`
	Mails      []mailDoc `bson:"mails,omitempty"`
	// Tidy is when the next link or mail runs out.
	Tidy *time.Time `bson:"tidy,omitempty"`

	// Epoch grows when all sessions are to end: those of an earlier one, but
	// for Kept, are good for nothing. Ending is set until they are all marked
	// as ended, so that the sweeper finishes what a crash interrupts.
	Epoch  int64      `bson:"epoch"`
	Kept   string     `bson:"kept,omitempty"`
	Ending *time.Time `bson:"ending,omitempty"`

	Outbox events.Outbox `bson:"outbox"`
}

// profile is what somebody says about themselves.
type profile struct {
	FirstName   string     `bson:"firstName,omitempty"`
	LastName    string     `bson:"lastName,omitempty"`
	Phone       string     `bson:"phone,omitempty"`
	Locale      string     `bson:"locale,omitempty"`
	Marketing   bool       `bson:"marketing,omitempty"`
	MarketingAt *time.Time `bson:"marketingAt,omitempty"`
}

// A mailDoc is a message that is or was due.
type mailDoc struct {
	ID      string    `bson:"id"`
	Kind    MailKind  `bson:"kind"`
	Link    string    `bson:"link,omitempty"`
	At      time.Time `bson:"at"`
	Expires time.Time `bson:"expires"`
}

var accountSpec = docstore.Spec{Name: "accounts", Indexes: []docstore.Index{
	{Name: "login", Fields: []string{"login"}, Unique: true},
	{Name: "staff", Fields: []string{"staff", "login"}},
	{Name: "ending", Fields: []string{"ending"}},
	{Name: "tidy", Fields: []string{"tidy"}},
	events.Index(), events.DeadIndex(),
}}

// prune drops links and mails that have run out.
func (d *accountDoc) prune(now time.Time) {
	d.Links = slices.DeleteFunc(d.Links, func(l link) bool { return !now.Before(l.Expires) })
	d.Mails = slices.DeleteFunc(d.Mails, func(m mailDoc) bool { return !now.Before(m.Expires) })
	d.Tidy = nil
	sooner := func(t time.Time) {
		if d.Tidy == nil || t.Before(*d.Tidy) {
			d.Tidy = &t
		}
	}
	for _, l := range d.Links {
		sooner(l.Expires)
	}
	for _, m := range d.Mails {
		sooner(m.Expires)
	}
}

// endSessions makes all sessions good for nothing, but for the one that is
// kept; settle marks them.
func (d *accountDoc) endSessions(now time.Time, keep string) {
	d.Epoch++
	d.Kept = keep
	d.Ending = &now
}

func (d *accountDoc) customer() Customer {
	c := Customer{
		ID: d.ID, Version: d.Version, Email: d.Email, Verified: d.Verified,
		FirstName: d.Profile.FirstName, LastName: d.Profile.LastName, Phone: d.Profile.Phone, Locale: d.Profile.Locale,
		AcceptsMarketing: d.Profile.Marketing, Roles: slices.Clone(d.Roles), Addresses: slices.Clone(d.Addresses),
		DefaultAddressID: d.Default, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if d.Profile.MarketingAt != nil {
		c.MarketingChangedAt = *d.Profile.MarketingAt
	}
	return c
}

// A sessionDoc is one sign-in, and the family of its refresh tokens.
type sessionDoc struct {
	docstore.Meta `bson:",inline"`
	Account       string     `bson:"account"`
	Live          string     `bson:"live,omitempty"` // the account, until the session ends
	Epoch         int64      `bson:"epoch"`
	Device        string     `bson:"device,omitempty"`
	CreatedAt     time.Time  `bson:"created"`
	UsedAt        time.Time  `bson:"used"`
	Expires       time.Time  `bson:"expires"`
	EndedAt       *time.Time `bson:"ended,omitempty"`
	Forget        time.Time  `bson:"forget"` // when the document goes

	Current   []byte    `bson:"current"`            // hash of the refresh token that is good
	Previous  []byte    `bson:"previous,omitempty"` // and of the one before
	Salt      []byte    `bson:"salt,omitempty"`     // makes the current one of the previous one
	RotatedAt time.Time `bson:"rotated"`
}

// endedKept is how long it is known of a session that it has ended: longer
// than its access tokens live.
const endedKept = 24 * time.Hour

var sessionSpec = docstore.Spec{Name: "sessions", Indexes: []docstore.Index{
	{Name: "live", Fields: []string{"live", "created"}},
	{Name: "forget", Fields: []string{"forget"}},
}}

// over reports whether the session has ended.
func (s *sessionDoc) over(now time.Time) bool { return s.EndedAt != nil || !now.Before(s.Expires) }

// belongs reports whether the account still means the session.
func (s *sessionDoc) belongs(d *accountDoc) bool { return s.Epoch == d.Epoch || s.ID == d.Kept }

// end ends it. What is personal goes at once.
func (s *sessionDoc) end(now time.Time) {
	s.Live, s.Device, s.EndedAt, s.Forget = "", "", &now, now.Add(endedKept)
	s.Current, s.Previous, s.Salt = nil, nil, nil
}

// use puts the end off, because the session is in use.
func (s *sessionDoc) use(now time.Time) {
	s.UsedAt, s.Expires = now, now.Add(IdleFor)
	if last := s.CreatedAt.Add(SessionFor); last.Before(s.Expires) {
		s.Expires = last
	}
	s.Forget = s.Expires.Add(endedKept)
}

func (s *sessionDoc) session() Session {
	return Session{ID: s.ID, Device: s.Device, CreatedAt: s.CreatedAt, UsedAt: s.UsedAt, Expires: s.Expires}
}
