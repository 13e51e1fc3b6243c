package mongoserver_test

import (
	"fmt"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ordergraph/test/mongoserver"
)

func TestMongoServerAnswersDirectlyAndThroughProxy(t *testing.T) {
	uri, about := mongoserver.Start(t)
	fmt.Println("MongoDB server for this run:", about)
	proxy := mongoserver.NewProxy(t, uri)
	name := mongoserver.Database(t, uri)
	for _, way := range []string{uri, proxy.URI} {
		client, err := mongo.Connect(options.Client().ApplyURI(way))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Database(name).Collection("things").InsertOne(t.Context(), bson.D{{Key: "way", Value: way}}); err != nil {
			t.Error(err)
		}
		if err := client.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
