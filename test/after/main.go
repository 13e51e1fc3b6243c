// Command after measures what happens after an order.
package main

func main() {}
