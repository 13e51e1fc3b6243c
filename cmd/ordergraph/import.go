package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory/inventoryrpc"
)

type importCmd struct {
	Files []string `arg:"" name:"file" help:"Shopify's product CSV, or a JSON array of products."`
	groundConfig
}

func (importCmd) Help() string {
	return "Products are known by their handle: importing a file again changes what is different and adds nothing twice, and its stock is counted once. Rows that cannot be used are listed with their line and the reason; the others are imported, and the exit code is 3. A running shop is used through GRPC_ADDR, or CATALOG_ADDR and INVENTORY_ADDR; where none runs, the stores themselves."
}

func (c *importCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	// Files are read before anything is touched.
	files := make([]feed.File, len(c.Files))
	for i, name := range c.Files {
		var err error
		if files[i], err = readFeed(name, c.Currency); err != nil {
			return err
		}
	}
	h, done, err := c.connect(ctx, []string{"inventory", "catalog"}, c.work)
	if err != nil {
		return err
	}
	leftOut, err := load(ctx, h, files)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if leftOut > 0 {
		return errPartly.Say("%d rows or products were left out; see above.", leftOut)
	}
	return nil
}

// readFeed reads a product file; what is wrong with it as a whole is the
// operator's to mend.
func readFeed(name, currency string) (feed.File, error) {
	r, err := os.Open(name)
	if err != nil {
		return feed.File{}, usage("%s: %v", name, reasonOf(err))
	}
	defer func() { _ = r.Close() }()
	file, err := feed.Read(name, r, currency)
	switch {
	case errors.Is(err, feed.ErrFile):
		return feed.File{}, usage("%s: %s", name, fault.Of(err).Message)
	case err != nil:
		return feed.File{}, usage("%s: %v", name, reasonOf(err))
	}
	return file, nil
}

// reasonOf is why a file cannot be used, without its name.
func reasonOf(err error) error {
	if about, ok := errors.AsType[*fs.PathError](err); ok {
		return about.Err
	}
	return err
}

func load(ctx context.Context, h *host.Host, files []feed.File) (leftOut int, err error) {
	catalogue, err := host.Use(h, catalogrpc.Contract)
	if err != nil {
		return 0, err
	}
	stock, err := host.Use(h, inventoryrpc.Contract)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		bar := newBar(len(f.Products), f.Name)
		began := time.Now()
		report, err := feed.Import(ctx, identity.Ourselves(), f, catalogue, stock, func(n int) { _ = bar.Set(n) })
		_ = bar.Finish()
		if err != nil {
			return leftOut, fmt.Errorf("%s: %w (what was imported stays; run it again to go on)", f.Name, err)
		}
		fmt.Printf("%s: %d added, %d changed, %d unchanged (%d variants) in %v; %d left out\n",
			f.Name, report.Added, report.Changed, report.Unchanged, report.Variants, time.Since(began).Round(time.Millisecond), report.LeftOut)
		for _, p := range report.Problems {
			fmt.Printf("  %s\n", p)
		}
		if more := report.LeftOut - len(report.Problems); more > 0 {
			fmt.Printf("  … and %d more\n", more)
		}
		leftOut += report.LeftOut
	}
	return leftOut, nil
}
