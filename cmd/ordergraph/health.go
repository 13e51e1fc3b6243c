package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

type healthCmd struct {
	HTTPAddr string `name:"http-addr" env:"HTTP_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the process serves HTTP."`
}

func (healthCmd) Help() string {
	return "The exit code is 0 when the process can do its work, and 1 otherwise."
}

func (c *healthCmd) Run(ctx context.Context) error {
	var wrong complaints
	wrong.checkListen("HTTP_ADDR", c.HTTPAddr)
	if c.HTTPAddr == "" {
		wrong.add("HTTP_ADDR is empty: a process without HTTP cannot be asked")
	}
	if err := wrong.err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+fromHere(c.HTTPAddr)+"/readyz", nil)
	if err != nil {
		return usage("HTTP_ADDR=%s is not host:port", c.HTTPAddr)
	}
	direct := &http.Client{Transport: &http.Transport{}} // not through a proxy
	resp, err := direct.Do(req)
	if err != nil {
		return fmt.Errorf("nobody answers: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", resp.Status)
	}
	fmt.Println("ready")
	return nil
}
