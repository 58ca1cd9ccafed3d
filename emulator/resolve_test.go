package emulator_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
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

// TestAddressesInAnswers follows the address of an API to what API Gateway itself
// answers and asks.
func TestAddressesInAnswers(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	e := emulator.RunT(t, emulator.Options{
		Template: write(t, `
  Api: {Type: AWS::Serverless::HttpApi, Properties: {CorsConfiguration: {AllowOrigins: [!Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com"]}}}
  Signed:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Own:
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {issuer: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com", audience: [us]}
        DefaultAuthorizer: Own
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: rest
      Cors: !Sub "'https://${Api}.execute-api.${AWS::Region}.amazonaws.com'"
      GatewayResponses:
        MISSING_AUTHENTICATION_TOKEN:
          ResponseParameters: {Headers: {Access-Control-Allow-Origin: !Sub "'https://${Api}.execute-api.${AWS::Region}.amazonaws.com'"}}
          ResponseTemplates: {application/json: !Sub '{"see":"https://${Api}.execute-api.${AWS::Region}.amazonaws.com"}'}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: h
      Runtime: provided.al2023
      Events:
        All: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: $default}}
        Signed: {Type: HttpApi, Properties: {ApiId: !Ref Signed, Path: /, Method: get}}
        Rest: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /, Method: get}}
`),
		Handlers: map[string]func() awslambda.Handler{"Fn": func() awslambda.Handler {
			return awslambda.NewHandler(func(_ context.Context, event struct{ RawPath string }) { asked <- event.RawPath })
		}},
	})
	do := func(method, path, host, token string) (origin, body string) {
		req, err := http.NewRequestWithContext(t.Context(), method, e.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Origin", e.URL())
		if token != "" {
			req.Header.Set("Authorization", token)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.Header.Get("Access-Control-Allow-Origin"), string(text)
	}
	for name, request := range map[string][2]string{
		"CORS of an HTTP API": {"GET", "/"}, "preflight of a REST API": {"OPTIONS", "/rest"}, "gateway response": {"GET", "/rest/none"},
	} {
		origin, body := do(request[0], request[1], "", "")
		if origin != e.URL() {
			t.Errorf("%s: got the origin %q, want %s", name, origin, e.URL())
		}
		if want := `{"see":"` + e.URL() + `"}`; name == "gateway response" && body != want {
			t.Errorf("%s: got %s, want %s", name, body, want)
		}
	}
	for len(asked) > 0 {
		<-asked
	}
	encode := base64.RawURLEncoding.EncodeToString
	do("GET", "/", "signed.execute-api.localhost", encode([]byte(`{"alg":"RS256","kid":"1"}`))+"."+
		encode([]byte(`{"iss":"`+e.URL()+`","aud":"us","exp":9999999999}`))+"."+encode([]byte("signature")))
	select {
	case got := <-asked:
		if want := "/.well-known/openid-configuration"; got != want {
			t.Errorf("got a request of %s, want %s", got, want)
		}
	default:
		t.Error("the issuer was not asked")
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
