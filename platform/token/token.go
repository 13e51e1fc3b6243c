// Package token is how the shop writes down, in a form that cannot be forged,
// who somebody is: short-lived access tokens.
//
// A token is a JWT (RFC 7519) for access (RFC 9068), signed with Ed25519
// (RFC 8037). Who issues it keeps the private key; who verifies it needs the
// public keys alone and asks nobody.
package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ordergraph/platform/identity"
)

// Claims say who somebody is, and until when that may be believed.
type Claims struct {
	ID        string // names this token
	Account   string
	SessionID string
	Roles     []identity.Role
	IssuedAt  time.Time
	Expires   time.Time
}

// claims is what stands in a token.
type claims struct {
	jwt.RegisteredClaims
	Session string          `json:"sid"`
	Roles   []identity.Role `json:"roles"`
}

// header says that a token is for access (RFC 9068), so that nothing else
// which somebody may sign with the same key passes for one.
const header = "at+jwt"

// A Key is a public key as it is published.
type Key struct {
	ID string // the JWK's "kid"
	X  string // the JWK's "x": 32 bytes, base64url without padding
}

// KeyOf is the key as it is published. Its id is its thumbprint (RFC 7638).
func KeyOf(public ed25519.PublicKey) Key {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return Key{ID: base64.RawURLEncoding.EncodeToString(sum[:]), X: x}
}

func (k Key) public() (ed25519.PublicKey, error) {
	raw, err := base64.RawURLEncoding.DecodeString(k.X)
	if err != nil || len(raw) != ed25519.PublicKeySize || k.ID == "" {
		return nil, fmt.Errorf("key %q is not an Ed25519 public key", k.ID)
	}
	return raw, nil
}

// KeySet is the keys as a JSON Web Key Set (RFC 7517), for other programs.
func KeySet(keys []Key) []byte {
	type jwk struct {
		Kty string `json:"kty"`
		Crv string `json:"crv"`
		Use string `json:"use"`
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		X   string `json:"x"`
	}
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: make([]jwk, len(keys))}
	for i, k := range keys {
		set.Keys[i] = jwk{Kty: "OKP", Crv: "Ed25519", Use: "sig", Alg: "EdDSA", Kid: k.ID, X: k.X}
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(fmt.Sprintf("token: encode keys: %v", err)) // plain strings always encode
	}
	return text
}

// A Signer issues tokens with one key.
type Signer struct {
	Issuer   string
	Audience string
	Key      ed25519.PrivateKey
	KeyID    string // KeyOf's
}

// Sign writes the token.
func (s Signer) Sign(c Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.Issuer, Subject: c.Account, Audience: jwt.ClaimStrings{s.Audience}, ID: c.ID,
			IssuedAt: jwt.NewNumericDate(c.IssuedAt), ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
		Session: c.SessionID, Roles: c.Roles,
	})
	t.Header["kid"], t.Header["typ"] = s.KeyID, header
	return t.SignedString(s.Key)
}
