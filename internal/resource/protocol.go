// Package resource is the protected store: what the locks are for. It is a TCP server in the coordinator that
// serves one request after another, checks fencing tokens if it is told to, and records the order in which it did.
package resource

// Request is one line of JSON from a worker. The first line of each connection is the secret, and is not answered.
type Request struct {
	F       string `json:"f"` // "read" or "write"
	Lock    string `json:"lock"`
	Client  string `json:"client"`
	Process int64  `json:"process"`
	Grant   int64  `json:"grant"`
	Request int64  `json:"request"`
	// Token is the grant's fencing token; nil if the lock has none.
	Token *uint64 `json:"token,omitempty"`
	// Base is, for a write, the version that the worker had read.
	Base uint64 `json:"base,omitempty"`
	// Value is what to write.
	Value int64 `json:"value,omitempty"`
}

// Response is one line of JSON to a worker.
type Response struct {
	// Rejected says that the fence refused the request: nothing was read or written.
	Rejected bool `json:"rejected,omitempty"`
	// Version is the number of writes applied to the item: for a write, that one included.
	Version uint64 `json:"version"`
	Value   int64  `json:"value"`
	// Error says what was wrong with a request that was not served at all.
	Error string `json:"error,omitempty"`
}
