// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html

package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"crypto-ticker/emulator/internal/awsjson"
)

// Namespaces of error types: the service's own, and those of the framework that
// it is built on.
const (
	serviceNamespace  = "com.amazonaws.dynamodb.v20120810#"
	validateNamespace = "com.amazon.coral.validate#"
	coralNamespace    = "com.amazon.coral.service#"
)

func validation(message string) error {
	return &awsjson.Error{Type: validateNamespace + "ValidationException", Message: message}
}

func validationf(format string, args ...any) error {
	return validation(fmt.Sprintf(format, args...))
}

// isValidation says that an error is one of validation.
func isValidation(err error) bool {
	if err == nil { // mostly; then nothing has to be allocated
		return false
	}
	var e *awsjson.Error
	return errors.As(err, &e) && e.Type == validateNamespace+"ValidationException"
}

func isSerialization(err error) bool {
	var e *awsjson.Error
	return errors.As(err, &e) && e.Type == coralNamespace+"SerializationException"
}

// message gives the message of an error of DynamoDB.
func message(err error) string {
	var e *awsjson.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

// invalidParameter is the validation error with the preamble that most of them
// have.
func invalidParameter(format string, args ...any) error {
	return validation("One or more parameter values were invalid: " + fmt.Sprintf(format, args...))
}

// serialization is the error for a body that is not of the operation's shape.
func serialization(message string) error {
	return &awsjson.Error{Type: coralNamespace + "SerializationException", Message: message, MessageKey: "Message"}
}

func unknownOperation() *awsjson.Error {
	return &awsjson.Error{Type: coralNamespace + "UnknownOperationException"}
}

// modelled is an error of the service's model, whose message stands where the
// model has it: under message, or for a few under Message.
func modelled(name, message string) *awsjson.Error {
	return &awsjson.Error{Type: serviceNamespace + name, Message: message, MessageKey: messageKeys[name]}
}

func resourceNotFound(message string) error {
	return modelled("ResourceNotFoundException", message)
}

func resourceInUse(message string) error {
	return modelled("ResourceInUseException", message)
}

func limitExceeded(message string) error {
	return modelled("LimitExceededException", message)
}

// conditionFailed is the error of a condition that does not hold, with the item
// as it is where the client asked for it.
func conditionFailed(stored json.RawMessage) error {
	e := modelled("ConditionalCheckFailedException", "The conditional request failed")
	if stored != nil {
		e.Fields = map[string]any{"Item": stored}
	}
	return e
}

// constraints collects what is wrong with the members of a request, which
// DynamoDB reports all at once.
type constraints []string

// require notes that the value at a member is not as it must be.
func (c *constraints) require(ok bool, value any, member, must string) {
	if ok {
		return
	}
	shown := "null"
	if value != nil {
		shown = fmt.Sprintf("'%v'", value)
	}
	*c = append(*c, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: Member must %s", shown, member, must))
}

func (c *constraints) err() error {
	switch len(*c) {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: " + (*c)[0])
	}
	return validationf("%d validation errors detected: %s", len(*c), strings.Join(*c, "; "))
}
