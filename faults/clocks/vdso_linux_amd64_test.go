package clocks

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ownImage is this process's vDSO.
func ownImage(t testing.TB) []byte {
	t.Helper()
	target, err := open(os.Getpid())
	if err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: %v", err)
	}
	if err := target.close(); err != nil {
		t.Fatal(err)
	}
	return target.image
}

// install writes to an image what redirect writes to a process.
func install(t testing.TB, image []byte) *vdso {
	t.Helper()
	v, err := parse(bytes.Clone(image))
	if err != nil {
		t.Fatal(err)
	}
	copy(v.image[v.shim:], v.assemble(time.Hour))
	for i, e := range v.entries {
		copy(v.image[e:], v.jump(i))
	}
	return v
}

func TestParse(t *testing.T) {
	image := ownImage(t)
	fresh, err := parse(image)
	if err != nil {
		t.Fatal(err)
	}
	if fresh.installed || fresh.patched || fresh.complete {
		t.Errorf("a vDSO that nobody touched: %+v", fresh)
	}
	for _, c := range []struct {
		name                         string
		change                       func(*vdso)
		refused                      bool
		installed, patched, complete bool
	}{
		{"installed", func(*vdso) {}, false, true, true, true},
		{"half way", func(v *vdso) { copy(v.image[v.entries[2]:], v.originals[2]) }, false, true, true, false},
		{"undone", func(v *vdso) {
			for i, e := range v.entries {
				copy(v.image[e:], v.originals[i])
			}
		}, false, true, false, false},
		{"another version", func(v *vdso) { v.image[v.shim+len(magic)-1]++ }, true, false, false, false},
		{"other code", func(v *vdso) { v.image[v.shim+shimCode]++ }, true, false, false, false},
		{"no such slot", func(v *vdso) { v.image[v.shim+shimSelect] = 1 }, true, false, false, false},
		{"another jump", func(v *vdso) { v.image[v.entries[1]+1]++ }, true, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := install(t, image)
			c.change(v)
			got, err := parse(v.image)
			if (err != nil) != c.refused {
				t.Fatalf("error %v, refused: %v", err, c.refused)
			}
			if c.refused {
				return
			}
			if got.installed != c.installed || got.patched != c.patched || got.complete != c.complete {
				t.Errorf("installed, patched, complete: %v %v %v, want %v %v %v",
					got.installed, got.patched, got.complete, c.installed, c.patched, c.complete)
			}
			if got.shim != fresh.shim || got.entries != fresh.entries || got.offset() != time.Hour {
				t.Errorf("found %#x %#x with %v, want %#x %#x with 1h", got.shim, got.entries, got.offset(), fresh.shim, fresh.entries)
			}
			for i := range got.originals {
				if !bytes.Equal(got.originals[i], fresh.originals[i]) {
					t.Errorf("function %d was % x, want % x", i, got.originals[i], fresh.originals[i])
				}
			}
		})
	}
}

func TestSomebodyElse(t *testing.T) {
	v := install(t, ownImage(t))
	clear(v.image[v.shim:])
	if _, err := parse(v.image); err == nil {
		t.Error("a jump to nowhere was taken for a function")
	}
	v.image[len(v.image)-1] = 1 // not ours, and not in the way
	for i, e := range v.entries {
		copy(v.image[e:], v.originals[i])
	}
	if _, err := parse(v.image); err != nil {
		t.Error(err)
	}
	v.image[v.shim+shimSize-1] = 1
	if _, err := parse(v.image); err == nil {
		t.Error("room that is in use was taken")
	}
}

// Whatever the bytes are, they are refused, or nothing that is found lies outside them. An input is what changes a
// vDSO: where it is cut, and bytes with their places. The fuzzer would spend all its time on making a whole vDSO
// smaller.
func FuzzParse(f *testing.F) {
	image := ownImage(f)
	patched := install(f, image).image
	f.Add(false, uint16(len(image)), []byte{})
	f.Add(true, uint16(len(image)), []byte{})
	f.Add(false, uint16(64), []byte{})
	f.Add(false, uint16(len(image)/2), []byte{})
	f.Add(false, uint16(0), []byte{})
	f.Add(true, uint16(len(image)), []byte{0x28, 0, 0xff, 0x3c, 0, 1})
	f.Fuzz(func(t *testing.T, installed bool, cut uint16, changes []byte) {
		b := bytes.Clone(image)
		if installed {
			b = bytes.Clone(patched)
		}
		b = b[:min(len(b), int(cut))]
		for c := range slices.Chunk(changes, 3) {
			if len(c) == 3 && len(b) > 0 {
				b[int(binary.LittleEndian.Uint16(c))%len(b)] = c[2]
			}
		}
		v, err := parse(b)
		if err != nil {
			return
		}
		for i, e := range v.entries {
			copy(b[e:e+jumpSize], v.jump(i))
		}
		copy(b[v.shim:v.shim+shimSize], v.assemble(time.Second))
		if v.installed {
			v.offset()
		}
	})
}

