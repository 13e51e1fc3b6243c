package catalog

// Hear is what happens when the bus brings a fact.
var Hear = (*Keeper).hear

// CatchUp is what Run does about once a second.
var CatchUp = (*Keeper).catchUp
