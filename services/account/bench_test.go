package account_test

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
)

// BenchmarkSignIn is to be read beside BenchmarkBcrypt: the rest of a sign-in
// is what lies between them.
func BenchmarkSignIn(b *testing.B) {
	w := accounttest.New(b, func(o *account.Options) { o.Cost, o.Hashers = account.LeastCost, 1 })
	w.Customer("ada@example.org")
	b.ResetTimer()
	for b.Loop() {
		w.Enter(w.Keeper, "ada@example.org")
	}
}

func BenchmarkBcrypt(b *testing.B) {
	hash, err := bcrypt.GenerateFromPassword([]byte(accounttest.Password), account.LeastCost)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := bcrypt.CompareHashAndPassword(hash, []byte(accounttest.Password)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	w := accounttest.New(b)
	w.Customer("ada@example.org")
	tokens := w.Enter(w.Keeper, "ada@example.org")
	b.ReportAllocs()
	var err error
	for b.Loop() {
		if tokens, err = w.Refresh(b.Context(), guest, tokens.Refresh); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefused is an attempt that has to wait: what a flood costs that
// does not let up.
func BenchmarkRefused(b *testing.B) {
	w := accounttest.New(b)
	w.Customer("ada@example.org")
	for i := range 5 {
		_, _ = w.SignIn(b.Context(), guest, account.SignInInput{Email: "ada@example.org", Password: fmt.Sprint(i), Source: accounttest.Abroad})
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = w.SignIn(b.Context(), guest, account.SignInInput{Email: "ada@example.org", Password: "x", Source: accounttest.Abroad})
	}
}
