package token_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
)

const (
	issuer   = "https://shop.example"
	audience = "https://shop.example/graphql"
)

// office issues tokens and publishes its keys.
type office struct {
	clock   *clocktest.Clock
	mu      sync.Mutex
	keys    []token.Key
	away    error
	fetches atomic.Int64
}

func newKey(t testing.TB) (token.Key, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return token.KeyOf(public), private
}

func newOffice(t testing.TB) (*office, token.Signer, *token.Verifier) {
	o := &office{clock: clocktest.Still()}
	key, private := newKey(t)
	o.publish(key)
	return o, token.Signer{Issuer: issuer, Audience: audience, Key: private, KeyID: key.ID}, token.NewVerifier(token.VerifierOptions{
		Issuer: issuer, Audience: audience, Now: o.clock.Now, Keys: o.fetch,
	})
}

func (o *office) publish(keys ...token.Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys = keys
}

func (o *office) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.away = err
}

func (o *office) fetch(context.Context) ([]token.Key, error) {
	o.fetches.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.keys), o.away
}

func (o *office) claims() token.Claims {
	return token.Claims{
		ID: "token-1", Account: "ada", SessionID: "session-1", Roles: []identity.Role{identity.Customer},
		IssuedAt: o.clock.Now(), Expires: o.clock.Now().Add(10 * time.Minute),
	}
}

