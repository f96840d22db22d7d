package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/lockbench/lockbench/checker/history"
)

// header is the length of a stream's first part: it holds the magic number and, in its second word, how many bytes
// behind it are committed.
const header = 4096

// magic begins a stream.
func magic() [8]byte { return [8]byte{'l', 'b', 's', 't', 'r', 'e', 'a', 'm'} }

// workers begins the name of every stream of a worker.
const workers = "c"

// chunk is how many bytes of a stream are decoded at a time.
const chunk = 256 << 10

// Feed reads the streams of one test while they grow, and hands every op to those who subscribed to it. An op is
// decoded once, however many want it, and not at all if nobody does: latency is measured meanwhile. Nothing is read
// unless somebody calls Look, and no file is kept open. Safe for concurrent use.
type Feed struct {
	dir string

	mu      sync.Mutex
	read    map[string]int64 // how many bytes of a stream, by its name, were handed out
	subs    []*subscriber
	err     error // of the first read that failed: nothing is read after it
	decoder *history.Reader
	lines   []byte
	ops     []history.Op
}

// Subscription says which ops its owner wants.
type Subscription struct {
	// F names the functions (acquire, read …) of the ops that are wanted; empty: all are.
	F []string
	// Workers leaves out the streams of the resource and of the nemesis.
	Workers bool
	// Past asks also for what was handed out before the subscription began.
	Past bool
	// Take is given ops that one stream recorded, in their order. It must not keep or change them, nor call the Feed.
	Take func(stream string, ops []history.Op)
}

// subscriber is a subscription in force.
type subscriber struct {
	Subscription
	late bool // it lacks what was handed out before it came
}

// NewFeed returns a Feed of the streams in dir, which need not be there yet.
func NewFeed(dir string) *Feed {
	return &Feed{dir: dir, read: map[string]int64{}, decoder: history.NewReader(nil)}
}

// Dir is the directory of the streams.
func (f *Feed) Dir() string { return f.dir }

// Subscribe hands ops to s from now on, until the caller calls end. What was recorded but not yet handed out counts
// as new.
func (f *Feed) Subscribe(s Subscription) (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := &subscriber{s, s.Past}
	f.subs = append(f.subs, added)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.subs = slices.DeleteFunc(f.subs, func(o *subscriber) bool { return o == added })
	}
}

// Look reads what was recorded since the last call and hands it out. After an error it reads nothing any more, and
// returns the same error.
func (f *Feed) Look() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = f.look()
	}
	return f.err
}

func (f *Feed) look() error {
	paths, err := Streams(f.dir, "")
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := f.advance(path); err != nil {
			return fmt.Errorf("follow the history stream %s: %w", path, err)
		}
	}
	for _, s := range f.subs {
		s.late = false
	}
	return nil
}

// advance hands out what is new in one stream and, to those who are late, what was handed out before.
func (f *Feed) advance(path string) error {
	name := filepath.Base(path)
	var wanting, late []*subscriber
	for _, s := range f.subs {
		if !s.Workers || strings.HasPrefix(name, workers) {
			wanting = append(wanting, s)
			if s.late {
				late = append(late, s)
			}
		}
	}
	if len(wanting) == 0 {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() // opened for reading
	var word [8]byte
	if _, err := file.ReadAt(word[:], 8); errors.Is(err, io.EOF) {
		return nil // it is being made
	} else if err != nil {
		return err
	}
	committed := int64(binary.NativeEndian.Uint64(word[:]))
	if len(late) > 0 {
		if err := f.hand(file, 0, f.read[name], late); err != nil {
			return err
		}
	}
	if committed > f.read[name] {
		err = f.hand(file, f.read[name], committed, wanting)
		f.read[name] = committed
	}
	return err
}

// hand gives the lines between two places of a stream to those who want them.
func (f *Feed) hand(file *os.File, from, to int64, subs []*subscriber) error {
	if info, err := file.Stat(); err != nil || to > info.Size()-header {
		return fmt.Errorf("%d bytes committed, and they are not there (%v)", to, err)
	}
	for size := int64(chunk); from < to; {
		n := int(min(size, to-from))
		f.lines = slices.Grow(f.lines[:0], n)[:n]
		if _, err := file.ReadAt(f.lines, header+from); err != nil {
			return err
		}
		whole := bytes.LastIndexByte(f.lines, '\n') + 1
		if whole == 0 {
			if int64(n) == to-from {
				return errors.New("its last line does not end")
			}
			size *= 2
			continue
		}
		if err := f.give(filepath.Base(file.Name()), f.lines[:whole], subs); err != nil {
			return err
		}
		from += int64(whole)
	}
	return nil
}

// give decodes the lines that are wanted, each once.
func (f *Feed) give(name string, lines []byte, subs []*subscriber) (err error) {
	f.decoder.Reset(bytes.NewReader(only(lines, subs)))
	if f.ops, err = decodeInto(f.ops[:0], f.decoder); err != nil {
		return err
	}
	alike := !slices.ContainsFunc(subs, func(s *subscriber) bool { return !slices.Equal(s.F, subs[0].F) })
	for _, s := range subs {
		some := f.ops
		if !alike && len(s.F) > 0 {
			some = nil
			for i := range f.ops {
				if slices.Contains(s.F, f.ops[i].F) {
					some = append(some, f.ops[i])
				}
			}
		}
		if len(some) > 0 {
			s.Take(name, some)
		}
	}
	return nil
}

// only is the lines that somebody wants: to decode the others is most of the cost. It overwrites lines.
func only(lines []byte, subs []*subscriber) []byte {
	var keys [][]byte
	for _, s := range subs {
		if len(s.F) == 0 {
			return lines
		}
		for _, f := range s.F {
			key := []byte(`"f":"` + f + `"`) // as AppendLine writes it; in a text its quotes are escaped
			if !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
				keys = append(keys, key)
			}
		}
	}
	some := lines[:0]
	for line := range bytes.Lines(lines) {
		if slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Contains(line, key) }) {
			some = append(some, line...)
		}
	}
	return some
}
