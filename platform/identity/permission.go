package identity

import "slices"

// A Permission is one thing that not everybody may do: "what:how". What
// customers and guests do with their own carts, orders and accounts needs
// none; a permission is about what belongs to others or to the shop.
type Permission string

// The permissions there are.
const (
	OrdersRead          Permission = "orders:read"          // anybody's orders
	OrdersCancel        Permission = "orders:cancel"        // call off anybody's order, also while it is being packed
	OrdersFulfil        Permission = "orders:fulfil"        // pick, pack and ship
	PaymentsRead        Permission = "payments:read"        // what was taken and given back
	PaymentsRefund      Permission = "payments:refund"      // give money back
	StockRead           Permission = "stock:read"           // levels per warehouse, reservations, the ledger
	StockWrite          Permission = "stock:write"          // receive and count
	WarehousesWrite     Permission = "warehouses:write"     // open and change warehouses
	ProductsWrite       Permission = "products:write"       // the catalogue and its collections
	DiscountsRead       Permission = "discounts:read"       // codes and how often they were used
	DiscountsWrite      Permission = "discounts:write"      // make and end codes
	CartsWrite          Permission = "carts:write"          // put a cart into a customer's name
	InvoicesRead        Permission = "invoices:read"        // anybody's invoices
	InvoicesWrite       Permission = "invoices:write"       // correct and cancel them
	NotificationsRead   Permission = "notifications:read"   // what was sent to whom
	NotificationsResend Permission = "notifications:resend" // send it again
	CustomersRead       Permission = "customers:read"       // find customers and see their profiles
	CustomersWrite      Permission = "customers:write"      // correct profiles, end sessions, export and erase on request
	StaffWrite          Permission = "staff:write"          // take people on and say what they may do
	OperationsRead      Permission = "operations:read"      // audits, dead letters
	OperationsWrite     Permission = "operations:write"     // replay and give up dead letters
)

// table is who may do what; the one place where it is written. The program
// itself may do everything.
var table = map[Role][]Permission{
	Customer: {},
	Support: {
		OrdersRead, OrdersCancel, PaymentsRead, PaymentsRefund, StockRead, DiscountsRead, CartsWrite,
		InvoicesRead, NotificationsRead, NotificationsResend, CustomersRead, CustomersWrite,
	},
	Warehouse: {OrdersRead, OrdersFulfil, StockRead, StockWrite},
	Merchant: {
		OrdersRead, PaymentsRead, StockRead, StockWrite, WarehousesWrite, ProductsWrite,
		DiscountsRead, DiscountsWrite, InvoicesRead, OperationsRead,
	},
	Admin: {
		OrdersRead, OrdersCancel, OrdersFulfil, PaymentsRead, PaymentsRefund, StockRead, StockWrite,
		WarehousesWrite, ProductsWrite, DiscountsRead, DiscountsWrite, CartsWrite, InvoicesRead, InvoicesWrite,
		NotificationsRead, NotificationsResend, CustomersRead, CustomersWrite, StaffWrite,
		OperationsRead, OperationsWrite,
	},
}

// May reports whether one of the caller's roles grants the permission.
func (c Caller) May(p Permission) bool {
	for _, r := range c.Roles {
		if r == System || slices.Contains(table[r], p) {
			return true
		}
	}
	return false
}

// Permissions are what the role grants, for people who want to know; none for
// a role that does not exist.
func (r Role) Permissions() []Permission { return slices.Clone(table[r]) }

// IsAssignable reports whether a person can hold the role.
func (r Role) IsAssignable() bool {
	_, ok := table[r]
	return ok
}
