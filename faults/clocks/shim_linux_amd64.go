package clocks

import (
	"bytes"
	"encoding/binary"
	"time"
)

// The parts of the shim, as offsets into it. All of it is independent of where it lies, but for the jump back.
const (
	shimSelect = 8   // one byte: the offset in use, 0 for the first slot and slotSize for the second
	shimSlots  = 16  // two offsets
	shimSaved  = 48  // per function the bytes that its jump replaced, in a field of 8 bytes
	shimReal   = 80  // the true clock_gettime: what the jump replaced, then on behind it
	shimCode   = 112 // the code from clockGettime on
	shimSize   = 334

	// slotSize is two int64: seconds, and nanoseconds from 0 to 999,999,999.
	slotSize = 16
	// jumpSize is that of a jump with a distance of 32 bits.
	jumpSize = 5
)

// magic begins a shim. Its last byte counts the layouts: another lockbench may be of another version.
const magic = "lkbskew\x01"

// A function of the vDSO that is redirected.
type function struct {
	name string
	// shim is where its replacement begins.
	shim int
}

// functions are all that tell the wall clock. The names without __vdso_ are aliases of the same addresses.
func functions() [3]function {
	return [3]function{{"__vdso_clock_gettime", 0x70}, {"__vdso_gettimeofday", 0xc0}, {"__vdso_time", 0x120}}
}

// code is the shim from shimCode on. The calling convention is the System V ABI's: arguments in rdi and rsi, the
// result in rax; rbx, rbp and r12 to r15 are left alone. Addresses are offsets into the shim.
const code = "" +
	// int clock_gettime(clockid_t rdi, struct timespec *rsi)
	/*   70: test   %edi,%edi          CLOCK_REALTIME is 0                */
	"\x85\xff" +
	/*   72: je     79                                                    */ "\x74\x05" +
	/*   74: cmp    $5,%edi            CLOCK_REALTIME_COARSE              */ "\x83\xff\x05" +
	/*   77: jne    50                 any other: the true one            */ "\x75\xd7" +
	/*   79: push   %rsi                                                  */ "\x56" +
	/*   7a: call   50                 the stack is aligned to 16 here    */ "\xe8\xd1\xff\xff\xff" +
	/*   7f: pop    %rsi                                                  */ "\x5e" +
	/*   80: test   %eax,%eax                                             */ "\x85\xc0" +
	/*   82: jne    ba                 an error: nothing was stored       */ "\x75\x36" +
	/*   84: movzbl 8(shim),%ecx       shimSelect                         */ "\x0f\xb6\x0d\x7d\xff\xff\xff" +
	/*   8b: lea    16(shim),%rdx      shimSlots                          */ "\x48\x8d\x15\x7e\xff\xff\xff" +
	/*   92: add    %rcx,%rdx                                             */ "\x48\x01\xca" +
	/*   95: mov    8(%rsi),%rcx       nanoseconds                        */ "\x48\x8b\x4e\x08" +
	/*   99: add    8(%rdx),%rcx                                          */ "\x48\x03\x4a\x08" +
	/*   9d: mov    (%rdx),%rdx        seconds of the offset              */ "\x48\x8b\x12" +
	/*   a0: cmp    $1000000000,%rcx                                      */ "\x48\x81\xf9\x00\xca\x9a\x3b" +
	/*   a7: jl     b3                                                    */ "\x7c\x0a" +
	/*   a9: sub    $1000000000,%rcx                                      */ "\x48\x81\xe9\x00\xca\x9a\x3b" +
	/*   b0: inc    %rdx                                                  */ "\x48\xff\xc2" +
	/*   b3: add    %rdx,(%rsi)                                           */ "\x48\x01\x16" +
	/*   b6: mov    %rcx,8(%rsi)                                          */ "\x48\x89\x4e\x08" +
	/*   ba: ret                                                          */ "\xc3" +
	/*   bb: int3                      never reached                      */ "\xcc\xcc\xcc\xcc\xcc" +
	// int gettimeofday(struct timeval *rdi, struct timezone *rsi), each of which may be NULL
	/*   c0: push   %rdi                                                  */
	"\x57" +
	/*   c1: sub    $16,%rsp           a timespec                         */ "\x48\x83\xec\x10" +
	/*   c5: test   %rsi,%rsi                                             */ "\x48\x85\xf6" +
	/*   c8: je     d7                                                    */ "\x74\x0d" +
	/*   ca: xor    %edi,%edi          the time zone by a system call:    */ "\x31\xff" +
	/*   cc: mov    $96,%eax           nobody asks for it any more        */ "\xb8\x60\x00\x00\x00" +
	/*   d1: syscall                                                      */ "\x0f\x05" +
	/*   d3: test   %eax,%eax                                             */ "\x85\xc0" +
	/*   d5: jne    10c                                                   */ "\x75\x35" +
	/*   d7: cmpq   $0,16(%rsp)                                           */ "\x48\x83\x7c\x24\x10\x00" +
	/*   dd: je     10a                                                   */ "\x74\x2b" +
	/*   df: xor    %edi,%edi          CLOCK_REALTIME                     */ "\x31\xff" +
	/*   e1: mov    %rsp,%rsi                                             */ "\x48\x89\xe6" +
	/*   e4: call   70                                                    */ "\xe8\x87\xff\xff\xff" +
	/*   e9: test   %eax,%eax                                             */ "\x85\xc0" +
	/*   eb: jne    10c                                                   */ "\x75\x1f" +
	/*   ed: mov    16(%rsp),%rdi                                         */ "\x48\x8b\x7c\x24\x10" +
	/*   f2: mov    (%rsp),%rax                                           */ "\x48\x8b\x04\x24" +
	/*   f6: mov    %rax,(%rdi)        tv_sec                             */ "\x48\x89\x07" +
	/*   f9: mov    8(%rsp),%eax                                          */ "\x8b\x44\x24\x08" +
	/*   fd: xor    %edx,%edx                                             */ "\x31\xd2" +
	/*   ff: mov    $1000,%ecx                                            */ "\xb9\xe8\x03\x00\x00" +
	/*  104: div    %ecx                                                  */ "\xf7\xf1" +
	/*  106: mov    %rax,8(%rdi)       tv_usec                            */ "\x48\x89\x47\x08" +
	/*  10a: xor    %eax,%eax                                             */ "\x31\xc0" +
	/*  10c: add    $24,%rsp                                              */ "\x48\x83\xc4\x18" +
	/*  110: ret                                                          */ "\xc3" +
	/*  111: int3                      never reached                      */ "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc" +
	/*  118: int3                      never reached                      */ "\xcc\xcc\xcc\xcc\xcc\xcc\xcc" +
	// time_t time(time_t *rdi), which may be NULL
	/*  120: push   %rdi                                                  */
	"\x57" +
	/*  121: sub    $16,%rsp           a timespec                         */ "\x48\x83\xec\x10" +
	/*  125: mov    $5,%edi            the true one is coarse as well     */ "\xbf\x05\x00\x00\x00" +
	/*  12a: mov    %rsp,%rsi                                             */ "\x48\x89\xe6" +
	/*  12d: call   70                                                    */ "\xe8\x3e\xff\xff\xff" +
	/*  132: test   %eax,%eax                                             */ "\x85\xc0" +
	/*  134: cltq                                                         */ "\x48\x98" +
	/*  136: jne    149                                                   */ "\x75\x11" +
	/*  138: mov    (%rsp),%rax                                           */ "\x48\x8b\x04\x24" +
	/*  13c: mov    16(%rsp),%rdi                                         */ "\x48\x8b\x7c\x24\x10" +
	/*  141: test   %rdi,%rdi                                             */ "\x48\x85\xff" +
	/*  144: je     149                                                   */ "\x74\x03" +
	/*  146: mov    %rax,(%rdi)                                           */ "\x48\x89\x07" +
	/*  149: add    $24,%rsp                                              */ "\x48\x83\xc4\x18" +
	/*  14d: ret                                                          */ "\xc3"

