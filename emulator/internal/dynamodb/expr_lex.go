// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html

package dynamodb

import "strings"

// token is a word or sign of an expression. kind is the sign itself, or
// 'a' for a word, '#' and ':' for placeholders, '0' for digits, 0 at the end.
type token struct {
	kind       byte
	text       string
	start, end int // in the expression
}

// lex takes an expression apart. A byte that belongs nowhere becomes a token of
// its own kind, on which the parser fails.
func lex(src string) []token {
	tokens := make([]token, 0, 16)
	for i := 0; i < len(src); {
		c := src[i]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			i++
			continue
		}
		kind, n := lexOne(src[i:])
		tokens = append(tokens, token{kind, src[i : i+n], i, i + n})
		i += n
	}
	return append(tokens, token{text: "<EOF>", start: len(src), end: len(src)})
}

// lexOne gives the kind and the length of the token that src begins with.
func lexOne(src string) (kind byte, n int) {
	switch c := src[0]; {
	case isLetter(c):
		return 'a', wordLen(src)
	case c == '0':
		return '0', 1 // digits behind it are another number
	case isDigit(c):
		for n < len(src) && isDigit(src[n]) {
			n++
		}
		return '0', n
	case c == '#' || c == ':':
		if n := wordLen(src[1:]); n > 0 {
			return c, 1 + n
		}
		return '?', 1
	case strings.HasPrefix(src, "<>"):
		return '!', 2
	case strings.HasPrefix(src, "<="):
		return 'l', 2
	case strings.HasPrefix(src, ">="):
		return 'g', 2
	case strings.IndexByte("()[],.+-=<>", c) >= 0:
		return c, 1
	}
	return '?', 1
}

// wordLen is how much of s can be in a word, which only a letter begins, or in a
// placeholder.
func wordLen(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '_') {
		n++
	}
	return n
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord says that the token is a keyword, which may be in any case.
func (t token) isWord(keyword string) bool {
	return t.kind == 'a' && strings.EqualFold(t.text, keyword)
}
