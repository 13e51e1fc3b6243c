package docstoremongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ordergraph/platform/docstore"
)

// Find reads a page with one or a few find commands, each a single stretch of
// the index: fields that are equal, then one range, in the order of the
// index. The server has nothing to sort and reads no entry that is not asked
// for, however the documents are spread. A page behind a cursor starts with
// the stretch that shares all but the last field with the cursor's place, and
// goes on with wider ones until it is full.
func (d *documents) Find(ctx context.Context, q docstore.Query) ([]bson.Raw, bool, error) {
	plan, err := docstore.NewPlan(d.spec, q)
	if err != nil {
		return nil, false, err
	}
	hint, order := access(plan)
	var page []bson.Raw
	for _, filter := range stretches(plan) {
		missing := plan.Limit + 1 - len(page)
		docs, err := d.find(ctx, filter, options.Find().
			SetSort(order).SetHint(hint).
			SetLimit(int64(missing)).SetBatchSize(int32(min(missing, 10_000))))
		if err != nil {
			return nil, false, err
		}
		if page = append(page, docs...); len(page) > plan.Limit {
			return page[:plan.Limit], true, nil
		}
	}
	return page, false, nil
}

// access is the index to read, by name, and the order, which is the index's own.
func access(plan docstore.Plan) (hint any, order bson.D) {
	direction := 1
	if plan.Reverse {
		direction = -1
	}
	for _, key := range keys(plan.Index) {
		order = append(order, bson.E{Key: key, Value: direction})
	}
	if len(plan.Index.Fields) == 0 {
		return bson.D{{Key: "_id", Value: 1}}, order
	}
	return plan.Index.Name, order
}

// keys are the fields of the index as the server has it. A unique index needs
// no _id to tell its documents apart.
func keys(index docstore.Index) []string {
	if index.Unique {
		return index.Fields
	}
	return append(index.Fields[:len(index.Fields):len(index.Fields)], "_id")
}

// stretches are the filters whose documents, one after the other, are the
// plan's in its order.
//
// A comparison reaches only over values of its own type in MongoDB, and $ne
// null leaves out what lacks the field: documents that are not in the index
// as docstore means it.
func stretches(plan docstore.Plan) []bson.D {
	fields := append(plan.Index.Fields[:len(plan.Index.Fields):len(plan.Index.Fields)], "_id")
	fixed := len(plan.Equal)
	equal := bson.D{}
	for i, v := range plan.Equal {
		equal = append(equal, bson.E{Key: fields[i], Value: v})
	}
	var bounds bson.D // of fields[fixed]
	if plan.From != nil {
		bounds = append(bounds, bson.E{Key: "$gte", Value: *plan.From})
	}
	if plan.Until != nil {
		bounds = append(bounds, bson.E{Key: "$lt", Value: *plan.Until})
	}
	// rest are the conditions on the fields from i on, to which nothing else applies.
	rest := func(filter bson.D, i int) bson.D {
		if i == fixed && len(bounds) > 0 {
			filter, i = append(filter, bson.E{Key: fields[i], Value: bounds}), i+1
		}
		for ; i < len(fields)-1; i++ {
			filter = append(filter, bson.E{Key: fields[i], Value: bson.D{{Key: "$ne", Value: nil}}})
		}
		return filter
	}
	if plan.After == nil {
		return []bson.D{rest(equal, fixed)}
	}

	beyond := "$gt"
	if plan.Reverse {
		beyond = "$lt"
	}
	var all []bson.D
	for i := len(fields) - 1; i >= fixed; i-- {
		filter := equal[:len(equal):len(equal)]
		for place := fixed; place <= i; place++ {
			operator := "$eq"
			if place == i {
				operator = beyond
			}
			filter = append(filter, bson.E{Key: fields[place], Value: bson.D{{Key: operator, Value: plan.After[place]}}})
		}
		if len(bounds) > 0 {
			// They hold for a place that stands still, too: a cursor is the
			// client's, and must not lead out of the query.
			filter = append(filter, bson.E{Key: "$and", Value: bson.A{bson.D{{Key: fields[fixed], Value: bounds}}}})
		}
		all = append(all, rest(filter, i+1))
	}
	return all
}
