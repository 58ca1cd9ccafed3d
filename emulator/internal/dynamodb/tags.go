// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html

package dynamodb

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of tags. The lengths are in characters.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

type tag struct {
	Key   string
	Value *string
}

// tagsInput is the input of the three operations, each of which uses its part.
type tagsInput struct {
	ResourceArn string
	Tags        []tag
	TagKeys     []string
}

// readTags reads an input and checks its ARN.
func (e *Engine) readTags(body []byte, in *tagsInput) error {
	if err := decodeInput(body, in); err != nil {
		return err
	}
	switch arn := in.ResourceArn; {
	case !strings.HasPrefix(arn, "arn:"):
		return invalidParameter("ARNs must start with 'arn:': %s", arn)
	case !strings.HasPrefix(arn, "arn:aws:dynamodb:"):
		return invalidParameter("Provided Arn is not a DynamoDB resource arn: %s", arn)
	case strings.Contains(arn, "/index/"):
		return invalidParameter("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s", arn)
	case !strings.HasPrefix(arn, e.tableARN("")):
		return validation("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
	}
	return nil
}

// tagged finds the table of an ARN. e.mu is held.
func (e *Engine) tagged(arn string) (*table, error) {
	t := e.tables[strings.TrimPrefix(arn, e.tableARN(""))]
	if t == nil {
		return nil, resourceNotFound("Requested resource not found: ResourcArn: " + arn + " not found") // as DynamoDB spells it
	}
	return t, nil
}

func (e *Engine) tagResource(body []byte) (json.RawMessage, error) {
	var in tagsInput
	if err := e.readTags(body, &in); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, validation("Atleast one Tag needs to be provided as Input.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return e.retag(in.ResourceArn, func(tags []tag) []tag {
		for _, next := range in.Tags {
			i := slices.IndexFunc(tags, func(t tag) bool { return t.Key == next.Key })
			if i < 0 {
				tags = append(tags, next)
			} else {
				tags[i] = next
			}
		}
		return tags
	})
}

func (e *Engine) untagResource(body []byte) (json.RawMessage, error) {
	var in tagsInput
	if err := e.readTags(body, &in); err != nil {
		return nil, err
	}
	switch {
	case len(in.TagKeys) == 0:
		return nil, validation("Atleast one Tag Key needs to be provided as Input.")
	case len(in.TagKeys) > maxTags:
		return nil, errTooManyTags
	}
	for _, key := range in.TagKeys {
		if err := checkTagKey(key); err != nil {
			return nil, err
		}
	}
	return e.retag(in.ResourceArn, func(tags []tag) []tag {
		return slices.DeleteFunc(tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	})
}

var errTooManyTags = validation("Number of Tags exceed the current limit for the provided ResourceArn")

// retag exchanges the tags of a table for those that f makes of them. The answer
// is empty.
func (e *Engine) retag(arn string, f func([]tag) []tag) (json.RawMessage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.tagged(arn)
	if err != nil {
		return nil, err
	}
	next := t.record()
	next.Tags = f(slices.Clone(next.Tags))
	if len(next.Tags) > maxTags {
		return nil, errTooManyTags
	}
	return json.RawMessage{}, e.relayout(t, next, nil, streamChange{})
}

func (e *Engine) listTagsOfResource(body []byte) (json.RawMessage, error) {
	var in tagsInput
	if err := e.readTags(body, &in); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags := t.record().Tags
	if tags == nil {
		tags = []tag{}
	}
	return json.Marshal(map[string]any{"Tags": tags}) // fifty are never more than a page
}

// checkTags says what is wrong with tags that a client gives.
func checkTags(tags []tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if err := checkTagKey(t.Key); err != nil {
			return err
		}
		switch {
		case t.Value == nil:
			return validation("The Tag Value provided is invalid, Value: null")
		case utf8.RuneCountInString(*t.Value) > maxTagValue || !isTagText(*t.Value):
			return validation("The Tag Value provided is invalid, Value: " + *t.Value)
		case strings.HasPrefix(t.Key, "aws:"):
			return validation("Tag Key cannot be prefixed with aws:, Key: " + t.Key)
		case seen[t.Key]:
			return validation("Duplicate Tag Keys provided as input: Duplicate Tag Key found " + t.Key)
		}
		seen[t.Key] = true
	}
	if len(tags) > maxTags {
		return errTooManyTags
	}
	return nil
}

func checkTagKey(key string) error {
	if key == "" || utf8.RuneCountInString(key) > maxTagKey || !isTagText(key) {
		return validation("The Tag Key provided is invalid, Key: " + key)
	}
	return nil
}

// isTagText says whether a text has only what tags may have: letters and digits
// of any script, spaces, and some signs.
func isTagText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mark, r) &&
			!unicode.Is(unicode.Z, r) && !strings.ContainsRune("+-=._:/@", r)
	}) < 0
}
