package history

import (
	"errors"
	"io"
)

const (
	batchLines = 512
	batches    = 4
)

// batch is some lines of a history and, if they are the last ones, why: io.EOF or a *LineError.
type batch struct {
	ops []Op
	err error
}

// ForEach reads a history line by line and calls do for each, while it decodes those that follow on another
// goroutine. An op is only valid until do returns. Its error is that of do or a *LineError, as that of Reader.
func ForEach(r io.Reader, do func(op *Op) error) error {
	full, empty := make(chan batch, batches), make(chan []Op, batches)
	stop, stopped := make(chan struct{}), make(chan struct{})
	for range batches {
		empty <- make([]Op, 0, batchLines)
	}
	go func() {
		defer close(stopped)
		decodeBatches(NewReader(r), full, empty, stop)
	}()
	// r belongs to the caller again only when nobody reads it any more.
	defer func() {
		close(stop)
		<-stopped
	}()
	for {
		b := <-full
		for i := range b.ops {
			if err := do(&b.ops[i]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(b.err, io.EOF):
			return nil
		case b.err != nil:
			return b.err
		}
		empty <- b.ops[:0]
	}
}

// decodeBatches decodes until the end, an error or stop.
func decodeBatches(r *Reader, full chan<- batch, empty <-chan []Op, stop <-chan struct{}) {
	for {
		var b batch
		select {
		case b.ops = <-empty:
		case <-stop:
			return
		}
		for b.err == nil && len(b.ops) < cap(b.ops) {
			b.ops = append(b.ops, Op{})
			if b.err = r.read(&b.ops[len(b.ops)-1]); b.err != nil {
				b.ops = b.ops[:len(b.ops)-1]
			}
		}
		full <- b // never blocks: there are no more batches than it holds
		if b.err != nil {
			return
		}
	}
}
