package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"ordergraph/graph/gengql"
	"ordergraph/graph/graphtest"
)

// The small objects that the gateway writes by itself know every field of the
// schema, whatever a document calls it and wherever it asks for it.
func TestSmallObjectsAreWhole(t *testing.T) {
	shop := newStorefront(t)
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	every := func(object string) string {
		var b strings.Builder
		for _, f := range schema.Types[object].Fields {
			if !strings.HasPrefix(f.Name, "__") && !f.Type.NonNull || f.Type != nil && schema.Types[f.Type.Name()].Kind != ast.Object {
				b.WriteString(" " + f.Name + " again_" + f.Name + ":" + f.Name)
			}
		}
		return b.String()
	}
	data := shop.Do(`query($h:String!,$no:Boolean=false,$yes:Boolean=true){product(handle:$h){
		featuredImage{__typename`+every("Image")+`}
		variants(first:1){nodes{
			price{__typename ...sum kind:__typename amount @skip(if:$yes) currencyCode @include(if:$no)} priceV2{...sum ... on MoneyV2{a:amount}}
			compareAtPrice{...sum}
			selectedOptions{__typename`+every("SelectedOption")+`}
		}}}} fragment sum on MoneyV2 {`+every("MoneyV2")+`}`,
		graphtest.Vars{"h": shop.Product("Ocean Blue T-Shirt").Handle})
	image := graphtest.Get(data, "product.featuredImage").(map[string]any)
	for _, f := range schema.Types["Image"].Fields {
		if image[f.Name] == nil || image[f.Name] != image["again_"+f.Name] || f.Name != "id" && image[f.Name] == "Image" {
			t.Errorf("%s of a picture is %v", f.Name, image[f.Name])
		}
	}
	want(t, image, "__typename", "Image")
	want(t, image, "url", graphtest.PublicURL+"/media/tee.png")
	want(t, image, "height", 600.0)
	variant := graphtest.Get(data, "product.variants.nodes.0")
	want(t, variant, "price.__typename", "MoneyV2")
	want(t, variant, "price.kind", "MoneyV2")
	want(t, variant, "price.amount", "19.99")
	want(t, variant, "price.again_currencyCode", "EUR")
	want(t, variant, "priceV2.a", "19.99")
	want(t, variant, "compareAtPrice", nil)
	want(t, variant, "selectedOptions.1.name", "Colour")
	want(t, variant, "selectedOptions.1.again_value", "Blue")
	want(t, variant, "selectedOptions.1.__typename", "SelectedOption")

	id, token := buy(t, shop)
	order := shop.Do(`query($id:ID!,$token:String){order(id:$id,accessToken:$token){timeline{__typename`+every("OrderTimelineEntry")+`}}}`,
		graphtest.Vars{"id": id, "token": token})
	entry := graphtest.Get(order, "order.timeline.0").(map[string]any)
	for _, f := range schema.Types["OrderTimelineEntry"].Fields {
		if entry[f.Name] == nil || entry[f.Name] != entry["again_"+f.Name] || entry[f.Name] == "OrderTimelineEntry" {
			t.Errorf("%s of an order's step is %v", f.Name, entry[f.Name])
		}
	}
	want(t, entry, "__typename", "OrderTimelineEntry")
	want(t, entry, "status", "PENDING")
	if at, err := time.Parse(time.RFC3339Nano, entry["at"].(string)); err != nil || time.Since(at).Abs() > time.Hour {
		t.Error(at, err)
	}

	skipped := shop.Do(`query($h:String!){product(handle:$h){priceRange{minVariantPrice{currencyCode amount @skip(if:true)}}}}`, graphtest.Vars{"h": shop.Product("Café Mug").Handle})
	price := graphtest.Get(skipped, "product.priceRange.minVariantPrice").(map[string]any)
	if _, there := price["amount"]; there || price["currencyCode"] != "EUR" {
		t.Error(price)
	}
}
