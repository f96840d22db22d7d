package clients

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestPatience: who waits for a client gives up soon after the run was interrupted, before the wait or in it.
func TestPatience(t *testing.T) {
	why := errors.New("it does not come to rest")
	for _, before := range []bool{true, false} {
		ctx, interrupt := context.WithCancel(t.Context())
		if before {
			interrupt()
		}
		waiting, cancel := patience(ctx, time.Hour, why)
		defer cancel()
		interrupt()
		<-waiting.Done()
		if got := context.Cause(waiting); got != why {
			t.Errorf("cause %v", got)
		}
	}
	waiting, cancel := patience(t.Context(), time.Millisecond, why)
	defer cancel()
	<-waiting.Done()
	if got := context.Cause(waiting); got != why {
		t.Errorf("cause %v", got)
	}
}
