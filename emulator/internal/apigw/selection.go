// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html

package apigw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// selection is a route selection expression, parsed.
type selection []selectionPart

// selectionPart is literal text or, with variable set, a path into the
// message's body.
type selectionPart struct {
	text     string
	variable bool
	path     []pathStep
}

// pathStep is a member's name or, with name "", an index; an index of
// everyIndex is [*].
type pathStep struct {
	name  string
	index int
}

const everyIndex = -1

const bodyVariable = "request.body"

// parseSelection parses an expression such as $request.body.type or
// ${request.body.service}/${request.body.action}.
func parseSelection(expr string) (selection, error) {
	var sel selection
	var text strings.Builder
	for rest := expr; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			text.WriteByte('$')
			rest = rest[2:]
		case rest[0] == '$':
			name, after, err := cutVariable(rest[1:])
			if err != nil {
				return nil, fmt.Errorf("selection expression %q: %w", expr, err)
			}
			path, err := parsePath(name)
			if err != nil {
				return nil, fmt.Errorf("selection expression %q: %w", expr, err)
			}
			if text.Len() > 0 {
				sel = append(sel, selectionPart{text: text.String()})
				text.Reset()
			}
			sel = append(sel, selectionPart{variable: true, path: path})
			rest = after
		default:
			text.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	if text.Len() > 0 {
		sel = append(sel, selectionPart{text: text.String()})
	}
	return sel, nil
}

// cutVariable splits what follows a $ into the variable and the rest.
func cutVariable(s string) (name, rest string, err error) {
	if strings.HasPrefix(s, "{") {
		name, rest, ok := strings.Cut(s[1:], "}")
		if !ok {
			return "", "", fmt.Errorf("${ is not closed")
		}
		return name, rest, nil
	}
	i := 0
	for i < len(s) {
		if s[i] == '[' {
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return "", "", fmt.Errorf("[ is not closed")
			}
			i += end + 1
			continue
		}
		dot := s[i] == '.' && i+1 < len(s) && isNameByte(s[i+1])
		if !dot && !isNameByte(s[i]) {
			break
		}
		i++
	}
	return s[:i], s[i:], nil
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c >= 0x80
}

// parsePath parses request.body followed by .name, ['name'], [3] and [*].
func parsePath(variable string) ([]pathStep, error) {
	rest, ok := strings.CutPrefix(variable, bodyVariable)
	if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
		return nil, fmt.Errorf("variable %q is not emulated; use request.body", variable)
	}
	path := []pathStep{}
	for rest != "" {
		if rest[0] == '.' {
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			name := rest[1 : 1+end]
			if name == "" || strings.ContainsAny(name, "*@?()") {
				return nil, fmt.Errorf("JSONPath %q is not emulated", variable)
			}
			path = append(path, pathStep{name: name})
			rest = rest[1+end:]
			continue
		}
		inner, after, ok := strings.Cut(rest[1:], "]")
		step, valid := parseBracket(inner)
		if rest[0] != '[' || !ok || !valid {
			return nil, fmt.Errorf("JSONPath %q is not emulated", variable)
		}
		path = append(path, step)
		rest = after
	}
	return path, nil
}

func parseBracket(s string) (pathStep, bool) {
	if s == "*" {
		return pathStep{index: everyIndex}, true
	}
	if n := len(s); n > 2 && (s[0] == '\'' || s[0] == '"') && s[n-1] == s[0] {
		return pathStep{name: s[1 : n-1]}, true
	}
	i, err := strconv.ParseUint(s, 10, 16)
	return pathStep{index: int(i)}, err == nil
}

// evaluate gives the expression's value for a message; of one with more than most
// bytes only more than those, however large the message is. ok is false if it
// takes JSON and the message is none.
func (s selection) evaluate(message []byte, most int) (key string, ok bool) {
	var body any
	var out strings.Builder
	decoded := false
	for _, part := range s {
		if !part.variable {
			out.WriteString(part.text)
			continue
		}
		if !decoded {
			if body, ok = decodeJSON(message); !ok {
				return "", false
			}
			decoded = true
		}
		if v, found := lookup(body, part.path); found {
			writeText(&out, v, most)
		}
	}
	return out.String(), true
}

// decodeJSON decodes exactly one JSON value, with numbers as they are written.
func decodeJSON(b []byte) (any, bool) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, false
	}
	_, err := dec.Token()
	return v, err == io.EOF
}

func lookup(v any, path []pathStep) (any, bool) {
	for i, step := range path {
		if step.name != "" {
			members, _ := v.(map[string]any)
			member, ok := members[step.name]
			if !ok {
				return nil, false
			}
			v = member
			continue
		}
		items, ok := v.([]any)
		if !ok || step.index >= len(items) {
			return nil, false
		}
		if step.index != everyIndex {
			v = items[step.index]
			continue
		}
		found := []any{}
		for _, item := range items {
			if f, ok := lookup(item, path[i+1:]); ok {
				found = append(found, f)
			}
		}
		return found, true
	}
	return v, true
}

// toText makes a string of a value: a list is [item1, item2].
func toText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b strings.Builder
	writeText(&b, v, math.MaxInt)
	return b.String()
}

// writeText is toText that ends early once there are more than most bytes.
func writeText(b *strings.Builder, v any, most int) {
	if b.Len() > most {
		return
	}
	switch v := v.(type) {
	case nil:
	case string:
		b.WriteString(v)
	case json.Number:
		b.WriteString(v.String())
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			if writeText(b, item, most); b.Len() > most {
				return
			}
		}
		b.WriteByte(']')
	default:
		object, _ := json.Marshal(v) // cannot fail: it has been decoded from JSON
		b.Write(object)
	}
}
