package etcdmember

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// staticResolver resolves the given host names, and nothing else beside the hosts file, for this process alone: its
// name server is a pipe.
func staticResolver(hosts map[string]string) *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				defer server.Close()
				for answer(server, hosts) == nil {
				}
			}()
			return client, nil
		},
	}
}

// answer serves one question, framed as DNS is on a stream (RFC 1035, 4.2.2).
func answer(conn net.Conn, hosts map[string]string) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return err
	}
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil {
		return err
	}
	question, err := p.Question()
	if err != nil {
		return err
	}
	reply := dnsmessage.Message{
		Header: dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionAvailable: true,
			RecursionDesired: header.RecursionDesired},
		Questions: []dnsmessage.Question{question},
	}
	ip, err := netip.ParseAddr(hosts[strings.TrimSuffix(question.Name.String(), ".")])
	switch {
	case err != nil || !ip.Is4():
		reply.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA: // of any other type there is no record, which is no error
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 3600},
			Body:   &dnsmessage.AResource{A: ip.As4()},
		}}
	}
	packed, err := reply.Pack()
	if err != nil {
		return err
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	return err
}
