package measure

import "testing"

func TestSpansMerge(t *testing.T) {
	none, one, two, never := Span{}, SpanOf(1), SpanOf(2), NoSpan("never")
	for _, tt := range []struct{ a, b, longer, slower Span }{
		{none, one, one, one}, {one, two, two, two}, {two, one, two, two}, {none, never, never, never},
		{one, never, one, never}, {never, one, one, never},
	} {
		if got := tt.a.Longer(tt.b); got != tt.longer {
			t.Errorf("the longer of %+v and %+v is %+v", tt.a, tt.b, got)
		}
		if got := tt.a.Slower(tt.b); got != tt.slower {
			t.Errorf("the slower of %+v and %+v is %+v", tt.a, tt.b, got)
		}
	}
}
