package progress

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes every event as one line of JSON.
type JSON struct{ enc *json.Encoder }

// NewJSON returns a JSON that writes to w.
func NewJSON(w io.Writer) *JSON {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &JSON{enc}
}

// Show implements Renderer.
func (j *JSON) Show(events []Event) error {
	for i := range events {
		if err := j.enc.Encode(&events[i]); err != nil {
			return fmt.Errorf("write the run's events: %w", err)
		}
	}
	return nil
}

// Close implements Renderer.
func (j *JSON) Close() error { return nil }
