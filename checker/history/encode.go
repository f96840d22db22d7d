package history

import (
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendLine appends the op as one line of JSON, keys in the order of docs/history.md, absent fields left
// out, a newline at the end. It allocates nothing when dst is large enough.
func AppendLine(dst []byte, o *Op) []byte {
	dst = append(dst, `{"index":`...)
	dst = strconv.AppendInt(dst, o.Index, 10)
	dst = append(dst, `,"time":`...)
	dst = strconv.AppendInt(dst, o.Time, 10)
	dst = appendText(dst, `,"client":`, o.Client)
	dst = append(dst, `,"process":`...)
	dst = strconv.AppendInt(dst, o.Process, 10)
	dst = appendText(dst, `,"type":`, string(o.Type))
	dst = appendText(dst, `,"f":`, o.F)
	if o.Lock != "" {
		dst = appendText(dst, `,"lock":`, o.Lock)
	}
	if o.Grant != 0 {
		dst = append(dst, `,"grant":`...)
		dst = strconv.AppendInt(dst, o.Grant, 10)
	}
	if o.Request != 0 {
		dst = append(dst, `,"request":`...)
		dst = strconv.AppendInt(dst, o.Request, 10)
	}
	dst = appendUint(dst, `,"token":`, o.Token)
	if o.Seq != 0 {
		dst = append(dst, `,"seq":`...)
		dst = strconv.AppendUint(dst, o.Seq, 10)
	}
	dst = appendUint(dst, `,"base":`, o.Base)
	dst = appendUint(dst, `,"version":`, o.Version)
	if o.Intended != 0 {
		dst = append(dst, `,"intended":`...)
		dst = strconv.AppendInt(dst, o.Intended, 10)
	}
	if o.Phase != "" {
		dst = appendText(dst, `,"phase":`, o.Phase)
	}
	if o.Fault != nil {
		dst = appendFault(dst, o.Fault)
	}
	if o.Lasted != 0 {
		dst = append(dst, `,"lasted":`...)
		dst = strconv.AppendInt(dst, o.Lasted, 10)
	}
	if o.Error != "" {
		dst = appendText(dst, `,"error":`, o.Error)
	}
	return append(dst, '}', '\n')
}

func appendFault(dst []byte, f *Fault) []byte {
	if f.Step != 0 {
		dst = append(dst, `,"step":`...)
		dst = strconv.AppendInt(dst, int64(f.Step), 10)
	}
	if f.Role != "" {
		dst = appendText(dst, `,"role":`, f.Role)
	}
	dst = appendTexts(dst, `,"hosts":`, f.Hosts)
	dst = appendTexts(dst, `,"peers":`, f.Peers)
	if f.Direction != "" {
		dst = appendText(dst, `,"direction":`, f.Direction)
	}
	if len(f.Settings) == 0 {
		return dst
	}
	dst = append(dst, `,"settings":`...)
	key := "{"
	for _, name := range slices.Sorted(maps.Keys(f.Settings)) {
		dst = appendText(dst, key, name)
		dst = appendText(dst, ":", f.Settings[name])
		key = ","
	}
	return append(dst, '}')
}

func appendTexts(dst []byte, key string, all []string) []byte {
	if len(all) == 0 {
		return dst
	}
	dst = append(dst, key...)
	before := "["
	for _, s := range all {
		dst = appendText(dst, before, s)
		before = ","
	}
	return append(dst, ']')
}

func appendUint(dst []byte, key string, u Uint) []byte {
	if !u.Set {
		return dst
	}
	return strconv.AppendUint(append(dst, key...), u.V, 10)
}

const hexDigits = "0123456789abcdef"

// appendText appends key and a JSON string. Invalid UTF-8, which error texts of servers may hold, becomes U+FFFD.
func appendText(dst []byte, key, s string) []byte {
	dst = append(dst, key...)
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		b := s[i]
		switch {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
			i++
		case b < 0x20 || b == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&0xf])
			i++
		case b < utf8.RuneSelf:
			dst = append(dst, b)
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return append(dst, '"')
}
