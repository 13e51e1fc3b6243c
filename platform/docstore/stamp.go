package docstore

import (
	"crypto/rand"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A stamp names the write that made the document's version and, behind it,
// the writes that made the versions before: "third.second.first", at most
// stampsKept of them. So a write whose answer was lost is still found after
// others have written over it, and is not done a second time.
const stampsKept = 8

// stampAfter is the stamp of the version that follows the one with the stamp
// before; "" where there is none before.
func stampAfter(before string) string {
	own := rand.Text()[:16]
	if before == "" {
		return own
	}
	kept := 0
	for i := range len(before) {
		if before[i] == '.' {
			if kept++; kept == stampsKept-1 {
				before = before[:i]
				break
			}
		}
	}
	return own + "." + before
}

// Wrote reports whether the write that put wrote in place is part of now's
// past: engines settle by it what became of a write whose answer was lost.
// sure is false if now's stamp does not reach back to that version.
func Wrote(now, wrote bson.Raw) (yes, sure bool) {
	version, _ := now.Lookup("version").AsInt64OK()
	ours, _ := wrote.Lookup("version").AsInt64OK()
	stamp, _ := now.Lookup("stamp").StringValueOK()
	stamps := strings.Split(stamp, ".")
	age := version - ours
	switch {
	case age < 0: // written over by a bulk load, or made anew
		return false, true
	case age >= int64(len(stamps)):
		return false, false
	}
	stamp, _ = wrote.Lookup("stamp").StringValueOK()
	own, _, _ := strings.Cut(stamp, ".")
	return stamps[age] == own, true
}
