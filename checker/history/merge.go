package history

import "container/heap"

// Merge merges streams into one history by time, and sets every Index. The order within a stream is kept; at
// equal times the earlier stream goes first. It takes O(n log k) for n ops in k streams.
func Merge(streams ...[]Op) []Op {
	n := 0
	var left heads
	for i, s := range streams {
		n += len(s)
		if len(s) > 0 {
			left = append(left, head{stream: i, rest: s})
		}
	}
	heap.Init(&left)
	merged := make([]Op, 0, n)
	for len(left) > 0 {
		h := &left[0]
		op := h.rest[0]
		op.Index = int64(len(merged))
		merged = append(merged, op)
		if h.rest = h.rest[1:]; len(h.rest) == 0 {
			heap.Pop(&left)
		} else {
			heap.Fix(&left, 0)
		}
	}
	return merged
}

// head is what is left of a stream.
type head struct {
	stream int
	rest   []Op
}

type heads []head

func (h heads) Len() int { return len(h) }

func (h heads) Less(i, j int) bool {
	a, b := h[i].rest[0].Time, h[j].rest[0].Time
	return a < b || a == b && h[i].stream < h[j].stream
}

func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop implement heap.Interface.
func (h *heads) Push(x any) { *h = append(*h, x.(head)) }

// Pop removes the last head.
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
