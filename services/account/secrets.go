package account

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"ordergraph/platform/docstore"
)

// secrets are what the service knows and its documents do not, each for one
// purpose. They follow from the key secret: with another one, links in mails
// that are under way are no longer good, new signing keys are made, and nobody
// is signed out.
type secrets struct {
	seal    cipher.AEAD // private keys at rest
	link    []byte      // makes the tokens of mailed links
	refresh []byte      // marks refresh tokens as ours
	trace   []byte      // hashes addresses and sources that are only recognised
}

// A secretDoc is the secret of a shop that was given none. It lies beside what
// it protects, which is good for trying only.
type secretDoc struct {
	docstore.Meta `bson:",inline"`
	Secret        []byte `bson:"secret"`
}

func openSecrets(ctx context.Context, store docstore.Store, configured string) (secrets, error) {
	master := []byte(configured)
	if configured == "" {
		docs, err := docstore.Open[secretDoc](ctx, store, docstore.Spec{Name: "secrets"})
		if err != nil {
			return secrets{}, err
		}
		made := secretDoc{Meta: docstore.Meta{ID: "shop"}, Secret: random(32)}
		if err := docs.Insert(ctx, &made); err != nil && !errors.Is(err, docstore.ErrExists) {
			return secrets{}, err
		}
		kept, err := docs.Get(ctx, "shop")
		if err != nil {
			return secrets{}, err
		}
		master = kept.Secret
	}
	derive := func(purpose string) []byte {
		key, err := hkdf.Key(sha256.New, master, nil, "ordergraph account "+purpose, 32)
		if err != nil {
			panic(fmt.Sprintf("account: derive a key: %v", err)) // 32 bytes can always be had
		}
		return key
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		return secrets{}, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return secrets{}, err
	}
	return secrets{seal: seal, link: derive("link"), refresh: derive("refresh"), trace: derive("trace")}, nil
}

// mac authenticates parts, each with its length, so that none can pass into
// the next.
func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum(nil)
}

// traceOf recognises what must not be kept as it is.
func (s *secrets) traceOf(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(mac(s.trace, parts...)[:18])
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode accepts one spelling only of each value.
func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
