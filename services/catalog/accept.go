package catalog

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ordergraph/services/inventory"
)

// Limits on the parts of one product. Going over is a problem of that product.
const (
	maxHandle  = 255       // characters, as in Shopify
	maxTitle   = 255       // characters
	maxWord    = 255       // characters of a tag, vendor, type, option or barcode
	maxHTML    = 512 << 10 // bytes
	maxTags    = 250
	maxImages  = 250
	maxOptions = 3
	maxURL     = 2048                // bytes
	maxPrice   = math.MaxInt64 >> 20 // minor units: any cart of it can still be added up
)

// problem says what is wrong with a field of a product.
type problem struct {
	field string
	text  string
}

func (p *problem) Error() string { return p.field + ": " + p.text }

func wrong(field, format string, args ...any) error {
	return &problem{field, fmt.Sprintf(format, args...)}
}

// accept checks one product and returns it as it is to be kept: trimmed,
// sanitised, in one currency, without ids. The error names the field.
func accept(in ProductInput, currency string) (productDoc, error) {
	none := productDoc{}
	d := productDoc{
		Title:  strings.TrimSpace(in.Title),
		Vendor: strings.TrimSpace(in.Vendor), Type: strings.TrimSpace(in.Type),
		SEO:       seoDoc{strings.TrimSpace(in.SEO.Title), strings.TrimSpace(in.SEO.Description)},
		Published: in.Published,
	}
	if d.Title == "" {
		return none, wrong("title", "must not be empty")
	}
	var err error
	if d.Handle, err = handleFor(in.Handle, d.Title); err != nil {
		return none, err
	}
	for _, f := range []struct {
		field, value string
		most         int
	}{
		{"title", d.Title, maxTitle}, {"vendor", d.Vendor, maxWord}, {"type", d.Type, maxWord},
		{"seo.title", d.SEO.Title, 2 * maxTitle}, {"seo.description", d.SEO.Description, 8 * maxTitle},
	} {
		if err := checkText(f.field, f.value, f.most); err != nil {
			return none, err
		}
	}
	if len(in.HTML) > maxHTML {
		return none, wrong("html", "has %d bytes, more than %d", len(in.HTML), maxHTML)
	}
	d.HTML = sanitise(in.HTML)

	if d.Tags, err = acceptTags(in.Tags); err != nil {
		return none, err
	}
	if d.Images, err = acceptImages(in.Images); err != nil {
		return none, err
	}
	if err := acceptVariants(&d, in, currency); err != nil {
		return none, err
	}
	return d, nil
}

// handleFor is the handle that was given or, if none was, one made of the title.
func handleFor(given, title string) (string, error) {
	handle := strings.ToLower(strings.TrimSpace(given))
	if handle == "" {
		handle = slug(title)
		if utf8.RuneCountInString(handle) > maxHandle {
			handle = string([]rune(handle)[:maxHandle])
		}
		if handle == "" {
			return "", wrong("handle", "is missing, and none can be made of the title %q", title)
		}
	}
	return handle, checkHandle(handle)
}

func checkHandle(handle string) error {
	if utf8.RuneCountInString(handle) > maxHandle {
		return wrong("handle", "has more than %d characters", maxHandle)
	}
	if !readable(handle) {
		return wrong("handle", "holds letters that could not be read: it must be UTF-8")
	}
	for _, r := range handle {
		if r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			return wrong("handle", "%q holds %q: only letters, digits, hyphens and underscores may stand in it", handle, r)
		}
	}
	return nil
}

func checkText(field, value string, most int) error {
	if !readable(value) {
		return wrong(field, "holds letters that could not be read: it must be UTF-8")
	}
	if n := utf8.RuneCountInString(value); n > most {
		return wrong(field, "has %d characters, more than %d", n, most)
	}
	for _, r := range value {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
			return wrong(field, "holds a control character")
		}
	}
	return nil
}

// readable refuses text in another encoding, and text that somebody before us
// could not read and filled up with replacement characters.
func readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, utf8.RuneError)
}

