// Command app answers with the name of the folder above it.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() { lambda.Start(func() (string, error) { return "two", nil }) }
