// Package cartrpc carries the cart service between processes.
package cartrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/cart"
)

// Contract says how the cart service is reached from another process. What
// adds to a cart is not repeatable: it might be added twice. Creating a cart
// twice leaves one that nobody knows, and that expires.
var Contract = host.Contract[cart.Service]{
	Name:    "cart",
	Service: Cart_ServiceDesc.ServiceName,
	Serve:   func(to grpc.ServiceRegistrar, impl cart.Service) { RegisterCartServer(to, server{cart: impl}) },
	Dial:    func(conn grpc.ClientConnInterface) cart.Service { return client{rpc: NewCartClient(conn)} },
	Repeatable: []string{
		"Create", "Get", "SetBuyer", "SetDiscountCodes", "SetNote", "SetAttributes",
		"Merge", "Claim", "Unclaim", "Complete", "PutDiscount", "Discounts",
	},
}

type server struct {
	UnimplementedCartServer
	cart cart.Service
}

func result(r cart.Result, err error) (*Result, error) {
	if err != nil {
		return nil, err
	}
	return &Result{Cart: cartView(r.Cart), Problems: wire.Each(r.Problems, FromProblem), Warnings: wire.Each(r.Warnings, FromProblem)}, nil
}

func (s server) Create(ctx context.Context, r *CreateRequest) (*Result, error) {
	return result(s.cart.Create(ctx, host.CallerOf(ctx), cart.CreateInput{
		Lines: wire.Each(r.Lines, toLineInput), Codes: r.Codes, Note: r.Note, Attributes: wire.Each(r.Attributes, toAttribute), Buyer: toBuyer(r.Buyer),
	}))
}

func (s server) Get(ctx context.Context, r *GetRequest) (*CartView, error) {
	c, err := s.cart.Get(ctx, host.CallerOf(ctx), r.Id)
	if err != nil {
		return nil, err
	}
	return cartView(c), nil
}

func (s server) AddLines(ctx context.Context, r *AddLinesRequest) (*Result, error) {
	return result(s.cart.AddLines(ctx, host.CallerOf(ctx), r.Id, wire.Each(r.Lines, toLineInput)))
}

func (s server) UpdateLines(ctx context.Context, r *UpdateLinesRequest) (*Result, error) {
	return result(s.cart.UpdateLines(ctx, host.CallerOf(ctx), r.Id, wire.Each(r.Lines, toLineUpdate)))
}

func (s server) RemoveLines(ctx context.Context, r *RemoveLinesRequest) (*Result, error) {
	return result(s.cart.RemoveLines(ctx, host.CallerOf(ctx), r.Id, r.LineIds))
}

func (s server) SetBuyer(ctx context.Context, r *SetBuyerRequest) (*Result, error) {
	return result(s.cart.SetBuyer(ctx, host.CallerOf(ctx), r.Id, toBuyer(r.Buyer)))
}

func (s server) SetDiscountCodes(ctx context.Context, r *SetDiscountCodesRequest) (*Result, error) {
	return result(s.cart.SetDiscountCodes(ctx, host.CallerOf(ctx), r.Id, r.Codes))
}

func (s server) SetNote(ctx context.Context, r *SetNoteRequest) (*Result, error) {
	return result(s.cart.SetNote(ctx, host.CallerOf(ctx), r.Id, r.Note))
}

func (s server) SetAttributes(ctx context.Context, r *SetAttributesRequest) (*Result, error) {
	return result(s.cart.SetAttributes(ctx, host.CallerOf(ctx), r.Id, wire.Each(r.Attributes, toAttribute)))
}

func (s server) Merge(ctx context.Context, r *MergeRequest) (*Result, error) {
	return result(s.cart.Merge(ctx, host.CallerOf(ctx), r.GuestCartId))
}

func (s server) Claim(ctx context.Context, r *ClaimRequest) (*ClaimResponse, error) {
	q, problems, err := s.cart.Claim(ctx, host.CallerOf(ctx), cart.ClaimInput{
		CartID: r.CartId, OrderID: r.OrderId, Country: r.Country, Province: r.Province, Rate: r.Rate, Email: r.Email,
		ExpectTotal: ToAmountOrNil(r.ExpectTotal),
	})
	if err != nil {
		return nil, err
	}
	return &ClaimResponse{Quote: FromQuote(q), Problems: wire.Each(problems, FromProblem)}, nil
}

func (s server) Unclaim(ctx context.Context, r *OrderRequest) (*Done, error) {
	return &Done{}, s.cart.Unclaim(ctx, host.CallerOf(ctx), r.CartId, r.OrderId)
}

func (s server) Complete(ctx context.Context, r *OrderRequest) (*Done, error) {
	return &Done{}, s.cart.Complete(ctx, host.CallerOf(ctx), r.CartId, r.OrderId)
}

func (s server) PutDiscount(ctx context.Context, r *Discount) (*Discount, error) {
	d, err := s.cart.PutDiscount(ctx, host.CallerOf(ctx), toDiscount(r))
	if err != nil {
		return nil, err
	}
	return discount(d), nil
}

func (s server) Discounts(ctx context.Context, r *DiscountsRequest) (*DiscountPage, error) {
	p, err := s.cart.Discounts(ctx, host.CallerOf(ctx), r.After, int(r.Limit))
	if err != nil {
		return nil, err
	}
	return &DiscountPage{Discounts: wire.Each(p.Discounts, discount), Next: p.Next}, nil
}

