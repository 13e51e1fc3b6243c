// Package web is what people see in a browser: the storefront, where customers
// buy, and the playground, where front-end developers try the shop's GraphQL.
// Everything comes out of the binary; nothing is loaded from anywhere else.
package web
