package mongoserver

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ordergraph/test/child"
)

//go:embed Launcher.java
var launcher []byte

//go:embed pom.xml
var pom []byte

const javaServerVersion = "1.47.0" // as in pom.xml

// javaServer starts mongo-java-server; nil where Java or Maven is missing.
func javaServer(ctx context.Context) (*Server, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, nil
	}
	libs, err := fetchJavaServer(ctx)
	if err != nil || libs == "" {
		return nil, err
	}
	cmd := exec.Command(java, "-Xmx1500m", "-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", filepath.Join(libs, "*"), filepath.Join(libs, "Launcher.java"))
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// The launcher ends when its standard input does: so it goes with this
	// program on every system.
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	process, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("mongo-java-server: %w", err)
	}
	lines := make(chan [2]string, 1)
	go func() {
		in := bufio.NewScanner(said)
		var port, version string
		if in.Scan() {
			port = in.Text()
		}
		if in.Scan() {
			version = in.Text()
		}
		lines <- [2]string{port, version}
	}()
	stop := func() { _ = hold.Close(); process.Stop(5 * time.Second) }
	select {
	case line := <-lines:
		if line[1] == "" {
			stop()
			return nil, fmt.Errorf("mongo-java-server did not start: %s", strings.TrimSpace(complaints.String()))
		}
		server := &Server{
			URI:   "mongodb://127.0.0.1:" + line[0] + "/",
			About: fmt.Sprintf("mongo-java-server %s in memory (Java %s)", javaServerVersion, line[1]),
			stop:  stop,
		}
		if _, err := await(ctx, server.URI, process.Done()); err != nil {
			stop()
			return nil, fmt.Errorf("mongo-java-server: %w", err)
		}
		return server, nil
	case <-ctx.Done():
		stop()
		return nil, fmt.Errorf("mongo-java-server does not start: %w", ctx.Err())
	}
}

// fetchJavaServer returns the directory that holds the server's jars and the
// launcher, fetching them if need be; "" where Maven is missing.
func fetchJavaServer(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "ordergraph", "mongo-java-server-"+javaServerVersion)
	if _, err := os.Stat(filepath.Join(dir, "Launcher.java")); err != nil {
		mvn, err := exec.LookPath("mvn")
		if err != nil {
			return "", nil
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return "", err
		}
		// Test binaries run side by side: each fetches into a directory of
		// its own, and the first to be ready gives it the name.
		fresh, err := os.MkdirTemp(filepath.Dir(dir), "fetching-")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(fresh)
		if err := os.WriteFile(filepath.Join(fresh, "pom.xml"), pom, 0o644); err != nil {
			return "", err
		}
		cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "-f", filepath.Join(fresh, "pom.xml"),
			"dependency:copy-dependencies", "-DoutputDirectory="+fresh)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("fetch mongo-java-server with Maven: %w: %s", err, out)
		}
		if err := os.WriteFile(filepath.Join(fresh, "Launcher.java"), launcher, 0o644); err != nil {
			return "", err
		}
		if err := os.Rename(fresh, dir); err != nil {
			if _, lost := os.Stat(filepath.Join(dir, "Launcher.java")); lost != nil {
				return "", err
			}
		}
	}
	// The launcher is of this source tree, whatever an earlier one left.
	if have, _ := os.ReadFile(filepath.Join(dir, "Launcher.java")); string(have) != string(launcher) {
		fresh := filepath.Join(dir, fmt.Sprintf("Launcher.java.%d", os.Getpid()))
		if err := os.WriteFile(fresh, launcher, 0o644); err != nil {
			return "", err
		}
		if err := os.Rename(fresh, filepath.Join(dir, "Launcher.java")); err != nil {
			return "", err
		}
	}
	return dir, nil
}
