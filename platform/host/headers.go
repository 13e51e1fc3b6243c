package host

import "net/http"

var (
	noSniff      = []string{"nosniff"}
	noReferrer   = []string{"no-referrer"}
	nothingLoads = []string{"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	twoYears     = []string{"max-age=63072000"}
)

// Secured tells browsers to make nothing of the answers but what they are: to
// take no text for a program, to load nothing for them, to show them in no
// frame, to tell nobody their address; and, where the world reaches us over
// TLS, never to come without it. A handler may say otherwise of its own answers.
func Secured(next http.Handler, overTLS bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["X-Content-Type-Options"] = noSniff
		header["Referrer-Policy"] = noReferrer
		header["Content-Security-Policy"] = nothingLoads
		if overTLS {
			header["Strict-Transport-Security"] = twoYears
		}
		next.ServeHTTP(w, r)
	})
}
