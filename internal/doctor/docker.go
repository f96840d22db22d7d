package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	defaultDockerHost = "unix:///var/run/docker.sock"
	// dockerTimeout bounds a question that a healthy engine answers in milliseconds.
	dockerTimeout = 2 * time.Second
)

// docker asks the Docker engine for its version. No lock and no fault needs it: servers are child processes.
func docker(ctx context.Context, host string) Check {
	c := Check{Name: "docker", State: OK, Detail: "nothing needs it"}
	version, err := dockerVersion(ctx, host)
	if err != nil {
		c.State = Note
		c.Detail = fmt.Sprintf("nothing needs it (%v)", err)
		return c
	}
	c.Version = version
	return c
}

func dockerVersion(ctx context.Context, host string) (string, error) {
	if host == "" {
		host = defaultDockerHost
	}
	u, err := url.Parse(host)
	if err != nil {
		return "", fmt.Errorf("DOCKER_HOST: %w", err)
	}
	network, address := "tcp", u.Host
	switch u.Scheme {
	case "unix":
		network, address = "unix", u.Path
	case "tcp":
	default:
		return "", fmt.Errorf("DOCKER_HOST %s is neither unix:// nor tcp://", host)
	}
	ctx, cancel := context.WithTimeout(ctx, dockerTimeout)
	defer cancel()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/version", nil)
	if err != nil {
		return "", fmt.Errorf("ask the Docker engine: %w", err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", fmt.Errorf("no Docker engine answers at %s: %w", host, err)
	}
	defer resp.Body.Close()
	var answer struct{ Version string }
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the Docker engine at %s answers %s", host, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Version == "" {
		return "", fmt.Errorf("what answers at %s is no Docker engine", host)
	}
	return answer.Version, nil
}
