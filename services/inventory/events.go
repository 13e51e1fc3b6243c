package inventory

// Topic is the stream on which the inventory service rings its facts.
const Topic = "inventory"

// FactAvailability tells that a SKU has come into or gone out of stock. Its
// key is the SKU, its data an AvailabilityChanged.
const FactAvailability = "inventory.availability"

// AvailabilityChanged is the data of FactAvailability.
type AvailabilityChanged struct {
	SKU     string `bson:"sku"`
	InStock bool   `bson:"inStock"`
	Version int64  `bson:"version"` // of the stock; the greater is the later
}
