package clocks

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// vdso is a process's vDSO as it was read, and what was found in it.
type vdso struct {
	image []byte
	// entries are where the functions begin, shim where the shim is or has room. Offsets into image.
	entries [3]int
	shim    int
	// originals are the first 8 bytes of each function as the kernel made them.
	originals [3][]byte
	// installed says that the shim is there, patched that at least one function jumps to it, complete that all do.
	installed, patched, complete bool
}

// parse finds the functions and the shim in the bytes of a vDSO, which may be any.
func parse(image []byte) (*vdso, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("the vDSO is for %v, %v; only 64-bit processes can be skewed", f.Machine, f.Class)
	}
	v := &vdso{image: image}
	if err := v.findEntries(f); err != nil {
		return nil, err
	}
	if err := v.findRoom(f); err != nil {
		return nil, err
	}
	return v, v.compare()
}

func (v *vdso) findEntries(f *elf.File) error {
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("read the symbols of the vDSO: %w", err)
	}
	var origin uint64 // old kernels link it to a high address
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			origin = p.Vaddr - p.Off
			break
		}
	}
	for i, want := range functions() {
		found := false
		for _, s := range symbols {
			if s.Name != want.name {
				continue
			}
			at := s.Value - origin
			if at%8 != 0 || at >= uint64(len(v.image)) || uint64(len(v.image))-at < 8 || s.Size < 8 {
				return fmt.Errorf("%s of the vDSO is at %#x with %d bytes, which leaves no room for a jump", s.Name, at, s.Size)
			}
			v.entries[i], found = int(at), true
		}
		if !found {
			return fmt.Errorf("the vDSO has no %s", want.name)
		}
	}
	return nil
}

// findRoom puts the shim behind everything that the file has; what follows up to the end of the last page is unused.
func (v *vdso) findRoom(f *elf.File) error {
	// debug/elf keeps the tables' places to itself. It has read both, so the header is long enough and they lie within.
	at := binary.LittleEndian.Uint64
	short := binary.LittleEndian.Uint16
	end := max(
		at(v.image[0x20:])+uint64(short(v.image[0x36:]))*uint64(short(v.image[0x38:])),
		at(v.image[0x28:])+uint64(short(v.image[0x3a:]))*uint64(short(v.image[0x3c:])),
	)
	for _, p := range f.Progs {
		end = max(end, p.Off+p.Filesz)
	}
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOBITS {
			end = max(end, s.Offset+s.FileSize)
		}
	}
	size := uint64(len(v.image))
	if end > size || size-end < shimSize+15 {
		return fmt.Errorf("the vDSO ends at %#x of %#x: no room for %d bytes", end, size, shimSize)
	}
	v.shim = int(end+15) / 16 * 16
	return nil
}

// compare tells what of our own is in the vDSO, and refuses what is nobody's.
func (v *vdso) compare() error {
	room := v.image[v.shim:][:shimSize]
	v.installed = bytes.HasPrefix(room, []byte(magic))
	if !v.installed && !bytes.Equal(room, make([]byte, shimSize)) {
		return errors.New("the unused end of the vDSO is in use: somebody else, or another version of lockbench, wrote to it")
	}
	v.complete = v.installed
	for i, f := range functions() {
		entry := bytes.Clone(v.image[v.entries[i]:][:8])
		if v.installed && bytes.Equal(entry[:jumpSize], v.jump(i)) {
			v.patched = true
			copy(entry, room[shimSaved+8*i:][:jumpSize])
		} else {
			v.complete = false
		}
		v.originals[i] = entry
		if entry[0] == 0xe9 {
			return fmt.Errorf("%s of the vDSO begins with a jump already: somebody else redirected it", f.name)
		}
	}
	if !v.installed {
		return nil
	}
	// A thread may be in it, so that it is never changed; it must be what we would write.
	if ours := v.assemble(0); !bytes.Equal(room[shimSaved:], ours[shimSaved:]) || room[shimSelect]&^slotSize != 0 {
		return errors.New("the shim in the vDSO is not as it was written: end the process and start it again")
	}
	return nil
}

func (v *vdso) jump(i int) []byte { return jump(v.entries[i], v.shim+functions()[i].shim) }

func (v *vdso) assemble(offset time.Duration) []byte {
	return assemble(v.shim, v.entries, v.originals, offset)
}

// offset is what the shim adds.
func (v *vdso) offset() time.Duration {
	used := int(v.image[v.shim+shimSelect])
	return duration(v.image[v.shim+shimSlots+used:])
}

// inside tells whether the address, an offset into the vDSO, lies behind the first byte of what a jump replaces.
func (v *vdso) inside(address uint64) bool {
	for _, e := range v.entries {
		if address > uint64(e) && address < uint64(e+jumpSize) {
			return true
		}
	}
	return false
}
