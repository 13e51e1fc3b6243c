package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/graph/session"
	"ordergraph/platform/token"
	"ordergraph/services/account/accounttest"
)

func TestPublishedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := accounttest.New(t)
		var away error
		asked := 0
		h := session.PublishedKeys(func(ctx context.Context) ([]token.Key, error) {
			asked++
			if away != nil {
				return nil, away
			}
			return world.Keys(ctx)
		})
		ask := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, session.KeysPath, nil))
			return w
		}
		away = errors.New("away")
		for range 10 {
			if w := ask(); w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Cache-Control") != "" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times while away", asked)
		}
		away = nil
		time.Sleep(time.Second)
		for range 10 {
			w := ask()
			var set struct {
				Keys []map[string]string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || w.Code != 200 || len(set.Keys) == 0 || set.Keys[0]["kty"] != "OKP" || set.Keys[0]["alg"] != "EdDSA" || set.Keys[0]["d"] != "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w.Header().Get("Content-Type") != "application/jwk-set+json" || w.Header().Get("Cache-Control") != "public, max-age=300" {
				t.Errorf("%v", w.Header())
			}
		}
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		away = errors.New("away again")
		time.Sleep(time.Hour)
		if w := ask(); w.Code != 200 || asked != 3 {
			t.Errorf("%d after %d questions", w.Code, asked)
		}
	})
}
