package main

import (
	"context"
	"log/slog"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
)

// startDemo has the demo catalogue loaded in the background when the shop has
// no products, or was stopped while it was loaded. Where a service that it
// needs is not up yet, it waits for it.
func startDemo(h *host.Host, log *slog.Logger, currency string) error {
	d := demoLoad{log: log.With("service", "demo"), currency: currency}
	var err error
	if d.catalogue, err = host.Use(h, catalogrpc.Contract); err != nil {
		return err
	}
	if d.stock, err = host.Use(h, inventoryrpc.Contract); err != nil {
		return err
	}
	// The catalogue does not need the cart service, so a process of its own
	// may not know where that is: then there are no codes.
	if d.carts, err = host.Use(h, cartrpc.Contract); err != nil {
		d.log.Info("the demo has no discount codes: CART_ADDR is not set here")
		d.carts = nil
	}
	h.Work("demo catalogue", d.load)
	return nil
}

type demoLoad struct {
	log       *slog.Logger
	currency  string
	catalogue catalog.Service
	stock     inventory.Service
	carts     cart.Service // nil: cannot be reached
}

func (d demoLoad) load(ctx context.Context) error {
	products, collections := demo.Products(demo.Size, d.currency), demo.Collections()
	n, err := d.catalogue.Count(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		// The first product without the last collection is half a demo.
		_, noProduct := d.catalogue.ProductByHandle(ctx, products[0].Handle)
		_, noCollection := d.catalogue.CollectionByHandle(ctx, collections[len(collections)-1].Handle)
		if noProduct != nil || noCollection == nil {
			return nil
		}
	}
	d.log.InfoContext(ctx, "loading the demo catalogue", "products", len(products))
	if err := putWarehouses(ctx, d.stock, demo.Warehouses()); err != nil {
		return err
	}
	report, err := feed.Load(ctx, identity.Ourselves(), products, "demo", d.catalogue, d.stock, nil)
	if err != nil {
		return err
	}
	codes := 0
	if d.carts != nil {
		for _, discount := range cart.DemoDiscounts(d.currency) {
			if _, err := d.carts.PutDiscount(ctx, identity.Ourselves(), discount); err != nil {
				return err
			}
			codes++
		}
	}
	// The collections come last: they say that all the rest is there.
	if err := d.catalogue.PutCollections(ctx, identity.Ourselves(), collections); err != nil {
		return err
	}
	d.log.InfoContext(ctx, "the demo catalogue is there", "variants", report.Variants, "discountCodes", codes)
	return nil
}

// putWarehouses adds the warehouses that are not there yet; those that are
// may have been changed by the shop, and stay.
func putWarehouses(ctx context.Context, stock inventory.Service, wanted []inventory.Warehouse) error {
	there, err := stock.Warehouses(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, w := range there {
		known[w.ID] = true
	}
	for _, w := range wanted {
		if known[w.ID] {
			continue
		}
		if err := stock.PutWarehouse(ctx, identity.Ourselves(), w); err != nil {
			return err
		}
	}
	return nil
}
