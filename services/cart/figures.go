package cart

// CountFilled is what the cart service counts of the shop's activity: carts
// that got their first line. Each counts once, however often it is emptied and
// filled again; a guest's cart that goes into a customer's empty one is not
// counted again there.
const CountFilled = "carts"

// fill reports whether the cart, which is about to be written, has its first
// line.
func (c *cartDoc) fill() (first bool) {
	if c.Filled || len(c.Lines) == 0 {
		return false
	}
	c.Filled = true
	return true
}
