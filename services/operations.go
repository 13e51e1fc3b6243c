package services

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/deadletter/deadletterrpc"
	"ordergraph/platform/host"
)

// provideLetters gives the dead letters of the services of this process to
// callers here and in other processes, and counts them.
func (g *Ground) provideLetters(names []string) {
	facts := g.Bus.Letters()
	for _, name := range Names() {
		if !slices.Contains(names, name) {
			continue
		}
		if dead, ok := facts[name]; ok {
			g.boxes = append(g.boxes, deadletter.Box{Service: name, Kind: deadletter.Fact, Letters: dead})
		}
		var own deadletter.Desk
		for _, b := range g.boxes {
			if b.Service == name {
				own = append(own, b)
			}
		}
		host.Provide(g.Host, deadletterrpc.Contract(name), deadletter.Letters(own))
	}
	g.measure(deadletter.Gauge(g.Log, g.boxes...))
}

// Letters are the dead letters of the named services, wherever they run.
func Letters(h *host.Host, names []string) (deadletter.Desk, error) {
	var all deadletter.Desk
	for _, name := range names {
		letters, err := host.Use(h, deadletterrpc.Contract(name))
		if err != nil {
			return nil, fmt.Errorf("dead letters: %w", err)
		}
		all = append(all, deadletter.Box{Service: name, Letters: letters})
	}
	return all, nil
}

// measure has a service's figures asked for.
func (g *Ground) measure(figures prometheus.Collector) {
	if g.Metrics != nil {
		g.Metrics.MustRegister(figures)
	}
}
