package graph

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/gengql"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog/feed"
)

const (
	mostLines      = 250_000         // of a file: each costs memory, however short it is
	mostProblems   = 100             // that are listed
	leftToAnswer   = 5 * time.Second // of an import's time
	importArgument = "file"
)

// mayImport tells who may send requests with files: who may import products,
// since nothing else takes any.
func mayImport(who identity.Caller) error { return may(who, "PRODUCTS_WRITE") }

// importProducts brings a file of products into the shop, as far as it comes
// in the operation's time.
func (r *Resolver) importProducts(ctx context.Context, file graphql.Upload) (*gengql.ProductsImportPayload, error) {
	p := &gengql.ProductsImportPayload{UserErrors: []gengql.ProductsImportUserError{}}
	problem := func(code, message string) {
		p.UserErrors = append(p.UserErrors, gengql.ProductsImportUserError{Code: &code, Field: []string{importArgument}, Message: message})
	}
	lines, err := countLines(file.File)
	if err != nil {
		return nil, err
	}
	if lines > mostLines {
		problem("TOO_LARGE", fmt.Sprintf("This file has more than %d lines: split it, or import it on the command line.", mostLines))
		return p, nil
	}
	read, err := feed.Read(file.Filename, file.File, r.shop.Currency)
	if errors.Is(err, feed.ErrFile) {
		problem("INVALID", fault.Of(err).Message)
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	within, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		within, cancel = context.WithDeadline(ctx, end.Add(-leftToAnswer))
	}
	defer cancel()
	report, err := feed.Import(within, caller(ctx), read, r.catalog, r.inventory, nil)
	switch outOfTime := within.Err() != nil && ctx.Err() == nil; {
	case err == nil:
	case !outOfTime && report.Done() == 0:
		return nil, err
	default:
		why := "This takes longer than an import over the network may."
		if !outOfTime {
			why = r.present(ctx, err).Message
		}
		problem("UNFINISHED", fmt.Sprintf("%s So far %d of %d products are in the shop. Import the file again to go on: nothing is added or counted twice.", why, report.Done(), len(read.Products)))
	}
	p.Import = &gengql.ProductsImport{
		ProductCount: int32(report.Done()), StockCount: int32(report.Counted), LeftOutCount: int32(report.LeftOut),
		LeftOut: make([]gengql.ProductsImportProblem, min(mostProblems, len(report.Problems))),
	}
	for i := range p.Import.LeftOut {
		of := report.Problems[i]
		shown := gengql.ProductsImportProblem{Message: of.Text}
		if of.Line > 0 {
			line := int32(of.Line)
			shown.Line = &line
		}
		if of.Handle != "" {
			shown.Handle = &of.Handle
		}
		p.Import.LeftOut[i] = shown
	}
	return p, nil
}

// countLines counts the lines of a file and goes back to its beginning.
func countLines(file io.ReadSeeker) (n int, err error) {
	in := bufio.NewReader(file)
	for {
		_, err := in.ReadSlice('\n')
		switch {
		case err == nil:
			n++
		case errors.Is(err, io.EOF):
			_, err := file.Seek(0, io.SeekStart)
			return n, err
		case !errors.Is(err, bufio.ErrBufferFull):
			return n, err
		}
	}
}