func acceptTags(in []string) ([]string, error) {
	var tags []string
	for i, t := range in {
		if t = strings.TrimSpace(t); t == "" {
			continue
		}
		if err := checkText("tags."+strconv.Itoa(i), t, maxWord); err != nil {
			return nil, err
		}
		tags = append(tags, t)
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	if len(tags) > maxTags {
		return nil, wrong("tags", "there are %d, more than %d", len(tags), maxTags)
	}
	return tags, nil
}

func acceptImages(in []Image) ([]imageDoc, error) {
	if len(in) > maxImages {
		return nil, wrong("images", "there are %d, more than %d", len(in), maxImages)
	}
	var images []imageDoc
	for i, m := range in {
		field := "images." + strconv.Itoa(i)
		m.URL, m.Alt = strings.TrimSpace(m.URL), strings.TrimSpace(m.Alt)
		if err := checkImageURL(field+".url", m.URL); err != nil {
			return nil, err
		}
		if err := checkText(field+".alt", m.Alt, 2*maxTitle); err != nil {
			return nil, err
		}
		if m.Width < 0 || m.Height < 0 {
			return nil, wrong(field, "its size must not be negative")
		}
		if !slices.ContainsFunc(images, func(o imageDoc) bool { return o.URL == m.URL }) {
			images = append(images, imageDoc(m))
		}
	}
	return images, nil
}

// checkImageURL admits http and https addresses and paths on the shop's own
// origin: nothing that a browser would run.
func checkImageURL(field, s string) error {
	if len(s) > maxURL {
		return wrong(field, "has %d bytes, more than %d", len(s), maxURL)
	}
	u, err := url.Parse(s)
	if err != nil || !readable(s) {
		return wrong(field, "is not a URL")
	}
	switch {
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/") && !strings.HasPrefix(s, `/\`):
	default:
		return wrong(field, "must begin with https://, http:// or, on this shop, with a single /")
	}
	return nil
}

func acceptVariants(d *productDoc, in ProductInput, currency string) error {
	names := make([]string, len(in.Options))
	for i, n := range in.Options {
		names[i] = strings.TrimSpace(n)
	}
	if onlyDefault(names, in.Variants) {
		names = nil
	}
	if len(names) > maxOptions {
		return wrong("options", "there are %d, more than %d", len(names), maxOptions)
	}
	seenName := map[string]bool{}
	for i, n := range names {
		field := "options." + strconv.Itoa(i)
		if n == "" {
			return wrong(field, "must have a name")
		}
		if err := checkText(field, n, maxWord); err != nil {
			return err
		}
		if seenName[fold(n)] {
			return wrong(field, "%q is there twice", n)
		}
		seenName[fold(n)] = true
		d.Options = append(d.Options, optionDoc{Name: n})
	}
	switch {
	case len(in.Variants) == 0:
		return wrong("variants", "there must be at least one")
	case len(in.Variants) > MaxVariant:
		return wrong("variants", "there are %d, more than %d", len(in.Variants), MaxVariant)
	case len(names) == 0 && len(in.Variants) > 1:
		return wrong("variants", "there are %d, but no options to tell them apart", len(in.Variants))
	}
	seen := make(map[string]int, len(in.Variants))
	seenValue := map[string]bool{}
	d.Variants = make([]variantDoc, len(in.Variants))
	for i, v := range in.Variants {
		field := "variants." + strconv.Itoa(i)
		if err := acceptVariant(&d.Variants[i], d, v, field, currency); err != nil {
			return err
		}
		values := d.Variants[i].Values
		key := variantKey(values)
		if first, ok := seen[key]; ok {
			return wrong(field+".options", "%s is variants.%d already", strings.Join(values, " / "), first)
		}
		seen[key] = i
		for j, value := range values {
			if k := strconv.Itoa(j) + "\x00" + value; !seenValue[k] {
				seenValue[k] = true
				d.Options[j].Values = append(d.Options[j].Values, value)
			}
		}
	}
	return nil
}

// onlyDefault recognises how Shopify writes a product without options: one
// named Title with the one value Default Title.
func onlyDefault(names []string, variants []VariantInput) bool {
	return len(names) == 1 && len(variants) == 1 && names[0] == "Title" &&
		len(variants[0].Options) == 1 && strings.TrimSpace(variants[0].Options[0]) == DefaultVariant
}

func acceptVariant(to *variantDoc, d *productDoc, v VariantInput, field, currency string) error {
	if len(d.Options) > 0 || len(v.Options) > 0 && !slices.Equal(v.Options, []string{DefaultVariant}) {
		if len(v.Options) != len(d.Options) {
			return wrong(field+".options", "there are %d values for %d options", len(v.Options), len(d.Options))
		}
		to.Values = make([]string, len(v.Options))
		for j, value := range v.Options {
			value = strings.TrimSpace(value)
			if value == "" {
				return wrong(field+".options."+strconv.Itoa(j), "%s must have a value", d.Options[j].Name)
			}
			if err := checkText(field+".options."+strconv.Itoa(j), value, maxWord); err != nil {
				return err
			}
			to.Values[j] = value
		}
	}
	to.SKU, to.Barcode = strings.TrimSpace(v.SKU), strings.TrimSpace(v.Barcode)
	if to.SKU != "" && !inventory.IsSKU(to.SKU) {
		return wrong(field+".sku", "must be one line of at most %d bytes", inventory.MaxSKU)
	}
	if err := checkText(field+".barcode", to.Barcode, maxWord); err != nil {
		return err
	}
	switch {
	case v.Price.Currency != currency:
		return wrong(field+".price", "is in %q; this shop sells in %s", v.Price.Currency, currency)
	case v.Price.Minor < 0:
		return wrong(field+".price", "must not be negative")
	case v.Price.Minor > maxPrice:
		return wrong(field+".price", "is too great")
	case v.WeightGrams < 0:
		return wrong(field+".weight", "must not be negative")
	case v.WeightGrams > math.MaxInt32:
		return wrong(field+".weight", "is too great")
	}
	to.Price, to.Currency = v.Price.Minor, currency
	if v.CompareAt != nil {
		switch {
		case v.CompareAt.Currency != currency:
			return wrong(field+".compareAt", "is in %q; this shop sells in %s", v.CompareAt.Currency, currency)
		case v.CompareAt.Minor < 0:
			return wrong(field+".compareAt", "must not be negative")
		case v.CompareAt.Minor > maxPrice:
			return wrong(field+".compareAt", "is too great")
		}
		was := v.CompareAt.Minor
		to.CompareAt = &was
	}
	to.WeightGrams, to.RequiresShipping, to.Taxable = v.WeightGrams, v.RequiresShipping, v.Taxable
	if to.ImageURL = strings.TrimSpace(v.ImageURL); to.ImageURL != "" {
		if err := checkImageURL(field+".image", to.ImageURL); err != nil {
			return err
		}
		if !slices.ContainsFunc(d.Images, func(m imageDoc) bool { return m.URL == to.ImageURL }) {
			if len(d.Images) >= maxImages+MaxVariant {
				return wrong(field+".image", "the product has too many images")
			}
			d.Images = append(d.Images, imageDoc{URL: to.ImageURL})
		}
	}
	return nil
}

// variantKey tells variants of a product apart.
func variantKey(values []string) string { return strings.Join(values, "\x00") }
