package transport

import (
	"net/http"
	"slices"
	"strings"
)

// methods are what operations are sent by.
const methods = "GET, POST, OPTIONS"

// origins are those whose pages may read our answers and open sockets, besides
// our own, which needs no permission.
type origins struct {
	any   bool
	named []string
	vary  []string // the header, since answers differ for named origins
}

func newOrigins(listed []string) origins {
	o := origins{vary: []string{"Accept, Accept-Encoding"}}
	for _, origin := range listed {
		if origin == "*" {
			o.any = true
			continue
		}
		o.named = append(o.named, origin)
		o.vary = []string{"Accept, Accept-Encoding, Origin"}
	}
	return o
}

// names reports whether the origin is listed by its name.
func (o *origins) names(origin string) bool {
	return slices.ContainsFunc(o.named, func(listed string) bool { return strings.EqualFold(listed, origin) })
}

// openTo lets pages of listed origins read the answer. Those that are listed by
// name may send the customer's cookies with their requests; a page of just any
// origin may not.
func (s *Server) openTo(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["Vary"] = s.origins.vary
	origin := r.Header["Origin"]
	switch {
	case len(origin) == 1 && s.origins.names(origin[0]):
		header["Access-Control-Allow-Origin"] = origin
		header["Access-Control-Allow-Credentials"] = yes
	case s.origins.any:
		header["Access-Control-Allow-Origin"] = anyOrigin
	default:
		return
	}
	header["Access-Control-Expose-Headers"] = exposed
}

// preflight tells browsers what pages of other origins may send. A page that
// may read no answers learns nothing here, and its browser sends nothing.
func preflight(w http.ResponseWriter, r *http.Request, methods string) {
	header := w.Header()
	header.Set("Allow", methods)
	if header["Access-Control-Allow-Origin"] != nil {
		header.Set("Access-Control-Allow-Methods", methods)
		header.Set("Access-Control-Max-Age", "7200") // browsers keep it no longer
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			header.Set("Access-Control-Allow-Headers", asked)
		}
		header["Vary"] = append(slices.Clip(header["Vary"]), "Access-Control-Request-Headers")
	}
	w.WriteHeader(http.StatusNoContent)
}

var (
	anyOrigin = []string{"*"}
	yes       = []string{"true"}
	exposed   = []string{requestID + ", Retry-After"}
)
