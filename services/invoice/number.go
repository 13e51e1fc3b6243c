package invoice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
)

// A series gives numbers, one after another, to the documents of one kind and
// year.
//
// A number is given in one write, which also says to whom (Last, Holder), and
// taken in a second one, by the document. The next number is given only after
// the former holder has taken its own; whoever wants the next one helps with
// that. So a process may die between the two, and at any time at most one
// number is given and not taken: there is no gap, and no number twice.
//
// Why a document cannot be given two: the series looks, within its own write,
// whether the document has a number already. It could only get one between that
// look and the write by way of the series, and then the write is lost to the
// newer version and looks again.
type series struct {
	docstore.Meta `bson:",inline"` // the id is the number's beginning: "2026"
	Last          int64            `bson:"last"`   // the number given last
	Holder        string           `bson:"holder"` // the id of the document it was given to
	At            time.Time        `bson:"at"`     // the holder's date; never before its predecessor's
}

// errUnfinished: the holder has yet to take its number.
var errUnfinished = errors.New("another document has yet to take its number")

// number gives the document its number, or the one it has.
func (k *Keeper) number(ctx context.Context, d document) (document, error) {
	for {
		var waits series // for its holder
		given, err := k.series.Upsert(ctx, d.Series, func(s *series) error {
			if s.Holder == d.ID {
				return docstore.Unchanged
			}
			ids := []string{d.ID}
			if s.Holder != "" {
				ids = append(ids, s.Holder)
			}
			found, err := k.heads.GetMany(ctx, ids)
			if err != nil {
				return err
			}
			if found[d.ID].Number != "" {
				return docstore.Unchanged
			}
			if s.Holder != "" && found[s.Holder].Number == "" {
				waits = *s
				return errUnfinished
			}
			now := k.now()
			if now.Before(s.At) {
				now = s.At // clocks differ; the dates of a series ascend
			}
			s.Last, s.Holder, s.At = s.Last+1, d.ID, now
			return nil
		})
		switch {
		case errors.Is(err, errUnfinished):
			if _, err := k.take(ctx, waits); err != nil {
				return document{}, fmt.Errorf("number of %s: %w", waits.Holder, err)
			}
		case err != nil:
			return document{}, err
		case given.Holder == d.ID:
			taken, err := k.take(ctx, given)
			if err != nil {
				return document{}, err
			}
			return d.at(&taken), nil
		default: // it has its number already
			return k.invoices.Get(ctx, d.ID)
		}
	}
}

// take puts the number that a series has given last into its document.
func (k *Keeper) take(ctx context.Context, s series) (stage, error) {
	d, err := k.stages.Update(ctx, s.Holder, func(d *docstore.Partial[stage]) error {
		if d.Part.Number != "" {
			return docstore.Unchanged
		}
		d.Part.Number, d.Part.IssuedAt = numberOf(s.ID, s.Last), s.At
		d.Part.Key = d.Part.Number
		return nil
	})
	return d.Part, err
}

// numberOf is the n-th number of a series.
func numberOf(series string, n int64) string { return fmt.Sprintf("%s-%06d", series, n) }
