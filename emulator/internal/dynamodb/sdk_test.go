package dynamodb

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// throughSDK has the SDK send an operation whose input is JSON, since its own
// types cannot say all that is wrong, and returns what the SDK makes of the
// error. known is false if there is no client, or it does not have the operation.
func (b *bench) throughSDK(operation, input string) (got string, known bool) {
	method := reflect.ValueOf(b.client).MethodByName(operation)
	if b.client == nil || !method.IsValid() {
		return "", false
	}
	out := method.Call([]reflect.Value{
		reflect.ValueOf(context.Background()), reflect.New(method.Type().In(1).Elem()),
		reflect.ValueOf(func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
				stack.Initialize.Remove("OperationInputValidation") // an error: it has nothing to check
				return stack.Serialize.Add(sending(input), middleware.After)
			})
		}),
	})
	err, _ := out[1].Interface().(error)
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "not the service's: " + errorText(err), true
	}
	message := api.ErrorMessage()
	if message == "UnknownError" { // the SDK's word for none
		message = ""
	}
	return strings.TrimSuffix(api.ErrorCode(), "Exception") + ": " + message, true
}

func errorText(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// sending puts a body into the request that the SDK has made.
func sending(body string) middleware.SerializeMiddleware {
	return middleware.SerializeMiddlewareFunc("Sending", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
		middleware.SerializeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, errors.New("the SDK has made no HTTP request")
		}
		request, err := request.SetStream(strings.NewReader(body))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, err
		}
		in.Request = request
		return next.HandleSerialize(ctx, in)
	})
}
