// Package accounttest is what every account service must do, whichever way it
// is reached, and a shop's accounts to try it with.
package accounttest

import (
	"context"
	"fmt"
	"testing"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
	"ordergraph/services/account"
)

// What the tests' tokens say, and the password that nobody has a reason to refuse.
const (
	Issuer    = "https://shop.example"
	Audience  = "https://shop.example/graphql"
	KeySecret = "a key secret that is long enough!"
	Password  = "seven green teapots"
)

// Where requests come from: two networks.
const (
	Home   = "192.0.2.10"
	Abroad = "203.0.113.20"
)

// Ourselves is the caller that the program is.
var Ourselves = identity.Ourselves()

// A World is an account service in a store, at a time of its own.
type World struct {
	T     testing.TB
	Store docstore.Store
	Clock *clocktest.Clock
	*account.Keeper
}

// Setting changes how a World is built.
type Setting func(*account.Options)

// New is a world whose store is in memory. Passwords are hashed at the least
// cost that bcrypt knows.
func New(t testing.TB, settings ...Setting) *World {
	t.Helper()
	w := &World{T: t, Store: docstoretest.Memory(t), Clock: clocktest.Still()}
	w.Keeper = w.Copy(settings...)
	return w
}

// Copy is one more copy of the service in the same world.
func (w *World) Copy(settings ...Setting) *account.Keeper {
	w.T.Helper()
	o := account.Options{
		Store: w.Store, Issuer: Issuer, Audience: Audience, KeySecret: KeySecret, Cost: 4, Weak: true, Hashers: 4, Now: w.Clock.Now,
	}
	for _, set := range settings {
		set(&o)
	}
	k, err := account.New(w.T.Context(), o)
	if err != nil {
		w.T.Fatal(err)
	}
	return k
}

// letter is what is read of an account to find its mails: their ids are told
// in facts, which not every test wants to hear.
type letters struct {
	docstore.Meta `bson:",inline"`
	Login         string `bson:"login"`
	Mails         []struct {
		ID string `bson:"id"`
	} `bson:"mails"`
}

// Mails are the messages to an address that are of use, the latest last.
func (w *World) Mails(login string) []account.Mail {
	w.T.Helper()
	specs, err := w.Store.Collections(w.T.Context())
	w.Must(err)
	var all []account.Mail
	for _, spec := range specs {
		if spec.Name != "accounts" {
			continue
		}
		docs, err := docstore.Open[letters](w.T.Context(), w.Store, spec)
		w.Must(err)
		page, err := docs.Find(w.T.Context(), docstore.Query{Index: "login", Equal: []any{login}})
		w.Must(err)
		for _, doc := range page.Items {
			for _, m := range doc.Mails {
				if mail, err := w.Keeper.Mail(w.T.Context(), Ourselves, doc.ID+"."+m.ID); err == nil {
					all = append(all, mail)
				}
			}
		}
	}
	return all
}

// Latest is the latest message of the kind to an address.
func (w *World) Latest(login string, kind account.MailKind) account.Mail {
	w.T.Helper()
	var latest account.Mail
	for _, m := range w.Mails(login) {
		if m.Kind == kind {
			latest = m
		}
	}
	if latest.ID == "" {
		w.T.Fatalf("no mail %q to %s", kind, login)
	}
	return latest
}

// Customer is somebody with a verified account, by the Password, who has not
// signed in yet.
func (w *World) Customer(email string) identity.Caller {
	w.T.Helper()
	ctx := w.T.Context()
	w.Must(w.Register(ctx, identity.Caller{}, account.RegisterInput{Email: email, Password: Password, FirstName: "Ada", LastName: "Lovelace"}))
	mail := w.Latest(email, account.MailVerify)
	w.Must(w.Verify(ctx, identity.Caller{}, mail.Token))
	return identity.Caller{CustomerID: mail.CustomerID, Roles: []identity.Role{identity.Customer}}
}

// Staff is somebody who works here, by the Password.
func (w *World) Staff(role identity.Role) identity.Caller {
	w.T.Helper()
	c, err := w.CreateStaff(w.T.Context(), Ourselves, account.StaffInput{
		Email: fmt.Sprintf("%s@shop.example", role), Password: Password, Roles: []identity.Role{role},
	})
	w.Must(err)
	return identity.Caller{CustomerID: c.ID, Roles: c.Roles}
}

// Enter signs somebody in from home, by the Password.
func (w *World) Enter(s account.Service, email string) account.Tokens {
	w.T.Helper()
	tokens, err := s.SignIn(w.T.Context(), identity.Caller{}, account.SignInInput{Email: email, Password: Password, Source: Home, Device: "Laptop"})
	w.Must(err)
	return tokens
}

// Verifier believes the service's tokens.
func (w *World) Verifier(s account.Service) *token.Verifier {
	return token.NewVerifier(token.VerifierOptions{
		Issuer: Issuer, Audience: Audience, Now: w.Clock.Now,
		Keys: func(ctx context.Context) ([]token.Key, error) { return s.Keys(ctx) },
	})
}

// Must fails the test on an error.
func (w *World) Must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}
