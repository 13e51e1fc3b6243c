package view

// schemaNames are the names in the schema of what services call differently.
var schemaNames = map[string][]string{
	"variantId":     {"merchandiseId"},
	"codes":         {"discountCodes"},
	"buyer":         {"buyerIdentity"},
	"country":       {"countryCode"},
	"province":      {"provinceCode"},
	"paymentMethod": {"payment", "method"},
	"returnUrl":     {"payment", "returnUrl"},
	"returnURL":     {"payment", "returnUrl"},
	"expectTotal":   {"expectedTotal"},
	"rate":          {"shippingRate"},
}

// FieldPath is where in the client's document a service's field stands: the
// argument, then the field in the schema's own names. Nil where no input is
// at fault.
func FieldPath(argument, field []string) []string {
	if len(field) == 0 {
		return nil
	}
	path := append([]string{}, argument...)
	for _, name := range field {
		if renamed, ok := schemaNames[name]; ok {
			path = append(path, renamed...)
		} else {
			path = append(path, name)
		}
	}
	return path
}
