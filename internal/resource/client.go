package resource

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// Client is one worker's connection to the resource. It is not safe for concurrent use.
type Client struct {
	addr, secret string
	conn         net.Conn
	in           *bufio.Scanner
	opening      []byte // what goes before the next request: the secret, on a connection that has not said it
}

// ErrUnsent is wrapped by the error of a request that never left the worker.
var ErrUnsent = errors.New("request not sent")

// NewClient makes a client that connects at its first request. The secret is the resource's.
func NewClient(addr, secret string) *Client { return &Client{addr: addr, secret: secret} }

// Do sends one request and waits for its answer until ctx ends. After an error that does not wrap ErrUnsent
// nobody knows whether the request was, or will be, served; the next request uses a new connection.
func (c *Client) Do(ctx context.Context, req *Request) (Response, error) {
	if c.conn == nil {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return Response{}, fmt.Errorf("%w: connect to the resource: %w", ErrUnsent, err)
		}
		c.conn, c.in, c.opening = conn, bufio.NewScanner(conn), []byte(c.secret+"\n")
	}
	resp, err := c.exchange(ctx, req)
	if err != nil {
		return Response{}, errors.Join(err, c.Close())
	}
	if resp.Error != "" {
		return Response{}, fmt.Errorf("the resource refused the request: %s", resp.Error)
	}
	return resp, nil
}

func (c *Client) exchange(ctx context.Context, req *Request) (Response, error) {
	conn := c.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	line, err := json.Marshal(req)
	if err != nil {
		return Response{}, fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	line = append(line, '\n')
	if c.opening != nil {
		line, c.opening = append(c.opening, line...), nil
	}
	if _, err := conn.Write(line); err != nil {
		return Response{}, fmt.Errorf("send a request to the resource: %w", err)
	}
	if !c.in.Scan() {
		err := c.in.Err()
		if err == nil {
			err = errors.New("connection closed")
		}
		return Response{}, fmt.Errorf("wait for the resource's answer: %w", err)
	}
	var resp Response
	if err := json.Unmarshal(c.in.Bytes(), &resp); err != nil {
		return Response{}, fmt.Errorf("read the resource's answer: %w", err)
	}
	return resp, nil
}

// Close drops the connection; a later request makes a new one.
func (c *Client) Close() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn, c.in = nil, nil
	return err
}