func TestMapping(t *testing.T) {
	for _, c := range []struct {
		maps string
		ok   bool
	}{
		{"7ffd4d5f2000-7ffd4d5f4000 r-xp 00000000 00:00 0                          [vdso]\n", true},
		{"00400000-00401000 r-xp 00000000 00:00 0 /bin/[vdso]\n1000-3000 r-xp 00000000 00:00 0 [vdso]", true},
		{"7ffd4d5f2000-7ffd4d5f4000 r-xp 00000000 00:00 0 [vvar]\n", false},
		{"3000-1000 r-xp 00000000 00:00 0 [vdso]", false},
		{"1000 r-xp 00000000 00:00 0 [vdso]", false},
		{"0-7fffffffffffffff r-xp 00000000 00:00 0 [vdso]", false},
		{"x-y r-xp 00000000 00:00 0 [vdso]", false},
		{"", false},
	} {
		if base, size, err := mapping([]byte(c.maps)); (err == nil) != c.ok || c.ok && (base == 0 || size != 0x2000) {
			t.Errorf("%q: %#x, %#x, %v", c.maps, base, size, err)
		}
	}
}

func TestPrologue(t *testing.T) {
	for _, c := range []struct {
		name, code string
		want       int
	}{
		{"push, mov, push", "\x55\x48\x89\xe5\x41\x56\x53\x48", 6},
		{"endbr64 first", "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5", 5},
		{"cmp at the end", "\x55\x53\x41\x54\x83\xff\x17\x77", 7},
		{"frame at the end", "\x41\x57\x41\x56\x48\x83\xec\x18", 8},
		{"cut off", "\x55\x53\x41\x54\x48\x83\xec", 0},
		{"a jump", "\x83\xff\x17\x77\x63\x81\x3d\x75", 0},
		{"relative to itself", "\x55\x4c\x8d\x15\xe8\x97\xff\xff", 0},
		{"pop", "\x58\x58\x58\x58\x58\x58\x58\x58", 0},
		{"nothing", "", 0},
	} {
		if got := prologue([]byte(c.code)); got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, got, c.want)
		}
	}
}

func TestSlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64().Draw(t, "offset"))
		s := slot(want)
		if got := duration(s); got != want {
			t.Errorf("%v became %v", want, got)
		}
		if ns := binary.LittleEndian.Uint64(s[8:]); ns >= uint64(time.Second) {
			t.Errorf("%v has %d ns", want, ns)
		}
	})
}

func TestSafe(t *testing.T) {
	v, err := parse(ownImage(t))
	if err != nil {
		t.Fatal(err)
	}
	const base = 0x7f0000000000
	inFrame := base + uint64(v.entries[0]) + 3
	mem := make([]byte, 8192)
	binary.LittleEndian.PutUint64(mem[4096:], inFrame)
	file, err := os.Create(filepath.Join(t.TempDir(), "mem"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(mem); err != nil {
		t.Fatal(err)
	}
	target := &target{mem: file, vdso: v, base: base}
	for _, c := range []struct {
		name   string
		sp, pc uint64
		want   bool
	}{
		{"far away", 4104, 0x400000, true},
		{"about to enter", 4104, base + uint64(v.entries[1]), true},
		{"behind the first byte", 4104, base + uint64(v.entries[1]) + 1, false},
		{"at the last", 4104, base + uint64(v.entries[2]) + 4, false},
		{"deeper in", 4104, base + uint64(v.entries[2]) + 5, true},
		{"in the handler of a signal that came there", 96, 0x400000, false},
		{"without a stack", 1 << 40, 0x400000, true},
	} {
		threads := []position{{4104, 0x400000}, {c.sp, c.pc}}
		if got := target.safe(threads); got != c.want {
			t.Errorf("%s: safe: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestWhere(t *testing.T) {
	for _, c := range []struct {
		text string
		want position
		ok   bool
		bad  bool
	}{
		{"running\n", position{}, false, false},
		{"202 0x1 0x80 0x0 0x0 0x0 0x0 0x7ffc10 0x46e4c3\n", position{0x7ffc10, 0x46e4c3}, true, false},
		{"-1 0x7ffc10 0x46e4c3\n", position{0x7ffc10, 0x46e4c3}, true, false},
		{"", position{}, false, true},
		{"-1 0x7ffc10 here", position{}, false, true},
		{"-1 there 0x46e4c3", position{}, false, true},
	} {
		got, ok, err := where([]byte(c.text))
		if ok != c.ok || (err != nil) != c.bad || ok && got != c.want {
			t.Errorf("%q: %+v, %v, %v", c.text, got, ok, err)
		}
	}
}
