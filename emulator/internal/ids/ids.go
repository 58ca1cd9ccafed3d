// Package ids makes identifiers in the forms in which AWS makes them.
package ids

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// RequestID returns a random UUID: the request id of most services.
func RequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// Gateway returns an id as API Gateway makes them for connections, requests and
// messages: 16 characters, the base64url of 11 bytes with its padding, such as
// "Jx-TaE0_GjQFvSw=".
func Gateway() string {
	var b [11]byte
	rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}

// Trace returns the root of an X-Ray trace header, such as
// "Root=1-6650aa11-0123456789abcdef01234567", for a time.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
func Trace(now time.Time) string {
	var b [16]byte
	t := uint32(now.Unix())
	b[0], b[1], b[2], b[3] = byte(t>>24), byte(t>>16), byte(t>>8), byte(t)
	rand.Read(b[4:])
	return "Root=1-" + hex.EncodeToString(b[:4]) + "-" + hex.EncodeToString(b[4:])
}

// Hex returns 2n random hexadecimal digits.
func Hex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