// prologue is how many whole instructions' bytes begin b that can be run at another address and make room for a jump;
// 0 if it has others than those that compilers begin the function with.
func prologue(b []byte) int {
	movable := []struct {
		opcode []byte
		size   int
		// low is how many low bits of the last byte of the opcode are a register's number.
		low uint
	}{
		{[]byte{0xf3, 0x0f, 0x1e, 0xfa}, 4, 0}, // endbr64
		{[]byte{0x50}, 1, 3},                   // push   rax to rdi
		{[]byte{0x41, 0x50}, 2, 3},             // push   r8 to r15
		{[]byte{0x48, 0x89, 0xe5}, 3, 0},       // mov    %rsp,%rbp
		{[]byte{0x48, 0x83, 0xec}, 4, 0},       // sub    $n,%rsp
		{[]byte{0x48, 0x83, 0xe4}, 4, 0},       // and    $n,%rsp
		{[]byte{0x83, 0xff}, 3, 0},             // cmp    $n,%edi
	}
	n := 0
next:
	for n < jumpSize {
		for _, m := range movable {
			last := len(m.opcode) - 1
			if rest := b[n:]; len(rest) >= m.size && bytes.HasPrefix(rest, m.opcode[:last]) && rest[last]>>m.low == m.opcode[last]>>m.low {
				n += m.size
				continue next
			}
		}
		return 0
	}
	return n
}

// jump is a jump from one offset into the vDSO to another.
func jump(from, to int) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0xe9}, uint32(int32(to-from-jumpSize)))
}

// slot is an offset as the shim reads it: rounded down to seconds, and what is missing in nanoseconds.
func slot(offset time.Duration) []byte {
	seconds, rest := offset/time.Second, offset%time.Second
	if rest < 0 {
		seconds, rest = seconds-1, rest+time.Second
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(seconds))
	return binary.LittleEndian.AppendUint64(b, uint64(rest))
}

// duration is what slot was made of.
func duration(slot []byte) time.Duration {
	seconds := int64(binary.LittleEndian.Uint64(slot))
	return time.Duration(seconds)*time.Second + time.Duration(binary.LittleEndian.Uint64(slot[8:]))
}

// assemble makes the shim that lies at the offset at of a vDSO. entries are where its functions begin, and originals
// what stands there, 8 bytes or more, while they are not redirected.
func assemble(at int, entries [3]int, originals [3][]byte, offset time.Duration) []byte {
	shim := make([]byte, shimCode, shimSize)
	copy(shim, magic)
	copy(shim[shimSlots:], slot(offset))
	for i, o := range originals {
		copy(shim[shimSaved+8*i:], o[:jumpSize])
	}
	trueClock := shim[shimReal:]
	for i := range trueClock {
		trueClock[i] = 0xcc // int3, never reached
	}
	if n := prologue(originals[0]); n > 0 {
		copy(trueClock, originals[0][:n])
		copy(trueClock[n:], jump(at+shimReal+n, entries[0]+n))
	} else { // right for every clock, but slow
		copy(trueClock, []byte{
			0xb8, 0xe4, 0x00, 0x00, 0x00, // mov    $228,%eax
			0x0f, 0x05, //                   syscall
			0xc3, //                         ret
		})
	}
	return append(shim, code...)
}