func sign(t testing.TB, s token.Signer, c token.Claims) string {
	t.Helper()
	raw, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func want(t *testing.T, what string, v *token.Verifier, raw string, want error) {
	t.Helper()
	if got, err := v.Verify(t.Context(), raw); !errors.Is(err, want) || (err == nil) != (got.ID != "") {
		t.Errorf("%s: %+v, %v; want %v", what, got, err, want)
	}
}

func TestATokenSaysWhoShowsIt(t *testing.T) {
	o, s, v := newOffice(t)
	raw := sign(t, s, o.claims())
	for range 2 { // judged, then remembered
		got, err := v.Verify(t.Context(), raw)
		if err != nil || got.ID != "session-1" || got.Caller.CustomerID != "ada" || !slices.Equal(got.Caller.Roles, []identity.Role{identity.Customer}) || !got.Expires.Equal(o.claims().Expires) {
			t.Fatalf("%+v, %v", got, err)
		}
		got.Caller.Roles[0] = identity.Admin // of no consequence for others
	}
	o.clock.Pass(10 * time.Minute)
	want(t, "a remembered token that has expired", v, raw, token.ErrExpired)
}

// forge signs whatever header and claims.
func forge(t testing.TB, method jwt.SigningMethod, key any, header, claims map[string]any) string {
	t.Helper()
	j := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	for k, v := range header {
		j.Header[k] = v
	}
	raw, err := j.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestForgedTokensAreRefused(t *testing.T) {
	o, s, v := newOffice(t)
	strangerKey, stranger := newKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, s, o.claims())
	part := strings.Split(good, ".")
	now := o.clock.Now().Unix()
	header := func(with ...any) map[string]any {
		h := map[string]any{"typ": "at+jwt", "kid": s.KeyID}
		for i := 0; i < len(with); i += 2 {
			h[with[i].(string)] = with[i+1]
		}
		return h
	}
	claims := func(with ...any) map[string]any {
		c := map[string]any{"iss": issuer, "aud": audience, "sub": "ada", "sid": "session-1", "jti": "x", "roles": []string{"customer"}, "iat": now, "exp": now + 600}
		for i := 0; i < len(with); i += 2 {
			if with[i+1] == nil {
				delete(c, with[i].(string))
				continue
			}
			c[with[i].(string)] = with[i+1]
		}
		return c
	}
	ours := func(h, c map[string]any) string { return forge(t, jwt.SigningMethodEdDSA, s.Key, h, c) }
	want(t, "what is forged without a mistake", v, ours(header(), claims()), nil) // so each mistake below is the only one

	encoded := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	public := s.Key.Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte) string {
		text := encoded(header("alg", "HS256")) + "." + part[1]
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	flipped := []byte(part[2])
	flipped[10] ^= 1
	spelt := part[2][:85] + string(part[2][85]+1) // the last four bits mean nothing
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"another spelling of the end":   {part[0] + "." + part[1] + "." + spelt, token.ErrInvalid},
		"nothing":                       {"", token.ErrInvalid},
		"noise":                         {"not.a.token", token.ErrInvalid},
		"two parts":                     {part[0] + "." + part[1], token.ErrInvalid},
		"no signature":                  {part[0] + "." + part[1] + ".", token.ErrInvalid},
		"a changed signature":           {part[0] + "." + part[1] + "." + string(flipped), token.ErrInvalid},
		"another spelling":              {good + "=", token.ErrInvalid},
		"other claims":                  {part[0] + "." + encoded(claims("roles", []string{"admin"})) + "." + part[2], token.ErrInvalid},
		"another header":                {encoded(header("alg", "EdDSA", "x", 1)) + "." + part[1] + "." + part[2], token.ErrInvalid},
		"alg none":                      {forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header(), claims()), token.ErrInvalid},
		"alg None":                      {encoded(header("alg", "None")) + "." + part[1] + ".", token.ErrInvalid},
		"alg none over a signature":     {encoded(header("alg", "none")) + "." + part[1] + "." + part[2], token.ErrInvalid},
		"HS256 with the public key":     {hs256(public), token.ErrInvalid},
		"HS256 with the public key DER": {hs256(der), token.ErrInvalid},
		"HS256 with x":                  {hs256([]byte(token.KeyOf(public).X)), token.ErrInvalid},
		"RS256":                         {forge(t, jwt.SigningMethodRS256, rsaKey, header(), claims()), token.ErrInvalid},
		"a stranger's key":              {forge(t, jwt.SigningMethodEdDSA, stranger, header(), claims()), token.ErrInvalid},
		"a stranger's key by its id":    {forge(t, jwt.SigningMethodEdDSA, stranger, header("kid", strangerKey.ID), claims()), token.ErrInvalid},
		"a key that it brings":          {forge(t, jwt.SigningMethodEdDSA, stranger, header("jwk", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": strangerKey.X}), claims()), token.ErrInvalid},
		"no key id":                     {ours(map[string]any{"typ": "at+jwt"}, claims()), token.ErrInvalid},
		"a key id that is a path":       {ours(header("kid", "../../dev/null"), claims()), token.ErrInvalid},
		"a key id that is no text":      {ours(header("kid", []string{s.KeyID}), claims()), token.ErrInvalid},
		"a token for something else":    {ours(header("typ", "JWT"), claims()), token.ErrInvalid},
		"an extension":                  {ours(header("crit", []string{"b64"}), claims()), token.ErrInvalid},
		"another audience":              {ours(header(), claims("aud", "https://other.example")), token.ErrInvalid},
		"no audience":                   {ours(header(), claims("aud", nil)), token.ErrInvalid},
		"another issuer":                {ours(header(), claims("iss", "https://other.example")), token.ErrInvalid},
		"no issuer":                     {ours(header(), claims("iss", nil)), token.ErrInvalid},
		"expired":                       {ours(header(), claims("exp", now)), token.ErrExpired},
		"expired a second ago":          {ours(header(), claims("exp", now-1)), token.ErrExpired},
		"never expires":                 {ours(header(), claims("exp", nil)), token.ErrInvalid},
		"not yet":                       {ours(header(), claims("nbf", now+100)), token.ErrInvalid},
		"from the future":               {ours(header(), claims("iat", now+100)), token.ErrInvalid},
		"of no time":                    {ours(header(), claims("iat", nil)), token.ErrInvalid},
		"of nobody":                     {ours(header(), claims("sub", nil)), token.ErrInvalid},
		"of no session":                 {ours(header(), claims("sid", nil)), token.ErrInvalid},
		"of the program itself":         {ours(header(), claims("roles", []string{"customer", "system"})), token.ErrInvalid},
		"of an unheard-of role":         {ours(header(), claims("roles", []string{"root"})), token.ErrInvalid},
		"a role for a list":             {ours(header(), claims("roles", "admin")), token.ErrInvalid},
		"huge":                          {ours(header(), claims("x", strings.Repeat("x", 10_000))), token.ErrInvalid},
	} {
		want(t, name, v, c.raw, c.want)
	}
	for range 3 {
		want(t, "after all that, the good one", v, good, nil)
	}
}

// However many tokens name a key that does not exist, the keys are asked for
// once in ten seconds; and tokens of known keys need no asking.
func TestUnknownKeysAreAskedForSeldom(t *testing.T) {
	o, s, v := newOffice(t)
	good := sign(t, s, o.claims())
	want(t, "the first token", v, good, nil)
	if n := o.fetches.Load(); n != 1 {
		t.Fatalf("%d fetches", n)
	}
	o.clock.Pass(11 * time.Second)
	var all sync.WaitGroup
	for range 200 {
		_, stranger := newKey(t)
		all.Go(func() {
			forged, err := token.Signer{Issuer: issuer, Audience: audience, Key: stranger, KeyID: rand.Text()}.Sign(o.claims())
			if err != nil {
				t.Error(err)
			}
			if _, err := v.Verify(t.Context(), forged); !errors.Is(err, token.ErrInvalid) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := o.fetches.Load(); n != 2 {
		t.Errorf("%d fetches for 200 forged tokens, want one more", n)
	}
	// A key that is new is found, once it may be asked for again.
	key, private := newKey(t)
	o.publish(key, token.KeyOf(s.Key.Public().(ed25519.PublicKey)))
	next := token.Signer{Issuer: issuer, Audience: audience, Key: private, KeyID: key.ID}
	raw := sign(t, next, o.claims())
	want(t, "a new key, too soon", v, raw, token.ErrInvalid)
	o.clock.Pass(11 * time.Second)
	want(t, "a new key", v, raw, nil)
	want(t, "the old key", v, good, nil)
	// A key that is withdrawn takes its tokens with it, remembered ones too.
	o.publish(key)
	if err := v.Refetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, "a key that was withdrawn", v, good, token.ErrInvalid)
}

func TestKeysThatNeverCameAreNotTheTokensFault(t *testing.T) {
	o, s, v := newOffice(t)
	good := sign(t, s, o.claims())
	o.fail(errors.New("away"))
	_, err := v.Verify(t.Context(), good)
	if !errors.Is(err, token.ErrNoKeys) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	o.fail(nil)
	o.clock.Pass(11 * time.Second)
	want(t, "the keys have come", v, good, nil)
	// Once known, they are good while the office is away, or publishes nonsense.
	o.fail(errors.New("away"))
	if v.Refetch(t.Context()) == nil {
		t.Error("no error")
	}
	o.fail(nil)
	for _, nonsense := range [][]token.Key{nil, {{ID: "x", X: "x"}}, {{ID: "", X: s.KeyID}}} {
		o.publish(nonsense...)
		if v.Refetch(t.Context()) == nil {
			t.Errorf("%v: no error", nonsense)
		}
	}
	other := o.claims()
	other.ID = "token-2"
	want(t, "a token of a known key", v, sign(t, s, other), nil)
}

func TestKeysAreFetchedInTheBackground(t *testing.T) {
	o, s, v := newOffice(t)
	o.fail(errors.New("away"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	eventually(t, func() bool { return o.fetches.Load() >= 3 }) // with growing pauses
	o.fail(nil)
	eventually(t, func() bool { return v.Refetched() })
	want(t, "a token", v, sign(t, s, o.claims()), nil)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTokensOfEndedSessionsAreRefused(t *testing.T) {
	o, s, v := newOffice(t)
	raw := sign(t, s, o.claims())
	want(t, "while it lives", v, raw, nil)
	v.End("session-1")
	want(t, "when it has ended", v, raw, token.ErrEnded)
	other := o.claims()
	other.ID = "token-2"
	want(t, "another token of it", v, sign(t, s, other), token.ErrEnded)
	other.SessionID = "session-2"
	want(t, "another session", v, sign(t, s, other), nil)
}

func TestTheKeySetIsStandard(t *testing.T) {
	// The key and its thumbprint of RFC 8037, appendix A.
	key := token.Key{ID: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", X: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
	raw, err := base64.RawURLEncoding.DecodeString(key.X)
	if err != nil {
		t.Fatal(err)
	}
	if got := token.KeyOf(raw); got != key {
		t.Errorf("%+v", got)
	}
	const set = `{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	if got := string(token.KeySet([]token.Key{key})); got != set {
		t.Errorf("%s", got)
	}
	if got := string(token.KeySet(nil)); got != `{"keys":[]}` {
		t.Errorf("%s", got)
	}
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to pass")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, remembered := range map[string]bool{"new": false, "seen": true} {
		b.Run(name, func(b *testing.B) {
			o, s, v := newOffice(b)
			raws := make([]string, 1)
			if !remembered {
				raws = make([]string, 2*token.Remembered) // the oldest is forgotten when its turn comes
			}
			for i := range raws {
				c := o.claims()
				c.ID = fmt.Sprint(i)
				raws[i] = sign(b, s, c)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, err := v.Verify(b.Context(), raws[i%len(raws)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
