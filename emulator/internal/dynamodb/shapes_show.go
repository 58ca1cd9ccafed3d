package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxShown is how much of a value an error shows, in bytes.
const maxShown = 64 << 10

// show gives a value as DynamoDB's errors show it, or the beginning of it.
func show(id shapeID, value any) string {
	var b strings.Builder
	writeShown(&b, id, value)
	return cut(b.String())
}

func cut(text string) string { return text[:min(len(text), maxShown)] }

func writeShown(b *strings.Builder, id shapeID, value any) {
	if b.Len() > maxShown {
		return
	}
	sh := &shapes[id]
	switch in := value.(type) {
	case nil:
		b.WriteString("null")
	case []any:
		b.WriteByte('[')
		for i, e := range in {
			if i > 0 {
				b.WriteString(", ")
			}
			writeShown(b, sh.of, e)
		}
		b.WriteByte(']')
	case map[string]any:
		writeShownMap(b, sh, in)
	default:
		fmt.Fprint(b, in)
	}
}

func writeShownMap(b *strings.Builder, sh *shape, in map[string]any) {
	sep := ""
	if sh.kind == mapShape {
		b.WriteByte('{')
		for _, key := range slices.Sorted(maps.Keys(in)) {
			b.WriteString(sep + key + "=")
			writeShown(b, sh.of, in[key])
			sep = ", "
		}
		b.WriteByte('}')
		return
	}
	b.WriteString(sh.name + "(")
	for _, m := range sh.members {
		b.WriteString(sep + lowerFirst(m.name) + "=")
		writeShown(b, m.shape, in[m.name])
		b.WriteString(unlisted[sh.name+"."+m.name])
		sep = ", "
	}
	b.WriteByte(')')
}

// unlisted are the members that DynamoDB shows behind others and that are not in
// its model.
var unlisted = map[string]string{
	"AttributeValue.B":  ", iNT=null, dECIMAL=null, dOUBLE=null",
	"AttributeValue.BS": ", iNTSET=null, dECIMALSET=null, dOUBLESET=null",
	"PutRequest.Item":   ", workloadProfileName=null",
}
