//go:build !linux

package cluster

import "github.com/lockbench/lockbench/internal/agent"

// removeSharedMemory has nothing to remove where no server runs.
func removeSharedMemory(int, *agent.User) error { return agent.ErrUnsupported }
