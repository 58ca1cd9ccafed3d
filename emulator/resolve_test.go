package emulator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator"
)

// write makes a template of resources in a folder of its own.
func write(t *testing.T, resources string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.yaml")
	src := "Transform: AWS::Serverless-2016-10-31\nResources:\n" + resources
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAddressesInTemplate follows the address of an API, as the template builds
// it, to all places where a function can find it.
func TestAddressesInTemplate(t *testing.T) {
	t.Parallel()
	events := make(chan json.RawMessage, 10)
	e := emulator.RunT(t, emulator.Options{
		Template: write(t, `
  Api: {Type: AWS::Serverless::HttpApi, Properties: {StageVariables: {Url: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/a"}}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: urls, SecretString: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/b"}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: h
      Runtime: provided.al2023
      Events:
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /, Method: get}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day), Input: !Sub '{"url": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/c"}'}}
`),
		Handlers: map[string]func() awslambda.Handler{"Fn": func() awslambda.Handler {
			return awslambda.NewHandler(func(_ context.Context, event json.RawMessage) { events <- event })
		}},
	})
	res, err := http.Get(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	var request struct{ StageVariables map[string]string }
	if err := json.Unmarshal(<-events, &request); err != nil {
		t.Fatal(err)
	}
	if got, want := request.StageVariables["Url"], e.URL()+"/a"; got != want {
		t.Errorf("stage variable: got %s, want %s", got, want)
	}
	if err := e.Fire("FnDaily"); err != nil {
		t.Fatal(err)
	}
	if got, want := string(<-events), `{"url": "`+e.URL()+`/c"}`; got != want {
		t.Errorf("schedule: got %s, want %s", got, want)
	}
	if got, want := call(t, e, "secretsmanager.GetSecretValue", "1.1", `{"SecretId":"urls"}`), `"SecretString":"`+e.URL()+`/b"`; !strings.Contains(got, want) {
		t.Errorf("secret: got %s, want %s", got, want)
	}
}

// TestWrongSchedule is told of before functions are built, which takes longest.
func TestWrongSchedule(t *testing.T) {
	t.Parallel()
	file := write(t, `
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: nowhere
      Handler: h
      Runtime: provided.al2023
      Events:
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 days)}}
`)
	_, err := emulator.Run(t.Context(), emulator.Options{Template: file})
	if err == nil || !strings.Contains(err.Error(), "write 1 day, without s") {
		t.Errorf("got %v", err)
	}
}
