package main

import (
	"cmp"
	"time"

	"ordergraph/sandbox"
	"ordergraph/services"
)

// demoCarrierSecret is known to everybody: good for the sandbox, refused in production.
const demoCarrierSecret = "carrier_sandbox"

// carrierConfig says who takes parcels to customers.
type carrierConfig struct {
	CarrierURL    string `name:"carrier-url" env:"CARRIER_URL" placeholder:"URL" group:"Parcels" help:"The carrier that takes parcels to customers. Without it: the sandbox at SANDBOX_ADDR."`
	CarrierSecret string `name:"carrier-secret" env:"CARRIER_SECRET" default:"carrier_sandbox" placeholder:"SECRET" group:"Parcels" help:"What the shop shows the carrier, and what signs the carrier's webhooks; the default is the sandbox's."`
}

// carrier is how parcels are sent.
func (c *carrierConfig) carrier(sandboxAddr string) services.CarrierSettings {
	return services.CarrierSettings{URL: cmp.Or(c.CarrierURL, "http://"+fromHere(sandboxAddr)+sandbox.CarrierPath), Secret: c.CarrierSecret}
}

// autoFulfil is how long after each step the program takes the next by itself:
// long enough to be watched.
const autoFulfil = 5 * time.Second

// fulfilsAlone reports whether the program picks, packs and ships by itself.
func (s *serveCmd) fulfilsAlone() bool {
	return s.AutoFulfil == "on" || s.AutoFulfil == "auto" && !s.Production && s.CarrierURL == "" && s.isDemoShop()
}