type client struct{ rpc CartClient }

func fromResult(r *Result, err error) (cart.Result, error) {
	if err != nil {
		return cart.Result{}, err
	}
	return cart.Result{Cart: toCart(r.Cart), Problems: wire.Each(r.Problems, ToProblem), Warnings: wire.Each(r.Warnings, ToProblem)}, nil
}

func (c client) Create(ctx context.Context, who identity.Caller, in cart.CreateInput) (cart.Result, error) {
	return fromResult(c.rpc.Create(host.WithCaller(ctx, who), &CreateRequest{
		Lines: wire.Each(in.Lines, lineInput), Codes: in.Codes, Note: in.Note, Attributes: wire.Each(in.Attributes, attribute), Buyer: buyer(in.Buyer),
	}))
}

func (c client) Get(ctx context.Context, who identity.Caller, id string) (cart.Cart, error) {
	r, err := c.rpc.Get(host.WithCaller(ctx, who), &GetRequest{Id: id})
	if err != nil {
		return cart.Cart{}, err
	}
	return toCart(r), nil
}

func (c client) AddLines(ctx context.Context, who identity.Caller, id string, lines []cart.LineInput) (cart.Result, error) {
	return fromResult(c.rpc.AddLines(host.WithCaller(ctx, who), &AddLinesRequest{Id: id, Lines: wire.Each(lines, lineInput)}))
}

func (c client) UpdateLines(ctx context.Context, who identity.Caller, id string, lines []cart.LineUpdate) (cart.Result, error) {
	return fromResult(c.rpc.UpdateLines(host.WithCaller(ctx, who), &UpdateLinesRequest{Id: id, Lines: wire.Each(lines, lineUpdate)}))
}

func (c client) RemoveLines(ctx context.Context, who identity.Caller, id string, lineIDs []string) (cart.Result, error) {
	return fromResult(c.rpc.RemoveLines(host.WithCaller(ctx, who), &RemoveLinesRequest{Id: id, LineIds: lineIDs}))
}

func (c client) SetBuyer(ctx context.Context, who identity.Caller, id string, b cart.Buyer) (cart.Result, error) {
	return fromResult(c.rpc.SetBuyer(host.WithCaller(ctx, who), &SetBuyerRequest{Id: id, Buyer: buyer(b)}))
}

func (c client) SetDiscountCodes(ctx context.Context, who identity.Caller, id string, codes []string) (cart.Result, error) {
	return fromResult(c.rpc.SetDiscountCodes(host.WithCaller(ctx, who), &SetDiscountCodesRequest{Id: id, Codes: codes}))
}

func (c client) SetNote(ctx context.Context, who identity.Caller, id, note string) (cart.Result, error) {
	return fromResult(c.rpc.SetNote(host.WithCaller(ctx, who), &SetNoteRequest{Id: id, Note: note}))
}

func (c client) SetAttributes(ctx context.Context, who identity.Caller, id string, attrs []cart.Attribute) (cart.Result, error) {
	return fromResult(c.rpc.SetAttributes(host.WithCaller(ctx, who), &SetAttributesRequest{Id: id, Attributes: wire.Each(attrs, attribute)}))
}

func (c client) Merge(ctx context.Context, who identity.Caller, guestCartID string) (cart.Result, error) {
	return fromResult(c.rpc.Merge(host.WithCaller(ctx, who), &MergeRequest{GuestCartId: guestCartID}))
}

func (c client) Claim(ctx context.Context, who identity.Caller, in cart.ClaimInput) (cart.Quote, []cart.Problem, error) {
	r, err := c.rpc.Claim(host.WithCaller(ctx, who), &ClaimRequest{
		CartId: in.CartID, OrderId: in.OrderID, Country: in.Country, Province: in.Province, Rate: in.Rate, Email: in.Email,
		ExpectTotal: FromAmountOrNil(in.ExpectTotal),
	})
	if err != nil {
		return cart.Quote{}, nil, err
	}
	return ToQuote(r.Quote), wire.Each(r.Problems, ToProblem), nil
}

func (c client) Unclaim(ctx context.Context, who identity.Caller, cartID, orderID string) error {
	_, err := c.rpc.Unclaim(host.WithCaller(ctx, who), &OrderRequest{CartId: cartID, OrderId: orderID})
	return err
}

func (c client) Complete(ctx context.Context, who identity.Caller, cartID, orderID string) error {
	_, err := c.rpc.Complete(host.WithCaller(ctx, who), &OrderRequest{CartId: cartID, OrderId: orderID})
	return err
}

func (c client) PutDiscount(ctx context.Context, who identity.Caller, d cart.Discount) (cart.Discount, error) {
	r, err := c.rpc.PutDiscount(host.WithCaller(ctx, who), discount(d))
	if err != nil {
		return cart.Discount{}, err
	}
	return toDiscount(r), nil
}

func (c client) Discounts(ctx context.Context, who identity.Caller, after string, limit int) (cart.DiscountPage, error) {
	r, err := c.rpc.Discounts(host.WithCaller(ctx, who), &DiscountsRequest{After: after, Limit: int64(limit)})
	if err != nil {
		return cart.DiscountPage{}, err
	}
	return cart.DiscountPage{Discounts: wire.Each(r.Discounts, toDiscount), Next: r.Next}, nil
}
