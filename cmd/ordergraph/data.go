package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorecopy"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/services"
)

type dataCmd struct {
	Copy dataCopyCmd `cmd:"" help:"Copy all documents from one engine to the other."`
}

type dataCopyCmd struct {
	From     string   `arg:"" help:"A folder of local stores, or a MongoDB server as mongodb://…, or the word MONGODB_URI for the server in that variable, which keeps its password off the command line."`
	To       string   `arg:"" help:"Likewise."`
	MongoURI string   `name:"mongodb-uri" env:"MONGODB_URI" placeholder:"URI" help:"The server that the word MONGODB_URI stands for."`
	Database string   `name:"mongodb-database" env:"MONGODB_DATABASE" default:"ordergraph" placeholder:"NAME" help:"Databases on the server are called NAME_service."`
	Services []string `name:"service" placeholder:"NAME" help:"Only the documents of these services. Without it: all."`
	logConfig
}

func (dataCopyCmd) Help() string {
	return "Stop the shop first. The copy can be stopped and started again: it goes on where it was. At the end both sides are compared, by number and contents. The source is not changed, and a target with documents of its own is refused."
}

func (c *dataCopyCmd) Run(ctx context.Context) error {
	for _, place := range []*string{&c.From, &c.To} {
		if *place == "MONGODB_URI" {
			if *place = c.MongoURI; c.MongoURI == "" {
				return usage("MONGODB_URI is not set")
			}
		}
		if !isServer(*place) && strings.Contains(*place, "://") {
			return usage("%s://… is neither a folder nor a MongoDB server (mongodb://…)", strings.SplitN(*place, "://", 2)[0])
		}
	}
	if c.From == c.To || !isServer(c.From) && !isServer(c.To) && filepath.Clean(c.From) == filepath.Clean(c.To) {
		return usage("From and to are the same place")
	}
	names := c.Services
	if len(names) == 0 {
		names = services.Names()
	}
	if err := services.Check(names); err != nil {
		return usage("--service: %v", err)
	}
	if !isServer(c.From) {
		if !slices.ContainsFunc(names, func(name string) bool { return isFolder(filepath.Join(c.From, name)) }) {
			return usage("There are no local stores in %s: is that the DATA_DIR of a shop?", c.From)
		}
	}
	var documents int64
	for _, name := range names {
		if !isServer(c.From) && !isFolder(filepath.Join(c.From, name)) {
			fmt.Printf("%s: nothing to copy\n", name)
			continue
		}
		n, err := c.copy(ctx, name)
		documents += n
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
	}
	if documents == 0 {
		return usage("The source has no documents: is the direction right? First comes from where, then to where")
	}
	fmt.Printf("%d documents are the same on both sides\n", documents)
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// copy brings one service's documents over and returns how many there are.
func (c *dataCopyCmd) copy(ctx context.Context, service string) (documents int64, err error) {
	from, err := c.open(ctx, c.From, service)
	if err != nil {
		return 0, fmt.Errorf("source: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := c.open(ctx, c.To, service)
	if err != nil {
		return 0, fmt.Errorf("target: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	p := copyProgress{service: service}
	err = docstorecopy.Copy(ctx, from, to, p.show)
	p.finish(err == nil)
	return p.documents, err
}

// copyProgress shows how far the copy of one service has come: a bar on a
// terminal, and a line for each collection that is done.
type copyProgress struct {
	service    string
	collection string // being copied
	count      int64  // its documents
	documents  int64  // of the collections that are done
	phase      docstorecopy.Phase
	bar        *progressbar.ProgressBar
}

func (p *copyProgress) show(collection string, phase docstorecopy.Phase, done, total int64) {
	if collection != p.collection {
		p.finish(true)
		p.collection, p.phase = collection, ""
	}
	if phase != p.phase {
		p.finishBar()
		if total == 0 {
			total = -1 // not known yet
		}
		p.bar, p.phase = newBar(int(total), fmt.Sprintf("%s %s: %s", p.service, collection, phase)), phase
	}
	_ = p.bar.Set64(done)
	p.count = done
}

// finish ends the collection; done says whether it is there whole.
func (p *copyProgress) finish(done bool) {
	p.finishBar()
	if done && p.collection != "" {
		fmt.Printf("%s %s: %d documents\n", p.service, p.collection, p.count)
		p.documents += p.count
	}
	p.collection, p.count = "", 0
}

func (p *copyProgress) finishBar() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}

func isServer(place string) bool {
	return strings.HasPrefix(place, "mongodb://") || strings.HasPrefix(place, "mongodb+srv://")
}

func (c *dataCopyCmd) open(ctx context.Context, place, service string) (docstore.Store, error) {
	if isServer(place) {
		return docstoremongo.Open(ctx, place, c.Database+"_"+service, docstoremongo.Options{Log: c.commandLogger()})
	}
	return docstorelocal.Open(filepath.Join(place, service), docstorelocal.WithLog(c.commandLogger()))
}
