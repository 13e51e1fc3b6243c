package invoice

import (
	"context"
	"fmt"

	"ordergraph/platform/docstore"
)

// file renders the numbered document and makes it READY. Its files are kept as
// they are: whoever renders them again gets the same bytes, as long as the
// program is the same.
func (k *Keeper) file(ctx context.Context, d document) (document, error) {
	kept, err := k.draw(ctx, d)
	if err != nil {
		return document{}, err
	}
	other := false
	if err := k.files.Insert(ctx, &kept); isExists(err) { // whoever was first decides, another version of the program perhaps
		other = true
		if kept, err = k.files.Get(ctx, d.ID); err != nil {
			return document{}, err
		}
	} else if err != nil {
		return document{}, fmt.Errorf("keep the files: %w", err)
	}
	made := edition()
	if other {
		made = "" // who knows
	}
	news := false
	filed, err := k.stages.Update(ctx, d.ID, func(d *docstore.Partial[stage]) error {
		if news = d.Part.Status != Ready; !news {
			return docstore.Unchanged
		}
		d.Part.Status, d.Part.Edition, d.Part.Digests = Ready, made, digests{PDF: digestOf(kept.PDF), XML: digestOf(kept.XML)}
		k.ready(&d.Part)
		return nil
	})
	if err != nil {
		return document{}, err
	}
	d = d.at(&filed.Part)
	if news {
		k.rung(&d)
	}
	return d, nil
}

// draw renders the document's files when it is its turn.
func (k *Keeper) draw(ctx context.Context, d document) (files, error) {
	select {
	case k.drawing <- struct{}{}:
		defer func() { <-k.drawing }()
	case <-ctx.Done():
		return files{}, ctx.Err()
	}
	return d.render()
}

// render makes the files of the document and nothing else.
func (d *document) render() (files, error) {
	ubl, err := d.renderUBL()
	if err != nil {
		return files{}, err
	}
	cii, err := d.renderCII()
	if err != nil {
		return files{}, err
	}
	return files{Meta: docstore.Meta{ID: d.ID}, PDF: d.renderPDF(cii), XML: ubl}, nil
}
