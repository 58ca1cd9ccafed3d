package awsjson

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strconv"
	"strings"
)

// encodings are what an answer can be compressed as, the first by choice.
var encodings = []string{"gzip", "deflate"}

// encoding gives the encoding that an Accept-Encoding header prefers, if any.
// Weights are from 0, which refuses an encoding, to 1, which is also what the
// lack of one and one that is no number mean. The largest wins, and of equal
// ones the first; "*" stands for the encodings that are not named. Identity,
// the lack of an encoding, is no alternative, whatever its weight.
func encoding(accepted string) string {
	var best string
	var most, others float64
	named := map[string]bool{}
	for element := range strings.SplitSeq(accepted, ",") {
		name, parameters, _ := strings.Cut(element, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		weight := weight(parameters)
		named[name] = true
		switch {
		case name == "*":
			others = max(others, weight)
		case (name == "gzip" || name == "deflate") && weight > most:
			best, most = name, weight
		}
	}
	for _, name := range encodings {
		if !named[name] && others > most {
			best, most = name, others
		}
	}
	return best
}

// weight gives the first q of an encoding's parameters.
func weight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		key, value, _ := strings.Cut(parameter, "=")
		if strings.TrimSpace(key) != "q" {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
			return min(q, 1)
		}
		break
	}
	return 1
}

// compress gives an answer in one of the encodings.
func compress(encoding string, answer []byte) []byte {
	var out bytes.Buffer
	var z io.WriteCloser = gzip.NewWriter(&out)
	if encoding == "deflate" {
		z = zlib.NewWriter(&out)
	}
	z.Write(answer) // a Buffer fails no write
	z.Close()
	return out.Bytes()
}
